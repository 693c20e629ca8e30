"""What the Prometheus operator gets: objects of its own schemas, which find the recorder and nothing else."""

import copy
import json
import subprocess
from functools import cache

import charts
import pytest
import watching
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

KINDS = ("ServiceMonitor", "PodMonitor", "PrometheusRule")
WATCHED = ("watched", "watched-pods")


def strict(schema: dict) -> dict:
    """The same schema, for which a field that it does not name is wrong, as with an API server that is asked to
    be strict."""
    schema = dict(schema)
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
        schema["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        schema["items"] = strict(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = strict(schema["additionalProperties"])
    return schema


@cache
def schemas() -> "dict[str, Draft202012Validator]":
    """The operator's schemas by kind. Metadata is Kubernetes' own matter."""
    tool = charts.ROOT / "tests" / "tools" / "operator-schemas"
    file = subprocess.run([tool], check=True, capture_output=True, text=True).stdout.strip()
    with open(file, encoding="utf-8") as opened:
        found = json.load(opened)
    for schema in found.values():
        schema["properties"]["metadata"] = {"type": "object"}
    return {kind: Draft202012Validator(strict(schema)) for kind, schema in found.items()}


def problem(it: dict) -> "str | None":
    """What the operator's schema has against an object."""
    error = best_match(schemas()[it["kind"]].iter_errors(it))
    return error and f"{error.json_path}: {error.message}"


def monitoring(objects: list) -> list:
    return [it for it in objects if it["apiVersion"] == "monitoring.coreos.com/v1"]


@pytest.mark.parametrize("values", WATCHED)
def test_each_is_valid(values, helm):
    found = monitoring(charts.rendered(values, helm))
    assert len(found) == 2
    for it in found:
        assert problem(it) is None, it["kind"]


def test_with_few_values_each_is_valid_too(helm):
    for monitor in ("serviceMonitor", "podMonitor"):
        found = monitoring(watching.rendered(f"{monitor}.enabled=true", "prometheusRule.enabled=true", version=helm))
        assert [problem(it) for it in found] == [None, None]


@pytest.mark.parametrize("kind, path, value", [
    ("ServiceMonitor", ["spec", "endpoints", 0, "intervall"], "30s"),
    ("ServiceMonitor", ["spec", "endpoints", 0, "interval"], "30 s"),
    ("ServiceMonitor", ["spec", "endpoints", 0, "relabelings"], [{"action": "change"}]),
    ("ServiceMonitor", ["spec", "selectors"], {}),
    ("PodMonitor", ["spec", "targetLabels"], ["a"]),
    ("PodMonitor", ["spec", "sampleLimit"], "many"),
    ("PrometheusRule", ["spec", "groups", 0, "rules", 0, "for"], "2 hours"),
    ("PrometheusRule", ["spec", "groups", 0, "rules", 0, "labels", "severity"], 1),
    ("PrometheusRule", ["spec", "groups", 0, "alerts"], []),
])
def test_what_the_operator_does_not_take_is_found(kind, path, value):
    objects = charts.rendered("watched") + charts.rendered("watched-pods")
    broken = copy.deepcopy(charts.of_kind(objects, kind)[0])
    at = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert problem(broken) is not None


def test_they_select_the_recorder_by_its_port_and_nothing_else():
    settings = ["sandbox.enabled=true", "decommissionOnUninstall=true", "namespaceOverride=elsewhere"]
    monitor = charts.one(watching.rendered(*settings, "serviceMonitor.enabled=true"), "ServiceMonitor")["spec"]
    (service,) = chosen(monitor, charts.of_kind(watching.rendered(*settings), "Service"))
    assert [it["name"] for it in service["spec"]["ports"]] == [monitor["endpoints"][0]["port"]]
    assert service["metadata"]["namespace"] in monitor["namespaceSelector"]["matchNames"]

    monitor = charts.one(watching.rendered(*settings, "podMonitor.enabled=true"), "PodMonitor")["spec"]
    pods = list(charts.pods(watching.rendered(*settings)).values())
    assert len(pods) == 4
    (pod,) = chosen(monitor, pods)
    assert monitor["podMetricsEndpoints"][0]["port"] in [it["name"] for it in pod["spec"]["containers"][0]["ports"]]
    assert monitor["namespaceSelector"] == {"matchNames": ["elsewhere"]}


def chosen(monitor: dict, objects: list) -> list:
    """The objects whose labels a monitor selects."""
    labels = monitor["selector"]["matchLabels"].items()
    return [it for it in objects if labels <= it["metadata"]["labels"].items()]


def test_what_is_set_arrives(helm):
    monitor = charts.one(charts.rendered("watched", helm), "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["metadata"]["annotations"] == {"example.com/owner": "platform"}
    spec = monitor["spec"]
    (endpoint,) = spec["endpoints"]
    assert endpoint["path"] == "/metrics"
    assert (endpoint["interval"], endpoint["scrapeTimeout"], endpoint["honorLabels"]) == ("30s", "10s", True)
    assert endpoint["relabelings"][0]["targetLabel"] == "node"
    assert endpoint["metricRelabelings"][0]["action"] == "drop"
    assert (spec["jobLabel"], spec["sampleLimit"]) == ("app.kubernetes.io/name", 1000)
    assert spec["targetLabels"] == ["app.kubernetes.io/instance"]
    assert spec["podTargetLabels"] == ["app.kubernetes.io/version"]

    spec = charts.one(charts.rendered("watched-pods", helm), "PodMonitor")["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    assert (endpoint["interval"], endpoint["scrapeTimeout"], endpoint["honorLabels"]) == ("1m", "20s", True)
    assert endpoint["relabelings"][0]["targetLabel"] == "cluster"
    assert endpoint["metricRelabelings"][0]["action"] == "labeldrop"
    assert (spec["jobLabel"], spec["sampleLimit"]) == ("app.kubernetes.io/name", 1000)


def test_what_is_not_set_is_left_to_prometheus():
    spec = charts.one(watching.rendered("serviceMonitor.enabled=true"), "ServiceMonitor")["spec"]
    assert spec["endpoints"] == [{"port": "http", "path": "/metrics"}]
    assert set(spec) == {"endpoints", "namespaceSelector", "selector"}


@pytest.mark.parametrize("value, kind", [
    ("serviceMonitor", "ServiceMonitor"), ("podMonitor", "PodMonitor"), ("prometheusRule", "PrometheusRule"),
])
def test_they_stand_where_prometheus_looks(value, kind):
    found = charts.one(watching.rendered(f"{value}.enabled=true", f"{value}.namespace=monitoring"), kind)
    assert found["metadata"]["namespace"] == "monitoring"


def test_none_is_there_unless_it_is_asked_for(values):
    if values not in (*WATCHED, "everything"):
        assert monitoring(charts.rendered(values)) == []


def test_a_prometheus_without_its_operator_finds_it_by_annotations():
    settings = ["service.prometheusScrape=true", "config.metricsPort=9443", "service.annotations.mine=x"]
    found = charts.one(watching.rendered(*settings), "Service")["metadata"]["annotations"]
    assert found == {
        "mine": "x", "prometheus.io/scrape": "true", "prometheus.io/port": "9443", "prometheus.io/path": "/metrics",
    }


@pytest.mark.parametrize("given, words", [
    (["serviceMonitor.enabled=true", "podMonitor.enabled=true"], "serviceMonitor.enabled and podMonitor.enabled are bo"),
    (["serviceMonitor.enabled=true", "service.enabled=false"], "service.enabled is false: without a Service use podMo"),
    (["prometheusRule.defaultRules.disabled={Down}"], 'disabled has "Down", which is no alert: allowed are Deploymen'),
    (["prometheusRule.defaultRules.severities.Down=info"], 'severities has "Down", which is no alert'),
    (["prometheusRule.defaultRules.thresholds.withheld=soon"], 'thresholds.withheld is "soon": allowed is a duration'),
    (["prometheusRule.defaultRules.thresholds.wait="], 'thresholds.wait is "": allowed is a duration'),
    (["prometheusRule.defaultRules.thresholds.lastSuccess=1d"], 'thresholds.lastSuccess is "1d": allowed is a durat'),
])
def test_what_is_wrong_is_named_in_a_sentence(helm, given, words):
    with pytest.raises(charts.Refused) as caught:
        watching.rendered(*given, version=helm)
    assert words in str(caught.value)
