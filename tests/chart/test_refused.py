"""Values that are wrong, unknown or missing are refused, with a sentence that names them."""

import copy
import json
from functools import cache

import charts
import jsonschema
import pytest
import yaml

BASE = charts.values_files()["minimal"]

# What is given, and what is said of it.
WRONG = [
    # Forms.
    ("config.org=acme/shop", 'config.org is "acme/shop": the name of an organization has 1 to 39'),
    ("config.org=-acme", 'config.org is "-acme"'),
    ("config.cluster=prod eu", 'config.cluster is "prod eu": the name of a cluster has'),
    ("config.interval=5 apples!", "config.interval is"),
    ("config.interval=never", "config.interval is"),
    ("config.idleAfter=sometimes", "allowed is a duration such as 30s, 5m or 1h30m, 0s to 10000h, or never"),
    ("config.timeout=30", 'config.timeout is "30": allowed is a duration such as 30s'),
    ("config.interval=4s", 'config.interval is "4s": allowed is a duration such as 30s, 5m or 1h30m, 5s to 24h'),
    ("config.interval=24h1s", 'config.interval is "24h1s"'),
    ("config.interval=1d", 'config.interval is "1d"'),
    ("config.interval=30s5m", 'config.interval is "30s5m"'),
    ("config.timeout=11m", 'config.timeout is "11m": allowed is a duration such as 30s, 5m or 1h30m, 1s to 10m'),
    ("config.massDecommissionHold=25h", 'config.massDecommissionHold is "25h"'),
    ("config.idleAfter=10001h", 'config.idleAfter is "10001h": allowed is a duration'),
    ("config.nameTemplate=web", 'config.nameTemplate is "web": allowed is a text with placeholders'),
    ("config.dnTemplate=a-{namespace", 'config.dnTemplate is "a-{namespace"'),
    ("config.namespaces={a.b}", 'config.namespaces has "a.b": a namespace has 1 to 63 lower-case letters'),
    ("config.namespaces=Shop", 'config.namespaces has "Shop"'),
    ("config.excludeNamespaces={-a*}", 'config.excludeNamespaces has "-a*"'),
    ("config.cluster=..", 'config.cluster is ".."'),
    ("config.organizationLabel=a b", 'config.organizationLabel is "a b"'),
    ("config.organizationMap={ghcr.io}", 'config.organizationMap has "ghcr.io": allowed is REGEX=ORG'),
    ("config.organizationMap={=acme}", 'config.organizationMap has "=acme"'),
    ("config.organizationMap={a=b_c}", 'config.organizationMap has "a=b_c"'),
    ("auth.organizations.a_b.existingSecret=x", 'auth.organizations has "a_b": the name of an organization has 1 to 39'),
    ("auth.organizations.a.apiToken=x,auth.organizations.A.apiToken=x", "twice: letter case makes no other"),
    ("auth.organizations.tools.key=x", "auth.organizations.tools.existingSecret is missing: "),
    ("auth.organizations.a.existingSecret=x,auth.organizations.a.apiToken=y", "auth.organizations.a has existingSecret and"),
    ("auth.organizations.a.existingSecret=X", "auth.organizations.a.existingSecret is not of its form"),
    ("auth.organizations.a.existingSecret=x,auth.organizations.a.key=b/c", "auth.organizations.a.key is not of its form"),
    ("extraArgs={--org-token-file=a=/b}", "extraArgs has --org-token-file, which is for auth.organizations to set"),
    ("extraArgs={--interval=5m}", "extraArgs has --interval, which is for config.interval to set"),
    ("extraArgs={--kinds,pods}", "extraArgs has --kinds, which is for config.kinds to set"),
    ("extraArgs={--github-token-file=/a}", "extraArgs has --github-token-file, which is for auth to set"),
    ("decommissionJob.extraArgs={--org=a}", "decommissionJob.extraArgs has --org, which is for config.org to set"),
    (
        "extraArgs={--ledger-namespace=a},decommissionOnUninstall=true",
        "extraArgs has --ledger-namespace, but decommissionOnUninstall needs the ledger beside the recorder",
    ),
    ("auth.existingSecret=,extraEnv[0].name=TZ", "auth.existingSecret is missing: "),
    ("auth.existingSecret=,extraArgs={--context=a}", "auth.existingSecret is missing: "),
    ("config.apiVersion=latest", 'config.apiVersion is "latest": allowed is a day such as 2022-11-28'),
    ("config.baseUrl=ftp://api.github.com", "config.baseUrl is not of its form: allowed is a host"),
    ("config.baseUrl=http://api.github.com", "config.baseUrl begins with http://"),
    ("config.ledgerName=Ledger", 'config.ledgerName is "Ledger"'),
    ("config.logicalEnvironmentLabel=a b", 'config.logicalEnvironmentLabel is "a b"'),
    ("config.namespace=Shop", 'config.namespace is "Shop"'),
    ("config.kinds={deployment}", 'config.kinds or config.addKinds has "deployment", which is no kind'),
    ("config.addKinds=job", 'has "job", which is no kind: allowed are cronjobs, daemonsets'),
    ("image.tag=a b", 'image.tag is "a b"'),
    ("image.digest=abc", 'image.digest is "abc": allowed is sha256: and 64 hexadecimal digits'),
    ("sandbox.image.digest=abc", "sandbox.image.digest is"),
    ("auth.existingSecret=my secret", "auth.existingSecret is not of its form"),
    ("auth.secretKeys.token=a/b", "auth.secretKeys.token is not of its form: a key of a Secret"),
    ("auth.githubApp.installId=mine", "auth.githubApp.installId is not of its form: allowed is a number"),
    ("caBundle.key=a/b", 'caBundle.key is "a/b"'),
    ("namespaceOverride=a.b", 'namespaceOverride is "a.b"'),
    ("fullnameOverride=A", 'fullnameOverride is "A"'),
    ("nameOverride=-a", 'nameOverride is "-a"'),
    ("serviceAccount.name=A", 'serviceAccount.name is "A"'),
    ("config.ledgerName=mine-0", 'config.ledgerName is "mine-0": it would be a part of the ledger "mine"'),
    ("config.ledgerName=mine-255", 'config.ledgerName is "mine-255": it would be'),
    ("fullnameOverride=mine-17", 'the name of the ledger, "mine-17" as the full name is, would be a part of the ledger "mine"'),
    # What does not go together.
    ("config.namespace=a,config.namespaces={b}", "config.namespaces and config.namespace are both given"),
    ("config.nameTemplate=a,config.dnTemplate=b", "config.nameTemplate and config.dnTemplate are both given"),
    ("auth.apiToken=secret-1", "auth.existingSecret and auth.apiToken are both given"),
    ("auth.apiTokenSecret=a", "auth.existingSecret and auth.apiTokenSecret are both given"),
    ("auth.existingSecret=", "auth.existingSecret is missing: the name of a Secret with GitHub's token"),
    ("auth.existingSecret=,auth.githubApp.appId=1", "with the private key of the GitHub App"),
    ("auth.existingSecret=,auth.githubApp.privateKey=x", "auth.githubApp.appId is missing"),
    ("auth.githubApp.installId=1", "auth.githubApp.appId is missing"),
    ("auth.existingSecret=,auth.apiToken=a,auth.secretKeys.appId=id", "auth.secretKeys.appId is a key in"),
    ("config.usePullSecrets=true", "config.usePullSecrets is true, but config.readImageLabels is false"),
    ("rbac.namespaced=true", "rbac.namespaced is true, but config.namespaces is empty"),
    (
        "rbac.ownerPresets={argo},config.kinds={deployments}",
        "rbac.owners is given, but config.kinds has neither others nor jobs",
    ),
    (
        "rbac.owners[0].apiGroup=a.io,rbac.owners[0].resources={as},rbac.create=false",
        "rbac.owners is given, but rbac.create is false",
    ),
    ("rbac.namespaced=true,config.namespaces={a*}", "rbac.namespaced is true, but config.namespaces has a *"),
    (
        "rbac.namespaced=true,config.namespaces={a},config.excludeNamespaces={b}",
        "rbac.namespaced is true, but config.excludeNamespaces is given",
    ),
    (
        "rbac.namespaced=true,config.namespaces={a},config.namespaceSelector=b",
        "rbac.namespaced is true, but config.namespaceSelector is given",
    ),
    ("proxy.httpsProxy=http://u:secret-1@proxy", "proxy.httpsProxy has a password"),
    ("caBundle.existingSecret=a,caBundle.existingConfigMap=b", "caBundle.existingConfigMap and caBundle.exi"),
]

