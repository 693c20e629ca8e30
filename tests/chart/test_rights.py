"""Rights: the least that each set of values needs."""

import json

import charts
import pytest
import yaml

WATCHED = yaml.safe_load((charts.CHART / "files" / "watched.yaml").read_text())


def rules(objects, kind, name):
    (role,) = [it for it in charts.of_kind(objects, kind) if it["metadata"]["name"] == name]
    return role["rules"]


def read(rules):
    """Group and resource of what is listed and watched."""
    whole = [it for it in rules if it["verbs"] == ["list", "watch"]]
    assert all("resourceNames" not in it for it in whole)
    return {(group, resource) for it in whole for group in it["apiGroups"] for resource in it["resources"]}


def of_kinds(*kinds, namespaces=True, ways=()):
    named = [it for kind in kinds for it in WATCHED["kinds"][kind]]
    named += [it for way in ways for it in WATCHED["inferRisks"][way]]
    more = WATCHED["wholeCluster"] if namespaces else []
    return {(it["apiGroup"], it["resource"]) for it in WATCHED["always"] + more + named}


def test_what_is_read_is_what_the_code_says_for_the_selected_kinds(helm):
    name = "rec-deployment-recorder"
    usual = rules(charts.rendered("minimal", helm), "ClusterRole", name)
    assert read(usual) == of_kinds(*WATCHED["default"])
    narrow = rules(charts.rendered("narrow", helm), "ClusterRole", name)
    assert read(narrow) == of_kinds("daemonsets", "pods")
    several = rules(charts.rendered("everything", helm), "ClusterRole", "acme-recorder")
    assert read(several) == of_kinds("deployments", "others", "jobs", "pods", ways=WATCHED["inferRisks"])


OWNERS = yaml.safe_load((charts.CHART / "files" / "owners.yaml").read_text())


def test_the_schema_has_every_preset():
    schema = json.loads((charts.CHART / "values.schema.json").read_text())
    presets = schema["properties"]["rbac"]["properties"]["ownerPresets"]
    assert presets["items"]["enum"] == list(OWNERS)


@pytest.mark.parametrize("preset", OWNERS)
def test_each_preset_adds_the_right_to_read_its_owners_alone(preset, helm):
    given = ["--values", charts.values_files()["minimal"], "--set", f"rbac.ownerPresets={{{preset}}}"]
    found = rules(charts.render(helm, *given), "ClusterRole", "rec-deployment-recorder")
    added = {(it["apiGroup"], resource) for it in OWNERS[preset] for resource in it["resources"]}
    assert added
    assert read(found) == of_kinds(*WATCHED["default"]) | added


def test_owners_of_ones_own_are_read_beside_presets_each_once(helm):
    found = rules(charts.rendered("owners", helm), "ClusterRole", "rec-deployment-recorder")
    added = {
        ("argoproj.io", "rollouts"),
        ("argoproj.io", "workflows"),
        ("core.strimzi.io", "strimzipodsets"),
        ("example.io", "things"),
    }
    assert read(found) == of_kinds(*WATCHED["default"], "jobs") | added
    groups = [group for rule in found for group in rule["apiGroups"] if "resourceNames" not in rule]
    assert len(groups) == len(set(groups))


@pytest.mark.parametrize("kind", WATCHED["kinds"])
def test_each_kind_has_its_own_rights(kind):
    given = ["--values", charts.values_files()["minimal"], "--set", f"config.kinds={{{kind}}}"]
    found = rules(charts.render("helm4", *given), "ClusterRole", "rec-deployment-recorder")
    assert read(found) == of_kinds(kind)


@pytest.mark.parametrize("way", WATCHED["inferRisks"])
def test_each_way_from_outside_has_its_own_rights(way):
    given = ["--values", charts.values_files()["minimal"], "--set", f"config.inferRisks={{{way}}}"]
    found = rules(charts.render("helm4", *given), "ClusterRole", "rec-deployment-recorder")
    assert read(found) == of_kinds(*WATCHED["default"], ways=[way])


def test_nothing_is_read_one_by_one_but_by_its_name(values):
    for kind in ("Role", "ClusterRole"):
        for role in charts.of_kind(charts.rendered(values), kind):
            for rule in role["rules"]:
                assert "*" not in str(rule)
                if values == "everything" and rule["resources"] in (["secrets"], ["serviceaccounts"]):
                    # Pull secrets have the names that pods give.
                    assert rule["verbs"] == ["get"] and rule["apiGroups"] == [""]
                    continue
                if set(rule["verbs"]) & {"get", "update", "patch", "delete"}:
                    assert rule["resourceNames"]
                assert "secrets" not in rule["resources"]


