"""A real API server takes what is rendered, with its own Pod Security and its own judgement of every field;
and Helm installs, upgrades and removes the chart there."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import charts
import pytest
import yaml

TOOL = charts.ROOT / "tests" / "tools" / "control-plane"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
# Those that some values name.
NAMESPACES = (charts.NAMESPACE, "elsewhere", "shop", "billing")


class Plane:
    """A control plane of these tests' own."""

    def __init__(self, folder: Path):
        self.folder = folder
        command = [TOOL, "up", folder, "--parent", str(os.getpid())]
        up = subprocess.run(command, capture_output=True, text=True)
        assert up.returncode == 0, up.stderr
        self.env = os.environ | {"KUBECONFIG": up.stdout.strip().splitlines()[-1]}

    def kubectl(self, *arguments, given: "str | None" = None, fails: bool = False) -> str:
        """What kubectl says, on both channels."""
        command = [charts.program("kubectl"), f"--cache-dir={self.folder}/cache", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, env=self.env)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr

    def apply(self, objects: list, *arguments) -> str:
        documents = yaml.safe_dump_all(objects)
        return self.kubectl("apply", "--validate=strict", *arguments, "--filename=-", given=documents)

    def helm(self, version: str, *arguments) -> str:
        return charts.helm(version, *arguments, env=self.env | {"HELM_CACHE_HOME": f"{self.folder}/helm"})