# Helm takes null for "as if it were not there", the default included.
NULL = [
    ("replicaCount=null", "replicaCount is required", "missing property 'replicaCount'"),
    ("networkPolicy.apiServer.ports=null", "ports is required", "at '/networkPolicy/apiServer': missing property 'ports'"),
    ("networkPolicy=null", "networkPolicy is required", "missing property 'networkPolicy'"),
    ("config.metricsPort=null", "config: metricsPort is required", "at '/config': missing property 'metricsPort'"),
    ("podLabels=null", "podLabels is required", "missing property 'podLabels'"),
    ("auth.githubApp=null", "auth: githubApp is required", "at '/auth': missing property 'githubApp'"),
    ("config.images[0]=null", "config.images.0: Invalid type", "at '/config/images/0': got null"),
    ("podAnnotations.a=null", "podAnnotations.a: Invalid type", "at '/podAnnotations/a': got null"),
]

# The words of the schema differ with the version of Helm; each names the value.
UNKNOWN = [
    ("replicas=2", "(root): Additional property replicas is", "additional properties 'replicas' not allowed"),
    ("config.organization=a", "config: Additional property organization", "at '/config': additional properties"),
    ("auth.token=a", "auth: Additional property token", "at '/auth': additional properties 'token'"),
    ("image.name=a", "image: Additional property name", "at '/image': additional properties 'name'"),
    ("config.logLevel=loud", "config.logLevel must be one of", "at '/config/logLevel': value must be one of"),
    ("config.logFormat=xml", "config.logFormat must be one of", "at '/config/logFormat': value must be one of"),
    ("image.pullPolicy=Maybe", "image.pullPolicy must be one of", "at '/image/pullPolicy': value must be one of"),
    ("service.type=Other", "service.type must be one of", "at '/service/type': value must be one of"),
    ("config.metricsPort=99999", "config.metricsPort: Must be less", "at '/config/metricsPort': maximum"),
    ("config.metricsPort=http", "config.metricsPort: Invalid type", "at '/config/metricsPort': got string"),
    ("config.dryRun=maybe", "config.dryRun: Invalid type", "at '/config/dryRun': got string, want boolean"),
    ("replicaCount=-1", "replicaCount: Must be greater", "at '/replicaCount': minimum"),
    ("extraEnv.A=b", "extraEnv: Invalid type", "at '/extraEnv': got object, want array"),
    ("podLabels.a=1", "podLabels.a: Invalid type", "at '/podLabels/a': got number, want string"),
    ("podLabels.a=-b", "podLabels.a: Does not match pattern", "at '/podLabels/a': '-b' does not match pattern"),
    ("imagePullSecrets[0].nome=a", "imagePullSecrets.0: name is required", "at '/imagePullSecrets/0': missing property"),
    ("rbac.ownerPresets={flux}", "rbac.ownerPresets.0 must be one of", "at '/rbac/ownerPresets/0': value must be one of"),
    ("rbac.owners[0].apiGroup=a.io", "rbac.owners.0: resources is required", "at '/rbac/owners/0': missing property"),
    (
        "rbac.owners[0].apiGroup=*,rbac.owners[0].resources={as}",
        "rbac.owners.0.apiGroup: Does not match pattern",
        "at '/rbac/owners/0/apiGroup': '*' does not match pattern",
    ),
    (
        "rbac.owners[0].apiGroup=a.io,rbac.owners[0].resources={as/status}",
        "rbac.owners.0.resources.0: Does not match pattern",
        "at '/rbac/owners/0/resources/0': 'as/status' does not match pattern",
    ),
    ("strategy.type=Slow", "strategy.type must be one of", "at '/strategy/type': value must be one of"),
]


