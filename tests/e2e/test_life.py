"""The life of a recorder that Helm installed, from its first day to its end. What GitHub must hold is
written here by hand, but for digests: those are the registry's own."""

import pytest

from changed import changed_values
from conftest import FIRST_TOKEN
from github import Record
from registry import OTHER_PLATFORM, PLATFORM
from release import Release, message
from waiting import wait_for
from workloads import (
    container,
    cron_job,
    daemon_set,
    deployment,
    job,
    once,
    pod,
    sidecar,
    stateful_set,
)

NAMESPACE, RELEASE, SHOP = "deployment-recorder", "deployment-recorder", "shop"
# Of the namespaced install beside it.
BESIDE, TEAM = "team-recorder", "team-shop"
CLUSTER = "e2e"
IMAGES = {
    "web": ["1.0", "1.1", "1.2"],
    "proxy": ["1.0"],
    "cache": ["1.0"],
    "db": ["1.0"],
    "agent": ["1.0"],
    "report": ["1.0"],
    "reindex": ["1.0"],
    "helper": ["1.0"],
}
CONFIG = {
    "org": "acme",
    "cluster": CLUSTER,
    "logicalEnvironment": "production",
    "allowHttp": True,
    "excludeNamespaces": ["kube-*", "github", "team-*"],
    # Shorter than anybody needs, so that there is something to see.
    "interval": "30s",
    "idleAfter": "20s",
}


class Story:
    """What all steps share, and what GitHub must hold after the last of them."""

    def __init__(self, cluster, github, github_url):
        self.cluster = cluster
        self.github = github
        self.github_url = github_url
        self.release = Release(cluster, "helm4", RELEASE, NAMESPACE)
        self.beside = Release(cluster, "helm4", "beside", BESIDE)
        self.values = {
            "config": {**CONFIG, "baseUrl": github_url},
            "auth": {"existingSecret": "github"},
        }
        # By the name of the record.
        self.expected: "dict[str, Record]" = {}

    def image(self, name: str, version: str = "1.0") -> str:
        return f"{self.cluster.images}/acme/{name}:{version}"

    def runs(self, name: str, version: str = "1.0", **more) -> Record:
        digest = self.cluster.registry.digest(f"acme/{name}:{version}")
        return Record("deployed", f"{self.cluster.images}/acme/{name}", version, digest, **more)

    def ends(self, *names: str) -> None:
        self.expected |= {name: self.expected[name]._replace(status="decommissioned") for name in names}

    def is_right(self, patience: float = 60.0) -> None:
        self.github.comes_to_hold(CLUSTER, self.expected, patience)

    def shop(self, *words) -> str:
        return self.cluster.kubectl(*words, "--namespace", SHOP)

    def no_recorder_runs(self) -> None:
        """Waits until there is but a pod that waits for a node."""
        phases = lambda: [pod["status"]["phase"] for pod in self.release.pods()]
        wait_for("the next pod waits for a node", lambda: phases() == ["Pending"])

    def restarts(self) -> "tuple[str, int]":
        """Which pod it is, and how often its container was started again."""
        pod = self.release.pod()
        return pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]

    def node(self) -> str:
        return self.release.pod()["spec"]["nodeName"]

    def secret(self, name: str, key: str, token: str, namespace: str = NAMESPACE) -> dict:
        where = {"namespace": namespace, "name": name}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": where, "stringData": {key: token}}

    def reindex(self) -> dict:
        """A Job of nobody."""
        return job(SHOP, "reindex", pod(once("reindex", self.image("reindex")), restart="Never"))

    def only_deployed(self, since: float) -> None:
        """GitHub was told of no end since then, not even for a moment."""
        for name in self.expected:
            ends = [it for it in self.github.told("production", name, since) if it.status != "deployed"]
            assert ends == [] or self.expected[name].status != "deployed", f"{name}: {ends}"


