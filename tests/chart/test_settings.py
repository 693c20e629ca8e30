"""What `config` becomes: every flag of the program can be set by the chart, and becomes what was meant."""

import json

import charts
import pytest
import yaml

# The flags of `run` that no value sets, each with the reason.
ELSEWHERE = {
    "context": "there is no kubeconfig in a pod",
    "kubeconfig": "there is no kubeconfig in a pod",
    "ledger-namespace": "it is the namespace of the pod, where the Role for it is",
    "leader-elect": "decided by replicaCount and leaderElection.enabled",
}


def args(*sets, values="minimal", helm="helm4"):
    """The recorder's flags for one file of values and more."""
    given = ["--values", charts.values_files()[values], *(part for it in sets for part in ("--set", it))]
    return charts.flags(charts.recorder(charts.render(helm, *given)))


def rendered_flags() -> set:
    """Every flag of `run` that some values of the matrix set."""
    return {
        flag
        for name in charts.values_files()
        for flag in charts.flags(charts.recorder(charts.rendered(name)))
    }


def test_every_flag_of_run_can_be_set_by_a_value():
    lacking = charts.FLAGS["run"].keys() - rendered_flags() - ELSEWHERE.keys()
    assert lacking == set(), "give them values in config, and set them in tests/chart/values/everything.yaml"
    assert ELSEWHERE.keys() <= charts.FLAGS["run"].keys()


def test_no_flag_is_given_that_the_program_does_not_have():
    extra = {"context"}
    assert rendered_flags() - charts.FLAGS["run"].keys() - extra == set()
    for name in charts.values_files():
        for kind, component, command in (("Job", "decommission", "decommission"), ("Pod", "check", "check")):
            for it in charts.of_kind(charts.rendered(name), kind, component):
                (container,) = charts.pods([it]).popitem()[1]["spec"]["containers"]
                assert container["args"][0] == command
                assert charts.flags(container).keys() <= charts.FLAGS[command].keys(), name


def given_by_hand(*arguments, more=None):
    """The objects with these arguments in extraArgs."""
    given = {"extraArgs": list(arguments), "decommissionOnUninstall": True, **(more or {})}
    sets = [part for key, value in given.items() for part in ("--set-json", f"{key}={json.dumps(value)}")]
    return charts.render("helm4", "--values", charts.values_files()["minimal"], *sets)


@pytest.mark.parametrize("flag", charts.FLAGS["run"])
def test_a_flag_that_a_value_sets_cannot_be_given_a_second_time(flag):
    if flag in ELSEWHERE.keys() - {"leader-elect"}:
        assert given_by_hand(f"--{flag}=records")
    else:
        with pytest.raises(charts.Refused, match=f"extraArgs has --{flag}, which is for (config|auth|leaderElection)"):
            given_by_hand(f"--{flag}=a")


def test_the_job_at_the_end_gets_what_is_given_by_hand_of_who_signs_in_and_where_the_ledger_is():
    given = ["--ledger-namespace=records", "--context", "a", "--github-app-id=1", "--github-app-private-key-file", "/f"]
    more = {"auth.existingSecret": "", "decommissionJob.extraArgs": ["--lease-timeout=5m"]}
    objects = given_by_hand(*given, more=more)
    args = charts.pods([charts.one(objects, "Job")]).popitem()[1]["spec"]["containers"][0]["args"]
    assert args[-7:] == [*given, "--lease-timeout=5m"]
    assert charts.recorder(objects)["args"][-6:] == given
    # What `run` has alone is left out.
    shared = {it.partition("=")[0].removeprefix("--") for it in args if it.startswith("--")}
    assert shared <= charts.FLAGS["decommission"].keys()


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE"])
def test_a_variable_given_by_hand_may_sign_in(name):
    assert given_by_hand(more={"auth.existingSecret": "", "extraEnv": [{"name": name, "value": "a"}]})
    assert given_by_hand(more={"auth.existingSecret": "", "extraEnvFrom": [{"secretRef": {"name": "a"}}]})