def refused(helm, given="", values=BASE):
    """Why Helm refuses the values; nothing if it takes them."""
    arguments = ["--values", values] if values else []
    try:
        charts.render(helm, *arguments, "--set", given)
    except charts.Refused as said:
        return str(said)
    return ""


@cache
def all_refused():
    """The same for all of `WRONG` and `UNKNOWN` at once, by version of Helm and what was given."""
    given = [it[0] for it in WRONG + UNKNOWN + NULL]
    return charts.side_by_side(refused, [(helm, it) for helm in charts.HELMS for it in given])


def test_all_that_an_install_needs_is_named_at_once(helm):
    said = refused(helm, values=None)
    for name in ("config.org", "config.cluster", "config.logicalEnvironment", "auth.existingSecret"):
        assert f"{name} is missing: " in said


@pytest.mark.parametrize("name", ["org", "cluster", "logicalEnvironment"])
def test_what_lacks_is_named_alone(helm, name):
    said = refused(helm, f"config.{name}=")
    assert [line for line in said.splitlines() if " is missing" in line] == [
        line for line in said.splitlines() if line.startswith(f"config.{name} is missing: ")
    ]
    assert f"config.{name} is missing: " in said


@pytest.mark.parametrize("given, words", WRONG)
def test_what_is_wrong_is_named_in_a_sentence(helm, given, words):
    said = all_refused()[helm, given]
    assert words in said
    assert "secret-1" not in said