@pytest.fixture(scope="module")
def story(cluster, github, github_url):
    for name, versions in IMAGES.items():
        for version in versions:
            # `web` is there for two platforms: the digest is that of their index.
            platforms = [PLATFORM, OTHER_PLATFORM] if name == "web" else [PLATFORM]
            cluster.push(f"acme/{name}:{version}", *platforms)
    for name in (NAMESPACE, SHOP, BESIDE, TEAM):
        cluster.namespace(name)
    yield Story(cluster, github, github_url)
    cluster.remove_namespaces(NAMESPACE, SHOP, BESIDE, TEAM)
    cluster.kubectl("delete", "priorityclass,runtimeclass", "e2e", "--ignore-not-found")


def test_helm_installs_it(story, note):
    story.cluster.apply(story.secret("github", "token", FIRST_TOKEN))
    story.release.install(**story.values)
    ready, worked = story.release.seconds_to_ready()
    note(f"installed: ready {ready:.0f} s after its container started; first cycle done after {worked:.2f} s")


def test_its_namespace_takes_none_but_restricted_pods(story):
    refused = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": NAMESPACE, "name": "careless"},
        "spec": {"containers": [{"name": "careless", "image": story.image("web")}]},
    }
    with pytest.raises(AssertionError, match='violates PodSecurity "restricted'):
        story.cluster.apply(refused)
    assert story.release.pod()["status"]["phase"] == "Running"


def test_helm_test_passes(story):
    story.release.helm("test", RELEASE, "--timeout", "2m")


