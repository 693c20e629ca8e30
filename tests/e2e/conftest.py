"""What all tests here share: one cluster for the whole run, GitHub's stand-in in it, and steps that
rely on those before them."""

import pytest

from cluster import TOOLS, Cluster, build_ours, run, why_no_node
from github import GitHub
from release import Release
from waiting import wait_for
from workloads import CONTAINER, RESTRICTED_POD

NAMESPACE = "github"
FIRST_TOKEN = "the-first-token"
# What is worth knowing of a run that passed.
NOTES: "list[str]" = []


def pytest_addoption(parser):
    parser.addoption(
        "--where-it-can", action="store_true", help="skip where no node can be made, and say why"
    )


@pytest.fixture(scope="session")
def cluster(request):
    """The cluster of this run."""
    given = Cluster.given()
    if given is None and (why := why_no_node()):
        (pytest.skip if request.config.getoption("--where-it-can") else pytest.exit)(why)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        run(TOOLS / "build", "kubectl", "helm3", "helm4", show=True)
        build_ours()
        cluster = given or Cluster.start()
        cluster.push_ours()
    request.config.stash[HELD] = cluster
    yield cluster
    cluster.end()


HELD: "pytest.StashKey[Cluster]" = pytest.StashKey()


@pytest.fixture(scope="session")
def github(cluster):
    """GitHub's stand-in, in a pod that no test drains. It takes one token and keeps to GitHub's pace."""
    cluster.namespace(NAMESPACE)
    labels = {"app": "github"}
    probe = {"httpGet": {"path": "/sandbox/healthz", "port": "http"}, "periodSeconds": 1}
    sandbox = {
        "name": "github-sandbox",
        "image": f"{cluster.images}/deployment-recorder/github-sandbox:e2e",
        "args": ["--listen", "0.0.0.0:8090", "--enforce-rate-limit"],
        "env": [{"name": "GITHUB_SANDBOX_TOKEN", "value": FIRST_TOKEN}],
        "ports": [{"name": "http", "containerPort": 8090}],
        "readinessProbe": probe,
        "securityContext": CONTAINER,
    }
    where = {"namespace": NAMESPACE, "name": "github"}
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**where, "labels": labels},
            "spec": {**RESTRICTED_POD, "containers": [sandbox]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": where,
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        },
    )
    cluster.kubectl("wait", "pod/github", "--namespace", NAMESPACE, "--for=condition=Ready", "--timeout=90s")
    github = GitHub(cluster.service(NAMESPACE, "github"))
    wait_for("GitHub answers", lambda: github.ask("healthz"))
    yield github
    cluster.remove_namespaces(NAMESPACE)


@pytest.fixture(scope="session")
def github_url(cluster, github) -> str:
    """GitHub as pods reach it: by address, since not every cluster here has names."""
    return f"http://{cluster.get('service', 'github', '--namespace', NAMESPACE)['spec']['clusterIP']}"


@pytest.fixture
def note():
    """Adds a line to what is shown at the end."""
    return NOTES.append


# Steps.

FAILED = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    """A step whose module has failed before is not tried: what it begins with is not there."""
    if (before := item.parent.stash.get(FAILED, None)) is not None:
        pytest.fail(f"not tried, since this step failed: {before}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and FAILED not in item.parent.stash:
        item.parent.stash[FAILED] = sentence(item.name)
        cluster = item.config.stash.get(HELD, None)
        if cluster is not None:
            report.sections.append(("the cluster", cluster.story()))
            for module_fixture in item.funcargs.values():
                release = getattr(module_fixture, "release", module_fixture)
                if isinstance(release, Release):
                    report.sections.append((f"the end of the log of {release.name}", release.last_words()))
    return report


def sentence(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def pytest_report_teststatus(report, config):
    """Each step is a line: what holds, how long it took."""
    if report.when == "call" and report.passed:
        return "passed", ".", f"ok, {report.duration:.1f} s"
    return None


def pytest_terminal_summary(terminalreporter):
    for line in NOTES:
        terminalreporter.write_line(line)