def test_all_that_is_wrong_is_said_at_once(helm):
    said = refused(helm, "config.org=a/b,config.interval=x,image.digest=y")
    for name in ("config.org", "config.interval", "image.digest"):
        assert f"{name} is " in said


@pytest.mark.parametrize("given, helm3, helm4", UNKNOWN + NULL)
def test_the_schema_names_the_value(helm, given, helm3, helm4):
    assert {"helm3": helm3, "helm4": helm4}[helm] in all_refused()[helm, given]


def test_more_replicas_without_leader_election_are_refused_by_the_schema(helm):
    said = refused(helm, "replicaCount=2,leaderElection.enabled=false")
    assert "leaderElection.enabled" in said or "/leaderElection/enabled" in said
    assert "specifications of the schema" in said


def test_more_replicas_without_leader_election_are_refused_where_no_schema_is_looked_at(helm):
    given = ["--skip-schema-validation", "--values", BASE]
    given += ["--set", "replicaCount=2,leaderElection.enabled=false"]
    with pytest.raises(charts.Refused, match="replicaCount is 2, but leaderElection.enabled is false: only one"):
        charts.render(helm, *given)


@pytest.mark.parametrize(
    "name, given",
    [
        ("interval", "5s"), ("interval", "24h"), ("interval", "1h30m"), ("interval", "1h 30min"), ("timeout", "10 minutes"),
        ("idleAfter", "0s"), ("idleAfter", "never"), ("massDecommissionHold", "24h"), ("nameTemplate", "{namespace}"),
        ("nameTemplate", "{ kind }/{{ workload }}-x"), ("namespaces", "a*b"), ("namespaces", "*"), ("cluster", "..."),
    ],
)  # fmt: skip
def test_what_the_program_takes_is_taken(name, given):
    assert charts.render("helm4", "--values", BASE, "--set-json", f"config.{name}={json.dumps(given)}")


def test_a_template_of_names_with_an_unknown_placeholder_is_refused(helm, tmp_path):
    for given in ("{pod}", "{{namespace}", "{namespace}}", "{namespace}\t"):
        (tmp_path / "more.yaml").write_text(yaml.safe_dump({"config": {"nameTemplate": given}}))
        with pytest.raises(charts.Refused, match="config.nameTemplate is "):
            charts.render(helm, "--values", BASE, "--values", tmp_path / "more.yaml")


