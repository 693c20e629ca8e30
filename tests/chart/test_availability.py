"""Who may talk to whom, and how many may go at once."""

import ipaddress

import charts
import pytest
import schemas
import watching

POLICY = "networkPolicy.enabled=true"
OUTSIDE = "140.82.121.6"
BOTH = ("TCP", "UDP")


def selects(selector: dict, labels: dict) -> bool:
    """Whether a label selector matches."""
    wanted = selector.get("matchLabels") or {}
    listed = selector.get("matchExpressions") or []
    assert all(it["operator"] == "In" for it in listed)
    return wanted.items() <= labels.items() and all(labels.get(it["key"]) in it["values"] for it in listed)


def labels_of(objects: list) -> "dict[str, dict]":
    """The labels of the chart's pods, by component."""
    found = [pod["metadata"]["labels"] for pod in charts.pods(objects).values()]
    return {labels["app.kubernetes.io/component"]: labels for labels in found}


def is_peer(peer: dict, other: "str | dict") -> bool:
    """Whether a peer of a rule is another pod of this namespace (its labels) or an address."""
    if isinstance(other, dict):
        return "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], other)
    return "ipBlock" in peer and ipaddress.ip_address(other) in ipaddress.ip_network(peer["ipBlock"]["cidr"])


def may(objects, way: str, pod: str, other: "str | dict", port: int, protocol: str = "TCP") -> bool:
    """Whether a pod may be reached (`ingress`), or may reach (`egress`): some policy of those that select it says
    so, or there is none."""
    labels = labels_of(objects)[pod]
    policies = [it["spec"] for it in charts.of_kind(objects, "NetworkPolicy")]
    policies = [it for it in policies if selects(it["podSelector"], labels) and way.title() in it["policyTypes"]]
    peers = {"ingress": "from", "egress": "to"}[way]
    allowed = [
        rule
        for policy in policies
        for rule in policy[way]
        if any((it["port"], it["protocol"]) == (port, protocol) for it in rule["ports"])
        and (not rule.get(peers) or any(is_peer(it, other) for it in rule[peers]))
    ]
    return bool(allowed) or not policies


def test_none_is_there_unless_it_is_asked_for(values):
    if values not in ("guarded", "everything"):
        assert charts.of_kind(charts.rendered(values), "NetworkPolicy") == []
        assert charts.of_kind(charts.rendered(values), "PodDisruptionBudget") == []


def test_every_pod_of_the_chart_is_under_one_policy():
    objects = watching.rendered(POLICY, "sandbox.enabled=true", "decommissionOnUninstall=true", "podLabels.mine=x")
    found = labels_of(objects)
    assert set(found) == {"recorder", "check", "decommission", "sandbox"}
    for component, labels in found.items():
        policies = [it["spec"] for it in charts.of_kind(objects, "NetworkPolicy")]
        assert len([it for it in policies if selects(it["podSelector"], labels)]) == 1, component


@pytest.mark.parametrize("pod", ["recorder", "check", "decommission"])
def test_what_the_program_needs_it_reaches(pod):
    objects = watching.rendered(POLICY, "decommissionOnUninstall=true")
    for protocol in BOTH:
        assert may(objects, "egress", pod, "10.0.0.10", 53, protocol), "DNS"
    for port in (443, 6443):
        assert may(objects, "egress", pod, "10.0.0.1", port), "the API server"
    assert may(objects, "egress", pod, OUTSIDE, 443), "GitHub"
    for port in (22, 80, 5432):
        assert not may(objects, "egress", pod, OUTSIDE, port)


def test_its_port_is_open_to_all_or_to_whom_values_say():
    objects = watching.rendered(POLICY, "config.metricsPort=9443")
    assert may(objects, "ingress", "recorder", "10.1.2.3", 9443)
    assert not may(objects, "ingress", "recorder", "10.1.2.3", 8080)
    objects = watching.rendered(POLICY, "networkPolicy.from[0].ipBlock.cidr=10.1.0.0/16")
    assert may(objects, "ingress", "recorder", "10.1.2.3", 8080)
    assert not may(objects, "ingress", "recorder", "10.2.2.3", 8080)


def test_it_is_narrowed_and_widened_by_values(helm):
    objects = charts.rendered("guarded", helm)
    assert may(objects, "egress", "recorder", "10.0.0.1", 8443)
    assert not may(objects, "egress", "recorder", "10.0.0.2", 8443)
    assert may(objects, "egress", "recorder", OUTSIDE, 443)
    assert not may(objects, "egress", "recorder", "1.1.1.1", 443)
    assert not may(objects, "egress", "recorder", "10.0.0.1", 6443)
    assert may(objects, "egress", "recorder", "10.9.1.1", 8443)
    assert may(objects, "ingress", "recorder", {"app": "page"}, 8080)
    assert not may(objects, "ingress", "recorder", {"app": "other"}, 8080)
    policy = charts.one(objects, "NetworkPolicy")
    assert policy["metadata"]["annotations"] == {"example.com/owner": "security"}
    dns = policy["spec"]["egress"][0]
    assert [(it["port"], it["protocol"]) for it in dns["ports"]] == [
        (53, "UDP"), (5353, "UDP"), (53, "TCP"), (5353, "TCP"),
    ]


