"""What is rendered, with every file of values and both versions of Helm, is what Kubernetes takes."""

from functools import cache

import charts
import pytest
import schemas
import security
import yaml


def test_it_renders_and_each_object_is_valid_in_every_version_of_kubernetes(objects):
    # What others define has schemas of its own.
    own = [it for it in objects if "monitoring.coreos.com" not in it["apiVersion"]]
    assert own
    for version in schemas.VERSIONS:
        for it in own:
            named = f"{it['kind']} {it['metadata']['name']} in {version}"
            assert schemas.problem(version, it) is None, named


def test_a_field_that_kubernetes_does_not_know_would_be_found():
    deployment = charts.one(charts.rendered("minimal"), "Deployment")
    broken = deployment | {"spec": deployment["spec"] | {"replica": 1}}
    for version in schemas.VERSIONS:
        assert "replica" in schemas.problem(version, broken)
    with pytest.raises(schemas.Unknown):
        schemas.problem("1.33", deployment | {"kind": "Deploymant"})


def test_both_versions_of_helm_render_the_same(values):
    by_version = [
        {(it["kind"], it["metadata"]["name"], it["metadata"].get("namespace")): it for it in objects}
        for objects in (charts.rendered(values, version) for version in charts.HELMS)
    ]
    assert by_version[0] == by_version[1]


def test_no_object_is_there_twice_and_all_are_in_the_namespace_of_the_release(values):
    objects = charts.rendered(values)
    keys = [(it["kind"], it["metadata"].get("namespace"), it["metadata"]["name"]) for it in objects]
    assert len(keys) == len(set(keys))
    at_home = "elsewhere" if values == "everything" else charts.NAMESPACE
    for kind, namespace, name in keys:
        watching = kind in ("Role", "RoleBinding") and name.endswith("-watch")
        if kind in ("ClusterRole", "ClusterRoleBinding") or watching or values == "everything":
            continue
        assert namespace == at_home, (kind, name)


def test_names_and_labels_fit_kubernetes(values):
    for it in charts.rendered(values):
        assert len(it["metadata"]["name"]) <= 63
        for key, value in (it["metadata"].get("labels") or {}).items():
            assert len(value) <= 63, key


def test_the_longest_names_of_a_release_fit_too(helm):
    for release in ("a" * 53, "a.b-" * 13):
        arguments = ["--values", charts.values_files()["namespaced"], "--set", "sandbox.enabled=true"]
        for it in charts.render(helm, *arguments, release=release.strip("-.")):
            for version in schemas.VERSIONS[-1:]:
                assert schemas.problem(version, it) is None
            assert len(it["metadata"]["name"]) <= 63
            assert "." not in it["metadata"]["name"]


def test_a_chart_that_names_this_one_in_capitals_gets_names_that_kubernetes_takes(helm, tmp_path):
    above = tmp_path / "above"
    (above / "charts").mkdir(parents=True)
    (above / "charts" / "deployment-recorder").symlink_to(charts.CHART)
    about = {"apiVersion": "v2", "name": "above", "version": "1.0.0"}
    needed = {"name": "deployment-recorder", "version": charts.VERSION, "alias": "ourRecorder"}
    (above / "Chart.yaml").write_text(yaml.safe_dump(about | {"dependencies": [needed]}))
    given = yaml.safe_load(charts.values_files()["minimal"].read_text())
    (above / "values.yaml").write_text(yaml.safe_dump({"ourRecorder": given}))
    objects = charts.render(helm, chart=above)
    for it in objects:
        assert schemas.problem(schemas.VERSIONS[-1], it) is None
        assert it["metadata"]["name"] == it["metadata"]["name"].lower()
    assert charts.recorder(objects)


def test_names_that_yaml_takes_for_numbers_stay_names(helm):
    given = ["--values", charts.values_files()["sandbox"], "--set-string", "config.ledgerName=1e3"]
    given += ["--set-string", "serviceAccount.name=12", "--set", "rbac.namespaced=true"]
    given += ["--set-string", "config.namespaces={0x10}"]
    objects = charts.render(helm, *given, release="123", namespace="456")
    for it in objects:
        assert schemas.problem(schemas.VERSIONS[-1], it) is None, it["metadata"]
        assert it["metadata"]["namespace"] in ("456", "0x10")
        # Names of Services begin with a letter.
        assert it["metadata"]["name"][0].isalpha() or it["kind"] == "ServiceAccount"
    for it in charts.of_kind(objects, "Deployment") + charts.of_kind(objects, "Service"):
        selector = it["spec"]["selector"]
        assert selector.get("matchLabels", selector)["app.kubernetes.io/instance"] == "123"
    names = [name for it in charts.of_kind(objects, "Role") for rule in it["rules"] for name in rule.get("resourceNames", [])]
    assert {"456", "0x10", "1e3", "1e3-0"} < set(names)
    assert all(isinstance(name, str) for name in names)