def test_its_log_begins_with_who_it_is_and_what_it_sees(story):
    said = story.release.logs()
    first = said[0]
    assert message(first) == "starting"
    expected = {"organization": "acme", "cluster": CLUSTER, "api": story.github_url}
    assert {key: first[key] for key in expected} == expected
    assert first["version"] and "token" in first["sign_in"]
    assert all(word in first["settings"] for word in ("--interval", "--idle-after", "--exclude-namespaces"))
    workloads = {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicationController"}
    seen = {line["kind"] for line in said if message(line) == "a mirror is synced"}
    assert seen >= {"Pod", "Namespace", "ReplicaSet", "Job"} | workloads
    assert FIRST_TOKEN not in str(said)


def test_it_says_that_this_is_its_first_start(story):
    assert any("first start" in message(line) for line in story.release.logs())
    assert story.release.status()["ledger"]["first_start"] is True


def test_workloads_of_every_kind_appear_with_the_digests_of_the_registry(story):
    init = [once("prepare", story.image("web")), sidecar("proxy", story.image("proxy"))]
    web = pod(container("web", story.image("web")), container("cache", story.image("cache")), init=init)
    story.cluster.apply(
        deployment(SHOP, "web", web, replicas=2),
        stateful_set(SHOP, "db", pod(container("db", story.image("db")))),
        daemon_set(SHOP, "agent", pod(container("agent", story.image("agent")))),
        cron_job(SHOP, "report", pod(once("report", story.image("report")), restart="Never")),
        story.reindex(),
    )
    story.shop("create", "job", "report-now", "--from=cronjob/report")
    digest = story.cluster.registry.digest("deployment-recorder/deployment-recorder:e2e")
    itself = Record(
        "deployed", f"{story.cluster.images}/deployment-recorder/deployment-recorder", "e2e", digest
    )
    story.expected = {
        f"{NAMESPACE}-{RELEASE}-recorder": itself,
        "shop-web-web": story.runs("web"),
        "shop-web-cache": story.runs("cache"),
        "shop-web-proxy": story.runs("proxy"),
        "shop-db-db": story.runs("db"),
        "shop-agent-agent": story.runs("agent"),
        "shop-report-report": story.runs("report"),
        # Neither init containers that end nor Jobs of nobody have records.
    }
    story.is_right()


def test_it_needs_less_memory_than_it_asks_for(story, note):
    pod = story.release.pod()
    asked = pod["spec"]["containers"][0]["resources"]["requests"]["memory"]
    assert asked == "32Mi"
    used = story.release.memory() / 2**20
    note(f"memory: {used:.1f} of {asked}")
    assert used < 32


def test_a_rollout_by_tag_is_followed(story):
    story.shop("set", "image", "deployment/web", f"web={story.image('web', '1.1')}")
    story.expected["shop-web-web"] = story.runs("web", "1.1")
    story.is_right()


def test_a_rollback_is_followed(story):
    story.shop("rollout", "undo", "deployment/web")
    story.expected["shop-web-web"] = story.runs("web")
    story.is_right()


def test_a_tag_that_is_pushed_anew_changes_nothing_while_the_old_image_runs(story):
    story.cluster.push("acme/cache:1.0", PLATFORM, OTHER_PLATFORM)
    assert story.runs("cache").digest != story.expected["shop-web-cache"].digest
    since = story.github.now()
    wait_for("it tells all of it again", lambda: story.github.told("production", "shop-web-cache", since), 90)
    story.is_right()


def test_more_replicas_change_nothing_at_github(story):
    since, done = story.github.now(), story.release.status()["cycles"]
    story.shop("scale", "deployment/web", "--replicas=4")
    story.shop("rollout", "status", "deployment/web", "--timeout=60s")
    wait_for("two more cycles", lambda: story.release.status()["cycles"] >= done + 2)
    story.is_right()
    assert set(story.github.told("production", "shop-web-web", since)) <= {story.expected["shop-web-web"]}


def test_what_is_scaled_to_zero_is_decommissioned_after_a_while_and_comes_back(story):
    names = ("shop-web-web", "shop-web-cache", "shop-web-proxy")
    before = dict(story.expected)
    story.shop("scale", "deployment/web", "--replicas=0")
    story.ends(*names)
    story.is_right(90)
    story.shop("scale", "deployment/web", "--replicas=2")
    story.expected = before
    story.is_right()


def test_annotations_become_tags_and_risks(story):
    story.shop(
        "annotate",
        "deployment/web",
        "metadata.github.com/team=storefront",
        "metadata.github.com/runtime-risks=internet-exposed",
    )
    for name in ("shop-web-web", "shop-web-cache", "shop-web-proxy"):
        story.expected[name] = story.expected[name]._replace(
            tags=("team=storefront",), risks=("internet-exposed",)
        )
    story.is_right()


def test_a_deleted_workload_is_decommissioned(story):
    story.shop("delete", "statefulset", "db")
    story.ends("shop-db-db")
    story.is_right()


def test_what_is_deleted_while_its_pod_is_killed_is_decommissioned_by_the_next_one(story):
    node, killed = story.node(), story.release.pod()
    story.cluster.kubectl("cordon", node)  # so that there is no next one before the end
    story.cluster.kill(killed)
    story.shop("delete", "daemonset", "agent")
    story.no_recorder_runs()
    story.cluster.kubectl("uncordon", node)
    story.ends("shop-agent-agent")
    story.is_right(90)
    assert story.release.pod()["metadata"]["uid"] != killed["metadata"]["uid"]
    assert story.release.status()["ledger"]["first_start"] is False


def test_a_new_token_in_the_secret_needs_no_restart(story):
    before, since = story.restarts(), story.github.now()
    story.github.accept_only("the-second-token")
    story.shop("set", "image", "deployment/web", f"web={story.image('web', '1.1')}")
    refused = lambda: any(it["status"] == 401 for it in story.github.requests(since))
    wait_for("GitHub refuses the old token", refused, 90)
    story.cluster.apply(story.secret("github", "token", "the-second-token"))
    story.expected["shop-web-web"] = story.runs(
        "web", "1.1", tags=("team=storefront",), risks=("internet-exposed",)
    )
    story.is_right(240)
    assert story.restarts() == before


def test_a_drained_node_ends_nothing_and_afterwards_it_goes_on(story):
    node, since = story.node(), story.github.now()
    drain = [
        "drain",
        node,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--timeout=120s",
        "--pod-selector",
    ]
    story.cluster.kubectl(*drain, "app=web")
    row = lambda: story.release.source("shop/web/web").get("row")
    wait_for("the recorder sees that nothing of web runs", lambda: row() == "not-running")
    seen = story.github.now()
    wait_for(
        "it tells all of it again, as it was",
        lambda: story.github.told("production", "shop-web-web", seen),
        120,
    )
    story.cluster.kubectl(*drain, "app!=github")  # the recorder too
    story.no_recorder_runs()
    story.is_right()
    story.cluster.kubectl("uncordon", node)
    story.shop("rollout", "status", "deployment/web", "--timeout=90s")
    story.shop("set", "image", "deployment/web", f"web={story.image('web', '1.2')}")
    story.expected["shop-web-web"] = story.runs(
        "web", "1.2", tags=("team=storefront",), risks=("internet-exposed",)
    )
    story.is_right(90)
    story.only_deployed(since)


def test_with_every_value_changed_the_old_records_end_and_new_ones_take_their_place(story):
    changed = changed_values(story)
    story.cluster.apply(*changed.objects)
    # The drain took away the pods of what had run once; only what runs again gets a new record.
    story.shop("create", "job", "report-again", "--from=cronjob/report")
    story.shop("delete", "job", "reindex")
    story.cluster.apply(story.reindex())
    story.values = changed.values
    story.release.full_name = changed.full_name
    story.release.upgrade(**story.values)
    old, story.expected = story.expected, changed.records(story)
    story.github.comes_to_hold(changed.cluster, story.expected, 120)
    story.github.comes_to_hold(CLUSTER, changed.ends(story, old), 120)
    story.new = changed.cluster
    kept = lambda: story.github.ask("storage-records")["records"]
    storage = wait_for("GitHub is told where images are kept", kept, 120)
    assert {record["name"] for record in storage} <= {record.image for record in story.expected.values()}


def test_a_namespaced_install_beside_it_sees_only_its_own(story):
    beside = story.beside
    story.cluster.apply(deployment(TEAM, "app", pod(container("app", story.image("db")))))
    config = {"cluster": "team", "namespaces": [TEAM]}
    beside.install(**beside.sandbox("10.96.77.78"), config=config, rbac={"namespaced": True})
    beside.github.comes_to_hold("team", {f"{TEAM}-app-app": story.runs("db")})
    assert beside.github.violations() == []
    ours = ["--selector", f"app.kubernetes.io/instance={beside.name}"]
    assert story.cluster.items("clusterroles,clusterrolebindings", *ours) == []
    beside.helm("test", beside.name, "--timeout", "2m")
    beside.uninstall()
    story.github.comes_to_hold(story.new, story.expected)


def test_uninstalling_ends_no_record_and_keeps_the_ledger(story):
    story.release.uninstall()
    wait_for("its pods have ended", lambda: story.release.pods() == [])
    assert all(it.status == "deployed" for it in story.github.records(story.new).values())
    story.github.comes_to_hold(story.new, story.expected)
    ledger = {it["metadata"]["name"] for it in story.cluster.items("configmaps", "--namespace", NAMESPACE)}
    assert {"deployment-recorder", "deployment-recorder-0"} <= ledger


def test_a_new_install_finds_the_ledger_and_ends_what_went_meanwhile(story):
    story.shop("delete", "job", "reindex")
    story.values["decommissionOnUninstall"] = True
    story.release.install(**story.values)
    story.ends("shop.reindex.reindex")
    story.github.comes_to_hold(story.new, story.expected, 120)
    assert story.release.status()["ledger"]["first_start"] is False


def test_uninstalling_with_decommission_on_uninstall_ends_every_record(story):
    story.release.uninstall()
    story.ends(*story.expected)
    story.github.comes_to_hold(story.new, story.expected, 10)
    selector = ["--namespace", NAMESPACE, "--selector", f"app.kubernetes.io/instance={RELEASE}"]
    assert story.cluster.items("jobs,roles,rolebindings,serviceaccounts", *selector) == []


def test_github_was_told_nothing_that_it_would_refuse(story):
    assert story.github.violations() == []