def test_every_pod_of_the_program_has_what_an_injector_of_secrets_needs():
    prepare = {"name": "prepare", "image": "registry.example.com/prepare:1"}
    more = {"podAnnotations": {"a/b": "c"}, "podLabels": {"a/d": "e"}, "initContainers": [prepare]}
    pods = charts.pods(given_by_hand(more=more))
    assert len(pods) == 3
    for pod in pods.values():
        assert pod["metadata"]["annotations"]["a/b"] == "c" and pod["metadata"]["labels"]["a/d"] == "e"
        assert pod["spec"]["initContainers"] == [prepare]


def test_an_annotation_that_the_chart_sets_can_be_set_otherwise():
    name = "kubectl.kubernetes.io/default-container"
    objects = given_by_hand(more={"podAnnotations": {name: "mine"}})
    assert charts.one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"][name] == "mine"


def test_a_probe_that_asks_otherwise_asks_in_one_way():
    objects = given_by_hand(more={"livenessProbe.tcpSocket": {"port": "http"}})
    probe = charts.recorder(objects)["livenessProbe"]
    assert "httpGet" not in probe and probe["tcpSocket"] == {"port": "http"} and probe["periodSeconds"] == 10


def test_no_flag_is_given_twice(values):
    for pod in charts.pods(charts.rendered(values)).values():
        for container in pod["spec"]["containers"]:
            names = [it.partition("=")[0] for it in container.get("args", [])]
            assert len(names) == len(set(names))


def test_what_is_not_set_is_left_to_the_program():
    assert args() == {
        "org": "acme",
        "cluster": "prod-eu",
        "logical-environment": "production",
        "ledger-name": "rec-deployment-recorder",
        "github-token-file": "/var/run/secrets/github/token",
        "listen": ":8080",
    }


def test_what_is_set_arrives(helm):
    given = charts.flags(charts.recorder(charts.rendered("everything", helm)))
    assert given == {
        "org": "acme",
        "cluster": "prod-eu",
        "logical-environment": "production",
        "physical-environment": "eu-central-1",
        "logical-environment-label": "example.com/environment",
        "physical-environment-label": "example.com/region",
        "org-label": "example.com/organization",
        "org-map": "ghcr.io/games/.*=games\nquay.io/(a|b){1,2}/.*=$1",
        "namespaces": "shop*,billing",
        "exclude-namespaces": "shop-dev",
        "namespace-selector": "team=a",
        "selector": "app=web",
        "images": "ghcr.io/acme/*",
        "exclude-images": "ghcr.io/acme/debug",
        "image-map": "mirror.example.com/hub=docker.io",
        "repository-map": "ghcr.io/acme/([^/]+)=$1\ndocker.io/(a|b){1,2}/.*=base",
        "read-image-labels": "",
        "use-pull-secrets": "",
        "registry-allow-http": "registry.example.com:5000,10.0.0.7",
        "kinds": "deployments,others",
        "add-kinds": "jobs,pods",
        "infer-risks": "loadbalancer,ingress,gateway,nodeport",
        # The kubelet would put the pod's name in place of the variable.
        "name-template": "$$(POD_NAME)-{namespace}/{workload}/{container}",
        "storage-records": "",
        "events": "",
        "storage-exclude-registries": "docker.io,*.example.com",
        "interval": "5m",
        "idle-after": "never",
        "mass-decommission-hold": "10m",
        "github-api-url": "http://github.example.com",
        "github-api-version": "2026-03-10",
        "github-timeout": "10s",
        "github-token-file": "/var/run/secrets/github/token",
        "org-token-file": (
            "Tools=/var/run/secrets/github-organizations/Tools\n"
            "games=/var/run/secrets/github-organizations/games"
        ),
        "allow-http": "",
        "leader-elect": "",
        "ledger-name": "acme-ledger",
        "listen": ":9443",
        "log-level": "debug",
        "log-format": "text",
        "context": "none",
    }


