"""A first try without an organization, as the README tells it: the chart with the sandbox beside the
recorder, one workload, and the end of it. Short enough to run with every change (`make e2e-short`)."""

import pytest

import machine
from github import GitHub, Record
from release import Release, message
from waiting import wait_for
from workloads import container, deployment, pod

NAMESPACE, RELEASE, SHOP = "first-try", "try", "first-try-shop"


@pytest.fixture(scope="module")
def release(cluster):
    cluster.push("first-try/web:1.0")
    cluster.push("first-try/web:1.1")
    for name in (NAMESPACE, SHOP):
        cluster.namespace(name)
    yield Release(cluster, "helm3", RELEASE, NAMESPACE)
    cluster.remove_namespaces(NAMESPACE, SHOP)


@pytest.fixture(scope="module")
def sandbox(release) -> GitHub:
    return release.github


def record(cluster, version: str, status: str = "deployed") -> "dict[str, Record]":
    digest = cluster.registry.digest(f"first-try/web:{version}")
    return {f"{SHOP}-web-web": Record(status, f"{cluster.images}/first-try/web", version, digest)}


def web(cluster, version: str) -> dict:
    return deployment(SHOP, "web", pod(container("web", f"{cluster.images}/first-try/web:{version}")))


def test_one_command_installs_the_recorder_and_a_stand_in_for_github(release, note):
    release.install(**release.sandbox("10.96.77.77"), config={"namespaces": [SHOP]})
    ready, worked = release.seconds_to_ready()
    note(f"first try: ready {ready:.0f} s after its container started; first cycle done after {worked:.2f} s")


def test_it_may_read_all_that_it_asks_for(release):
    said = release.logs()
    assert message(said[0]) == "starting"
    assert [line for line in said if "forbidden" in message(line)] == []


def test_a_deployment_appears_with_the_digest_of_the_registry(cluster, sandbox):
    cluster.apply(web(cluster, "1.0"))
    sandbox.comes_to_hold("sandbox", record(cluster, "1.0"))


def test_a_rollout_is_followed(cluster, sandbox):
    cluster.apply(web(cluster, "1.1"))
    sandbox.comes_to_hold("sandbox", record(cluster, "1.1"))


def test_a_deleted_deployment_is_decommissioned(cluster, sandbox):
    cluster.kubectl("delete", "deployment", "web", "--namespace", SHOP)
    sandbox.comes_to_hold("sandbox", record(cluster, "1.1", "decommissioned"))


def test_github_was_told_nothing_that_it_would_refuse(sandbox):
    assert sandbox.violations() == []


def test_uninstalling_leaves_nothing_but_the_ledger(cluster, release):
    release.uninstall()
    selector = ["--namespace", NAMESPACE, "--selector", f"app.kubernetes.io/instance={RELEASE}"]
    kinds = "deployments,services,serviceaccounts,secrets,jobs,roles,rolebindings,clusterroles,clusterrolebindings"
    assert cluster.items(kinds, *selector) == []
    wait_for("its pods have ended", lambda: cluster.items("pods", *selector) == [])
    left = {it["metadata"]["name"] for it in cluster.items("configmaps", "--namespace", NAMESPACE)}
    assert left - {"kube-root-ca.crt"} == {release.full_name, f"{release.full_name}-0"}


def test_the_node_has_changed_nothing_of_the_machine(cluster):
    if not cluster.ours:
        pytest.skip("it is not a node of ours")
    assert machine.state() == cluster.before