def test_pods_pass_pod_security_restricted_with_a_read_only_root(values):
    found = charts.pods(charts.rendered(values))
    assert found
    for named, pod in found.items():
        assert security.restricted(pod) == [], named
        for container in pod["spec"]["containers"]:
            if container["name"] != "beside":
                assert container["securityContext"]["readOnlyRootFilesystem"] is True, named
        assert pod["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize(
    "change, found",
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume v: hostPath"),
        ({"volumes": [{"name": "v", "nfs": {}}]}, "volume v: ['nfs']"),
        ({"securityContext": {"runAsNonRoot": True}}, "recorder: seccompProfile"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "the pod: seccompProfile Unconfined"),
        ({"securityContext": {"runAsUser": 0}}, "the pod: runAsUser 0"),
        ({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}]}}, "sysctl kernel.msgmax"),
        ({"initContainers": [{"name": "i"}]}, "i: allowPrivilegeEscalation"),
        ({"initContainers": [{"name": "i"}]}, "i: capabilities.drop"),
        ({"ephemeralContainers": [{"name": "i", "securityContext": {"privileged": True}}]}, "i: privileged"),
        ({"containers": [{"name": "c", "ports": [{"hostPort": 1}]}]}, "c: hostPort"),
    ],
)
def test_what_pod_security_refuses_would_be_found(change, found):
    pod = charts.one(charts.rendered("minimal"), "Deployment")["spec"]["template"]
    assert security.restricted(pod) == []
    assert found in security.restricted(pod | {"spec": pod["spec"] | change})


def test_selectors_are_labels_of_the_pods_and_of_no_others(values):
    objects = charts.rendered(values)
    templates = {named: pod["metadata"].get("labels", {}) for named, pod in charts.pods(objects).items()}

    def selected(selector):
        return [named for named, labels in templates.items() if selector.items() <= labels.items()]

    for it in charts.of_kind(objects, "Deployment"):
        assert selected(it["spec"]["selector"]["matchLabels"]) == [f"Deployment {it['metadata']['name']}"]
    for it in charts.of_kind(objects, "Service"):
        assert selected(it["spec"]["selector"]) == [f"Deployment {it['metadata']['name']}"]
    for it in charts.of_kind(objects, "PodDisruptionBudget"):
        assert len(selected(it["spec"]["selector"]["matchLabels"])) == 1, it["metadata"]["name"]


def test_labels_are_those_that_kubernetes_recommends(values):
    for it in charts.rendered(values):
        if it["metadata"]["name"].endswith(("-extra", "-text")):
            continue
        labels = it["metadata"]["labels"]
        for name in ("name", "instance", "version", "component", "part-of", "managed-by"):
            assert f"app.kubernetes.io/{name}" in labels
        assert labels["helm.sh/chart"] == f"deployment-recorder-{charts.VERSION}"
        assert values != "everything" or labels["team"] == "platform"
    for pod in charts.pods(charts.rendered(values)).values():
        assert "helm.sh/chart" not in pod["metadata"]["labels"] or pod.get("kind") == "Pod"


@cache
def all_linted():
    """What a lint says, by file of values and version of Helm."""

    def linted(values, helm):
        return charts.helm(helm, "lint", "--strict", charts.CHART, "--values", charts.values_files()[values])

    return charts.side_by_side(linted, [(name, helm) for name in charts.values_files() for helm in charts.HELMS])


def test_a_lint_finds_nothing(values, helm):
    said = str(all_linted()[values, helm])
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said and "[ERROR]" not in said


def test_a_package_holds_all_that_is_needed_and_renders_the_same(helm, tmp_path):
    charts.helm(helm, "package", charts.CHART, "--destination", tmp_path)
    (package,) = tmp_path.iterdir()
    assert package.name == f"deployment-recorder-{charts.VERSION}.tgz"
    values = ["--values", charts.values_files()["narrow"]]
    assert charts.render(helm, *values, chart=package) == charts.rendered("narrow", helm)
    shown = charts.helm(helm, "show", "readme", package)
    assert "`config.org`" in shown
