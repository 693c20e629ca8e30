"""What is generated is current, and says what it is made from."""

import charts
import generate
import pytest
import schemas
import security
import yaml

VALUES = generate.commented_values((charts.CHART / "values.yaml").read_text())

# Which flag a value becomes, for those whose comment names the program's default.
DEFAULTS = {
    "config.nameTemplate": "name-template",
    "config.interval": "interval",
    "config.idleAfter": "idle-after",
    "config.massDecommissionHold": "mass-decommission-hold",
    "config.baseUrl": "github-api-url",
    "config.apiVersion": "github-api-version",
    "config.timeout": "github-timeout",
}


def leaves(node, path=()):
    """The names of all values, but what is within a value that has a comment."""
    documented = {value.path for value in VALUES}
    if path in documented or not isinstance(node, dict):
        return {path}
    return set().union(*(leaves(below, (*path, key)) for key, below in node.items()))


@pytest.mark.parametrize("file", generate.generated(), ids=lambda file: file.name)
def test_a_generated_file_is_current(file):
    assert file.read_text() == generate.generated()[file], "write it again: make generate"


def test_every_value_has_a_comment():
    defaults = yaml.safe_load((charts.CHART / "values.yaml").read_text())
    assert leaves(defaults) == {value.path for value in VALUES}


def test_schema_and_values_have_the_same_names():
    import json

    def names(node, path=()):
        found = {path} if path else set()
        for key, below in node.get("properties", {}).items():
            found |= names(below, (*path, key))
        return found

    schema = json.loads(generate.SCHEMA.read_text())
    documented = {value.path for value in VALUES}
    above = {path[:length] for path in documented for length in range(1, len(path))}
    # `enabled` is the condition of a chart above this one; what is below a documented object is Kubernetes'.
    below = {path for path in names(schema) if any(path[:length] in documented for length in range(1, len(path)))}
    assert names(schema) - below == documented | above | {("enabled",)}


def test_objects_of_the_schema_are_closed_unless_they_are_free_of_form():
    import json

    def open_objects(node, path=()):
        found = []
        if node.get("type") == "object" and node.get("additionalProperties") is None:
            found.append(".".join(path))
        for key, below in node.get("properties", {}).items():
            found += open_objects(below, (*path, key))
        return found

    free = {
        "global", "lifecycle", "strategy", "podSecurityContext", "securityContext", "resources", "affinity",
        "dnsConfig", "livenessProbe", "readinessProbe", "startupProbe", "sandbox.resources",
    }  # fmt: skip
    assert set(open_objects(json.loads(generate.SCHEMA.read_text()))) == free


def test_a_comment_names_the_programs_own_default():
    by_name = {value.name: value.text for value in VALUES}
    for name, flag in DEFAULTS.items():
        usual = charts.FLAGS["run"][flag]
        assert f"[{usual}]" in by_name[name] or f"[`{usual}`]" in by_name[name], name


def test_a_value_without_a_comment_or_a_file_that_is_old_would_be_found():
    text = "# @section A\n\n# -- One.\n# More of it.\na: 1\nb:\n  # -- Two.\n  c: {x: 1}\n  d: 2\n"
    found = [(value.section, value.name, value.text, value.default) for value in generate.commented_values(text)]
    assert found == [("A", "a", "One. More of it.", 1), ("A", "b.c", "Two.", {"x": 1})]


@pytest.mark.parametrize("file", ["manifest.yaml", "rbac.yaml", "rbac-namespaced.yaml"])
def test_what_is_for_kubectl_is_valid_and_has_no_trace_of_helm(file):
    text = (generate.DEPLOY / file).read_text()
    assert "helm.sh" not in text and "managed-by" not in text and "Rendered from" in text
    objects = charts.load(text)
    assert objects[0]["kind"] == "Namespace"
    for it in objects:
        for version in schemas.VERSIONS:
            assert schemas.problem(version, it) is None
        assert it["kind"] != "Namespace" or it["metadata"]["name"] == "deployment-recorder"
    for pod in charts.pods(objects).values():
        assert security.restricted(pod) == []


def test_the_manifest_names_in_its_head_all_that_must_be_set():
    text = (generate.DEPLOY / "manifest.yaml").read_text()
    head = text[: text.index("apiVersion")]
    (deployment,) = charts.of_kind(charts.load(text), "Deployment")
    container = charts.recorder([deployment])
    for flag in ("org", "cluster", "logical-environment"):
        placeholder = charts.flags(container)[flag]
        assert placeholder.isupper() and f"s/={placeholder}/=" in head
        assert text.count(f"={placeholder}\"") == 1
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    assert f"create secret generic {volume['secret']['secretName']}" in head