@pytest.fixture(scope="module")
def plane():
    folder = Path(tempfile.mkdtemp(prefix="deployment-recorder-chart-"))
    plane = Plane(folder)
    try:
        objects = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
            for name in NAMESPACES
        ]
        runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "gvisor"}}
        plane.apply([*objects, runtime | {"handler": "runsc"}])
        yield plane
    finally:
        subprocess.run([TOOL, "down", folder], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def accounts(objects):
    """Service accounts: a pod is refused whose own is not there."""
    return charts.of_kind(objects, "ServiceAccount")


def test_the_api_server_takes_every_object_without_a_warning(plane):
    everything = []
    for values in charts.values_files():
        for it in charts.rendered(values):
            whole_cluster = it["kind"] in ("ClusterRole", "ClusterRoleBinding")
            place = {} if whole_cluster else {"namespace": charts.NAMESPACE}
            placed = it | {"metadata": place | it["metadata"]}
            # Many values make the same objects.
            if "monitoring.coreos.com" not in it["apiVersion"] and placed not in everything:
                everything.append(placed)
    unique = {(it["metadata"]["namespace"], it["metadata"]["name"]): it for it in accounts(everything)}
    plane.apply(list(unique.values()))
    said = plane.apply(everything, "--dry-run=server")
    # Helm takes over nothing that it did not make.
    plane.kubectl("delete", "--filename=-", given=yaml.safe_dump_all(unique.values()))
    assert "Warning" not in said
    assert said.count("(server dry run)") == len(everything)


def test_pods_that_pod_security_refuses_would_be_found(plane):
    deployment = charts.one(charts.rendered("minimal"), "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    pod = {"metadata": deployment["spec"]["template"]["metadata"], "spec": spec | {"hostNetwork": True}}
    broken = deployment | {"spec": deployment["spec"] | {"template": pod}}
    assert "would violate PodSecurity" in plane.apply([broken], "--dry-run=server")


def test_the_manifests_for_kubectl_are_taken(plane):
    for file in ("manifest.yaml", "rbac.yaml", "rbac-namespaced.yaml"):
        objects = charts.load((charts.ROOT / "deploy" / file).read_text())
        plane.apply([it for it in objects if it["kind"] in ("Namespace", "ServiceAccount")])
        said = plane.apply(objects, "--dry-run=server")
        assert "Warning" not in said and said.count("(server dry run)") == len(objects)


def test_it_is_installed_upgraded_by_every_change_and_removed_with_its_ledger_left(plane, helm):
    place = ["--namespace", charts.NAMESPACE]
    files = charts.values_files()

    def strategy():
        """How pods are replaced, and whether there are rights in the whole cluster."""
        asked = ["get", "deployments,clusterroles", *place, "--selector=app.kubernetes.io/name=deployment-recorder"]
        objects = yaml.safe_load(plane.kubectl(*asked, "--output=json"))["items"]
        deployment = charts.one(objects, "Deployment", "recorder")
        return deployment["spec"]["strategy"], bool(charts.of_kind(objects, "ClusterRole"))

    said = plane.helm(helm, "install", charts.RELEASE, charts.CHART, *place, "--values", files["minimal"])
    assert f"deployment-recorder {charts.VERSION} is installed in records." in said
    assert strategy() == ({"type": "Recreate"}, True)
    ledger = ["create", "configmap", "rec-deployment-recorder-0", *place]
    plane.kubectl(*ledger)
    # From one replica to two, and back; with and without rights in the whole cluster; the sandbox comes and goes.
    for values in ("two", "namespaced", "sandbox", "tracker"):
        plane.helm(helm, "upgrade", charts.RELEASE, charts.CHART, *place, "--values", files[values])
        kind = "RollingUpdate" if values == "two" else "Recreate"
        replaced, everywhere = strategy()
        assert (replaced["type"], everywhere) == (kind, values != "namespaced"), values
        assert ("rollingUpdate" in replaced) == (values == "two")
    plane.helm(helm, "rollback", charts.RELEASE, "2", *place)
    assert strategy()[0]["type"] == "RollingUpdate"
    plane.helm(helm, "uninstall", charts.RELEASE, *place)
    mine = ["get", "all,roles,rolebindings,serviceaccounts,secrets", *place]
    assert "rec-" not in plane.kubectl(*mine)
    plane.kubectl("delete", *ledger[1:])


def test_what_an_uninstall_leaves_that_could_not_end_the_records(plane, helm):
    place = ["--namespace", charts.NAMESPACE]
    given = ["--values", charts.values_files()["minimal"], "--set", "decommissionOnUninstall=true"]
    name = f"{charts.RELEASE}-deployment-recorder"
    kinds = "deployment,service,serviceaccount,role,rolebinding,job"

    def there():
        return set(plane.kubectl("get", kinds, *place, "--output=name").split())

    def fails(*arguments):
        with pytest.raises(charts.Refused) as said:
            plane.helm(helm, *arguments)
        return str(said.value)

    plane.helm(helm, "install", charts.RELEASE, charts.CHART, *place, *given)
    installed = there()
    assert f"rolebinding.rbac.authorization.k8s.io/{name}-decommission" in installed
    # No kubelet is there: the Job never ends, and Helm gives up.
    fails("uninstall", charts.RELEASE, *place, "--timeout=1s")
    assert there() - installed == {f"job.batch/{name}-decommission"} and installed <= there()
    # Such a release cannot be upgraded until it is rolled back to what it is. That starts the recorder again,
    # which the Job stopped.
    plane.kubectl("scale", f"deployment/{name}", "--replicas=0", *place)
    upgrade = ["upgrade", charts.RELEASE, charts.CHART, *place, *given]
    assert "has no deployed releases" in fails(*upgrade)
    plane.helm(helm, "rollback", charts.RELEASE, "1", *place)
    replicas = ["get", f"deployment/{name}", *place, "--output=jsonpath={.spec.replicas}"]
    assert plane.kubectl(*replicas) == "1"
    plane.helm(helm, *upgrade)
    # It may be repeated, and be given up.
    fails("uninstall", charts.RELEASE, *place, "--timeout=1s")
    fails("uninstall", charts.RELEASE, *place, "--timeout=1s")
    plane.helm(helm, "uninstall", charts.RELEASE, *place, "--no-hooks")
    assert not installed & there()
    left = f"job.batch/{name}-decommission"
    assert left in there()
    plane.kubectl("delete", left, *place)


def test_values_that_are_written_down_as_documented_can_be_given_again(plane, helm, tmp_path):
    documented = (charts.ROOT / "docs" / "install.md").read_text()
    (line,) = re.findall(r"^helm (get values .*) > values\.yaml$", documented, re.MULTILINE)
    arguments = line.replace("deployment-tracker", "{release}", 1).replace("deployment-tracker", "{namespace}")
    arguments = arguments.format(release=charts.RELEASE, namespace=charts.NAMESPACE).split()
    place = ["--namespace", charts.NAMESPACE]
    given = charts.values_files()["tracker"]
    plane.helm(helm, "install", charts.RELEASE, charts.CHART, *place, "--values", given)
    written = tmp_path / "values.yaml"
    written.write_text(plane.helm(helm, *arguments))
    plane.helm(helm, "uninstall", charts.RELEASE, *place)
    assert charts.render(helm, "--values", written) == charts.rendered("tracker", helm)


def test_an_upgrade_from_the_last_release_goes_through(plane, helm, tmp_path):
    git = ["git", "-C", str(charts.ROOT), "-c", "versionsort.suffix=-"]

    def said(*words):
        return subprocess.run([*git, *words], check=True, stdout=subprocess.PIPE).stdout

    # At a tag the last release is the one before it.
    tags = said("tag", "--list", "v*", "--sort=-version:refname", "--no-contains=HEAD").decode().split()
    tags = [tag for tag in tags if said("ls-tree", tag, "charts/deployment-recorder/Chart.yaml")]
    if not tags:
        pytest.skip("no release before this commit has a chart, or this clone was made without tags")
    packed = said("archive", tags[0], "charts/deployment-recorder")
    subprocess.run(["tar", "--extract", "--directory", tmp_path], input=packed, check=True)
    former = tmp_path / "charts" / "deployment-recorder"
    place = ["--namespace", charts.NAMESPACE, "--values", charts.values_files()["minimal"]]
    plane.helm(helm, "install", charts.RELEASE, former, *place)
    plane.helm(helm, "upgrade", charts.RELEASE, charts.CHART, *place)
    plane.helm(helm, "uninstall", charts.RELEASE, "--namespace", charts.NAMESPACE)


@pytest.mark.parametrize(
    "values, words",
    [
        (
            "minimal",
            [
                "It records what runs in\nevery namespace as cluster prod-eu, production, of the organization acme.",
                "logs --selector app.kubernetes.io/name=deployment-recorder,app.kubernetes.io/instance=rec,"
                "app.kubernetes.io/component=recorder --tail=-1 --follow",
                "helm test rec --namespace records --logs",
                "signs in with the key token of the Secret github",
                "leaves the ledger, the ConfigMaps rec-deployment-recorder,",
                "unless\ndecommissionOnUninstall is set",
            ],
        ),
        (
            "tracker",
            [
                "* config.workers: ",
                "* config.bulkClusterSync: ",
                "* lifecycle: ",
                "* image.repository, image.tag: ",
                "* readinessProbe: ",
                "Records are named by config.dnTemplate",
                "verify --adopt",
            ],
        ),
        (
            "tracker-app",
            [
                "Its records were named NAMESPACE/DEPLOYMENT/CONTAINER",
                '{{namespace}}/{{deploymentName}}/{{containerName}}"',
                "better is a Secret of yours, auth.existingSecret",
                "verify --adopt",
            ],
        ),
        ("namespaced", ["shop, records, billing", "no rights in the whole"]),
        ("sandbox", ["NOTHING to GitHub", "port-forward service/rec-deployment-recorder-sandbox 8090:8090", "--no-hooks"]),
        ("dry-run", ["DRY RUN", "* decommissionOnUninstall: a dry run tells GitHub nothing"]),
    ],
)
def test_the_notes_say_what_was_installed_and_what_to_do(plane, helm, values, words):
    place = ["--namespace", charts.NAMESPACE, "--values", charts.values_files()[values], "--dry-run=server"]
    said = plane.helm(helm, "install", charts.RELEASE, charts.CHART, *place)
    notes = said[said.index("\nNOTES:") :]
    for it in words:
        assert it in notes
    assert "verify --adopt" in notes or "tracker" not in values
    # Nothing secret is in them.
    assert "-OF-A-TEST" not in notes