@pytest.mark.parametrize("namespaced", [False, True])
def test_secrets_are_read_only_with_the_value_for_it_and_where_pods_are(namespaced):
    where = ["--set", f"rbac.namespaced={str(namespaced).lower()},config.namespaces={{shop}}"]
    given = ["--values", charts.values_files()["minimal"], *where]
    more = ["--set", "config.readImageLabels=true,config.usePullSecrets=true"]
    expected = [(it["resource"], ["get"]) for it in WATCHED["pullSecrets"]]
    for arguments, expected in ((given, []), (given + more, expected)):
        objects = charts.render("helm4", *arguments)
        kind, name = ("Role", "-watch") if namespaced else ("ClusterRole", "")
        found = rules(objects, kind, f"rec-deployment-recorder{name}")
        named = [it for it in found if set(it["resources"]) & {"secrets", "serviceaccounts"}]
        assert [(*it["resources"], it["verbs"]) for it in named] == expected
        whole = [it for it in objects if it["kind"] == "Role" and not it["metadata"]["name"].endswith("-watch")]
        assert "secrets" not in str([it["rules"] for it in whole]), "the ledger's namespace is another matter"


def test_exact_namespaces_are_read_by_name_and_not_listed(helm):
    found = rules(charts.rendered("exact-namespaces", helm), "ClusterRole", "rec-deployment-recorder")
    assert read(found) == of_kinds(*WATCHED["default"], namespaces=False)
    (by_name,) = [it for it in found if "resourceNames" in it]
    assert by_name["resourceNames"] == ["kube-system", "billing", "shop"]


def test_namespaced_nothing_is_for_the_whole_cluster(helm):
    objects = charts.rendered("namespaced", helm)
    assert not charts.of_kind(objects, "ClusterRole") + charts.of_kind(objects, "ClusterRoleBinding")
    assert all(it["metadata"].get("namespace") for it in objects)
    watching = [it for it in charts.of_kind(objects, "Role") if it["metadata"]["name"].endswith("-watch")]
    assert [it["metadata"]["namespace"] for it in watching] == ["billing", "records", "shop"]
    for role in watching:
        place = role["metadata"]["namespace"]
        owners = {("postgresql.cnpg.io", "clusters"), ("example.io", "things")}
        assert read(role["rules"]) == of_kinds(*WATCHED["default"], namespaces=False, ways=["ingress"]) | owners
        (by_name,) = [it for it in role["rules"] if "resourceNames" in it]
        assert (by_name["resources"], by_name["resourceNames"]) == (["namespaces"], [place])


def test_every_binding_is_to_a_role_beside_it_and_a_service_account_that_is_there(values):
    objects = charts.rendered(values)
    roles = {(it["kind"], it["metadata"].get("namespace"), it["metadata"]["name"]) for it in objects}
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in charts.of_kind(objects, kind):
            reference = binding["roleRef"]
            place = binding["metadata"].get("namespace")
            assert (reference["kind"], place, reference["name"]) in roles
            (subject,) = binding["subjects"]
            if values == "given-account":
                assert subject["name"] == "given"
                continue
            assert ("ServiceAccount", subject["namespace"], subject["name"]) in roles


def test_the_ledger_is_kept_by_names_alone(helm):
    found = rules(charts.rendered("everything", helm), "Role", "acme-recorder")
    by_verbs = {(it["resources"][0], *it["verbs"]): it.get("resourceNames") for it in found}
    shards = ["acme-ledger", *(f"acme-ledger-{number}" for number in range(256))]
    assert by_verbs == {
        ("namespaces", "get"): ["elsewhere"],
        ("leases", "create"): None,
        ("leases", "get", "update"): ["acme-ledger"],
        ("configmaps", "create"): None,
        ("configmaps", "get", "update"): shards,
    }


def test_events_may_be_created_only_where_they_are_wanted(helm):
    def creates(*given):
        objects = charts.render(helm, "--values", charts.values_files()["minimal"], *given)
        roles = charts.of_kind(objects, "ClusterRole") + charts.of_kind(objects, "Role")
        found = [(it["metadata"]["name"], rule) for it in roles for rule in it["rules"] if "events" in rule["resources"]]
        assert all(rule == {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]} for _, rule in found)
        return [name for name, _ in found]

    assert creates() == []
    assert creates("--set", "config.events=true,config.dryRun=true") == []
    assert creates("--set", "config.events=true") == ["rec-deployment-recorder"]
    namespaced = "config.events=true,rbac.namespaced=true,config.namespaces={a,b}"
    assert creates("--set", namespaced) == ["rec-deployment-recorder-watch"] * 2


def test_who_gives_rights_by_hand_gets_none():
    objects = charts.rendered("no-rights")
    assert {it["kind"] for it in objects} == {"Deployment", "Job"}
    for pod in charts.pods(objects).values():
        assert pod["spec"]["serviceAccountName"] == "given"


def test_only_pods_of_the_program_get_a_token_of_the_service_account():
    for pod in charts.pods(charts.rendered("sandbox")).values():
        is_sandbox = pod["metadata"]["labels"]["app.kubernetes.io/component"] == "sandbox"
        assert pod["spec"]["automountServiceAccountToken"] is not is_sandbox
        assert ("serviceAccountName" in pod["spec"]) is not is_sandbox
    for account in charts.of_kind(charts.rendered("sandbox"), "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