def test_a_release_whose_name_is_that_of_a_part_of_another_ledger_is_told_what_to_set(helm):
    given = ["--values", BASE]
    with pytest.raises(charts.Refused, match='"deployment-recorder-2" as the full name is, .*: set config.ledgerName'):
        charts.render(helm, *given, release="deployment-recorder-2")
    assert charts.render(helm, *given, "--set", "config.ledgerName=second", release="deployment-recorder-2")


@pytest.mark.parametrize("name", ["mine-256", "mine-00", "mine-01", "mine-1000", "mine-x1", "mine1", "0-mine"])
def test_what_only_looks_like_a_part_of_a_ledger_is_taken(name):
    assert charts.render("helm4", "--values", BASE, "--set", f"config.ledgerName={name}")


# Objects of any keys that have some by default: given as null they have none.
EMPTIED = (
    "podSecurityContext", "securityContext", "resources", "livenessProbe", "readinessProbe", "dashboards.labels",
    "sandbox.resources",
)  # fmt: skip


def test_an_object_of_any_keys_is_emptied_by_null(helm):
    given = ["--values", charts.values_files()["sandbox"], "--set", ",".join(f"{it}=null" for it in EMPTIED)]
    given += ["--set", "dashboards.enabled=true"]
    objects = charts.render(helm, *given)
    for pod in charts.pods(objects).values():
        for container in pod["spec"]["containers"]:
            assert not {"securityContext", "resources"} & container.keys() and "securityContext" not in pod["spec"]
    assert not {"livenessProbe", "readinessProbe"} & charts.recorder(objects).keys()
    assert "grafana_dashboard" not in charts.one(objects, "ConfigMap")["metadata"]["labels"]


def paths(values, schema, here=()):
    """The path of each value that the schema knows by its name."""
    for key, value in values.items():
        yield (*here, key)
        if isinstance(value, dict) and "properties" in schema["properties"][key]:
            yield from paths(value, schema["properties"][key], (*here, key))


def test_whatever_is_null_is_refused_by_its_name_unless_that_is_its_default():
    schema = json.loads((charts.CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((charts.CHART / "values.yaml").read_text())
    judge = jsonschema.Draft7Validator(schema)
    assert not list(judge.iter_errors(defaults))
    taken, refused = set(), 0
    for *parents, key in paths(defaults, schema):
        left = copy.deepcopy(defaults)
        inner = left
        for parent in parents:
            inner = inner[parent]
        del inner[key]
        errors = [error for error in judge.iter_errors(left) if error.validator == "required"]
        if errors:
            (error,) = errors
            assert (list(error.absolute_path), error.message) == (parents, f"'{key}' is a required property")
            refused += 1
        else:
            taken.add(".".join((*parents, key)))
    assert refused > 150
    assert taken == {
        "global", "global.imageRegistry", "global.imagePullSecrets", "config.workers", "config.bulkClusterSync",
        *EMPTIED,
    }  # fmt: skip


@pytest.mark.parametrize("given", ["global=null", "global.imageRegistry=null", "global.imagePullSecrets=null"])
def test_of_the_values_of_all_charts_null_is_as_good_as_nothing(helm, given):
    assert charts.render(helm, "--values", BASE, "--set", given) == charts.rendered("minimal", helm)


def test_a_single_field_of_an_object_of_kubernetes_can_be_left_out(helm):
    given = ",".join(f"podSecurityContext.{key}=null" for key in ("runAsUser", "runAsGroup", "fsGroup"))
    objects = charts.render(helm, "--values", BASE, "--set", given)
    context = charts.one(objects, "Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_what_is_free_of_form_is_taken(helm):
    given = ["--values", BASE, "--set", "global.mine.a=1,enabled=true,podSecurityContext.x=1"]
    assert charts.render(helm, *given)