@pytest.mark.parametrize(
    "given, url",
    [
        ("api.github.com", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com"),
        (" api.octo.ghe.com ", "https://api.octo.ghe.com"),
        ("https://github.example.com:8443/api", "https://github.example.com:8443/api"),
    ],
)
def test_the_address_of_github_may_lack_its_scheme(given, url):
    assert args(f"config.baseUrl={given}")["github-api-url"] == url


@pytest.mark.parametrize("name", ["namespaces", "excludeNamespaces", "images", "kinds", "storageExcludeRegistries"])
def test_a_list_may_be_a_list_or_a_text_with_commas(name):
    flag = {"excludeNamespaces": "exclude-namespaces", "storageExcludeRegistries": "storage-exclude-registries"}
    one, other = ("deployments", "pods") if name == "kinds" else ("a", "b")
    for given in (f"config.{name}={{{one},{other}}}", rf"config.{name}={one}\, {other}\,"):
        assert args(given)[flag.get(name, name)] == f"{one},{other}"


def test_one_replica_is_replaced_and_more_stand_by(helm):
    deployment = charts.one(charts.rendered("minimal", helm), "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert "leader-elect" not in charts.flags(charts.recorder(charts.rendered("minimal", helm)))
    deployment = charts.one(charts.rendered("two", helm), "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["type"] == "RollingUpdate"
    assert "leader-elect" in charts.flags(charts.recorder(charts.rendered("two", helm)))


def test_a_spread_is_about_the_recorders_pods_unless_it_says_otherwise():
    deployment = charts.one(charts.rendered("two"), "Deployment")
    first, second = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert first["labelSelector"] == deployment["spec"]["selector"]
    assert second["labelSelector"] == {"matchLabels": {"mine": "yes"}}


def test_probes_ask_the_port_by_its_name(values):
    container = charts.recorder(charts.rendered(values))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports["http"] == int(charts.flags(container)["listen"].lstrip(":"))
    for name, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[name]["httpGet"] == {"path": path, "port": "http"}


def test_a_probe_can_be_left_out():
    given = ["--values", charts.values_files()["minimal"], "--set", "livenessProbe=null,readinessProbe=null"]
    container = charts.recorder(charts.render("helm4", *given))
    assert not [name for name in container if name.endswith("Probe")]


def test_it_is_small_and_has_no_limit_of_the_cpu():
    resources = charts.recorder(charts.rendered("minimal"))["resources"]
    assert resources == {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}


def test_an_image_is_named_by_digest_and_from_the_registry_of_all(helm):
    digest = "sha256:" + "0123456789abcdef" * 4
    objects = charts.rendered("air-gapped", helm)
    image = charts.recorder(objects)["image"]
    assert image == f"registry.example.com:5000/mirror/deployment-recorder:{charts.VERSION}@{digest}"
    secrets = charts.one(objects, "Deployment")["spec"]["template"]["spec"]["imagePullSecrets"]
    assert secrets == [{"name": "pull"}, {"name": "pull-too"}]
    plain = charts.recorder(charts.rendered("minimal", helm))["image"]
    assert plain == charts.IMAGE


def test_a_repository_with_a_registry_is_taken_as_it_is():
    given = ["--values", charts.values_files()["air-gapped"], "--set", "image.digest="]
    for repository in ("mirror.example.com/recorder", "localhost/recorder", "localhost:5000/a/b"):
        container = charts.recorder(charts.render("helm4", *given, "--set", f"image.repository={repository}"))
        assert container["image"] == f"{repository}:{charts.VERSION}"


def test_the_chart_has_the_version_of_the_program():
    about = yaml.safe_load((charts.CHART / "Chart.yaml").read_text())
    cargo = (charts.ROOT / "Cargo.toml").read_text()
    assert f'\nversion = "{about["version"]}"\n' in cargo
    assert about["appVersion"] == about["version"]
    for image in yaml.safe_load(about["annotations"]["artifacthub.io/images"]):
        assert image["image"].endswith(f":{about['version']}")


def test_more_objects_are_templates():
    objects = charts.of_kind(charts.rendered("everything"), "ConfigMap")
    found = {it["metadata"]["name"]: it for it in objects}
    assert found["acme-recorder-extra"]["data"] == {"release": "rec"}
    assert "rec-text" in found