@pytest.mark.parametrize("address, port", [
    ("api.octo.ghe.com", 443), ("https://github.example.com:8443/api/v3", 8443), ("github.example.com:8443", 8443),
    ("http://github.example.com", 80), ("https://[2001:db8::1]:8443", 8443), ("https://[2001:db8::1]", 443),
])
def test_the_port_is_that_of_githubs_address(address, port):
    settings = [POLICY, f"config.baseUrl={address}", "config.allowHttp=true", "networkPolicy.apiServer.ports:=[6443]"]
    objects = watching.rendered(*settings)
    open_ports = [it for it in (80, 443, 8443) if may(objects, "egress", "recorder", OUTSIDE, it)]
    assert open_ports == [port]


@pytest.mark.parametrize("settings, ports", [
    (["proxy.httpsProxy=http://proxy.example.com:3128"], [3128]),
    (["proxy.httpsProxy=https://proxy.example.com", "proxy.httpProxy=http://proxy.example.com"], [80, 443]),
    (["proxy.httpsProxy=proxy.example.com:3128"], [3128]),
    (["proxy.existingSecret=proxy", "networkPolicy.proxy.ports:=[8888]"], [8888]),
])
@pytest.mark.parametrize("pod", ["recorder", "check", "decommission"])
def test_the_proxy_is_reached(pod, settings, ports):
    objects = watching.rendered(POLICY, "decommissionOnUninstall=true", *settings)
    assert all(may(objects, "egress", pod, "10.0.0.3", port) for port in ports)
    objects = watching.rendered(POLICY, "decommissionOnUninstall=true")
    assert not all(may(objects, "egress", pod, "10.0.0.3", port) for port in ports)


def test_a_proxy_whose_port_is_not_known_is_asked_for(helm):
    with pytest.raises(charts.Refused, match="networkPolicy.proxy.ports is missing: which port the proxy has"):
        watching.rendered(POLICY, "proxy.existingSecret=proxy", version=helm)


def test_the_sandbox_is_reached_by_its_release_alone_and_reaches_nobody():
    objects = watching.rendered(POLICY, "sandbox.enabled=true", "decommissionOnUninstall=true", "sandbox.service.port=80")
    pods = labels_of(objects)
    (port,) = charts.one(objects, "Deployment", "sandbox")["spec"]["template"]["spec"]["containers"][0]["ports"]
    for pod in ("recorder", "check", "decommission"):
        # The port of the pod counts, not that of the Service.
        assert may(objects, "egress", pod, pods["sandbox"], port["containerPort"])
        assert may(objects, "ingress", "sandbox", pods[pod], port["containerPort"])
    assert not may(objects, "ingress", "sandbox", {"app": "other"}, port["containerPort"])
    for number in (53, 443, 8090):
        assert not may(objects, "egress", "sandbox", OUTSIDE, number)


def test_the_sandbox_s_policy_is_one_of_kubernetes(helm):
    found = charts.of_kind(watching.rendered(POLICY, "sandbox.enabled=true", version=helm), "NetworkPolicy")
    assert len(found) == 2
    for it in found:
        assert [schemas.problem(version, it) for version in schemas.VERSIONS] == [None] * len(schemas.VERSIONS)


def test_a_dry_run_does_not_reach_github():
    settings = [POLICY, "networkPolicy.apiServer.ports:=[6443]"]
    assert may(watching.rendered(*settings), "egress", "recorder", OUTSIDE, 443)
    assert not may(watching.rendered(*settings, "config.dryRun=true"), "egress", "recorder", OUTSIDE, 443)


def budget(*settings, version="helm4") -> "list[dict]":
    found = watching.rendered("podDisruptionBudget.enabled=true", *settings, version=version)
    return charts.of_kind(found, "PodDisruptionBudget")


def test_a_budget_is_for_more_than_one_replica_unless_it_is_forced(helm):
    assert budget(version=helm) == []
    assert len(budget("replicaCount=2", version=helm)) == 1
    assert len(budget("podDisruptionBudget.force=true", version=helm)) == 1


@pytest.mark.parametrize("settings, spec", [
    ([], {"maxUnavailable": 1}),
    (["podDisruptionBudget.maxUnavailable=2"], {"maxUnavailable": 2}),
    (["podDisruptionBudget.maxUnavailable=0"], {"maxUnavailable": 0}),
    (["podDisruptionBudget.maxUnavailable=50%"], {"maxUnavailable": "50%"}),
    (["podDisruptionBudget.minAvailable=1"], {"minAvailable": 1}),
    (["podDisruptionBudget.minAvailable=0"], {"minAvailable": 0}),
])
def test_a_budget_says_how_many_stay_or_how_many_go(helm, settings, spec):
    (found,) = budget("replicaCount=3", *settings, version=helm)
    both = {key: value for key, value in found["spec"].items() if key in ("minAvailable", "maxUnavailable")}
    assert both == spec
    assert found["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_budget_says_not_both(helm):
    with pytest.raises(charts.Refused, match="podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavail"):
        budget("podDisruptionBudget.minAvailable=1", "podDisruptionBudget.maxUnavailable=1", version=helm)
    with pytest.raises(charts.Refused, match="maxUnavailable"):
        budget("podDisruptionBudget.maxUnavailable=half", version=helm)


def test_a_budget_is_about_the_recorder_alone():
    objects = watching.rendered("podDisruptionBudget.enabled=true", "replicaCount=2", "sandbox.enabled=true")
    (found,) = charts.of_kind(objects, "PodDisruptionBudget")
    about = [component for component, labels in labels_of(objects).items() if selects(found["spec"]["selector"], labels)]
    assert about == ["recorder"]
