"""A cluster whose pods really run: the node that `tests/tools/control-plane up DIR --node` makes, or
the one of E2E_KUBECONFIG. What is installed in it stands in release.py and workloads.py."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import machine
from registry import PLATFORM, Registry, build_programs
from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tests" / "tools"
# Everything that a run leaves: logs, values, images.
HOME = ROOT / "target" / "e2e"
# What a node is made of.
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
# The project's images.
OURS = ("deployment-recorder", "github-sandbox")
# As what they are built: deploy/image/build keeps each profile in a folder of its own.
PROFILE = os.environ.get("PROFILE") or "ci"
# Whether the node stays up afterwards, for looking around.
KEPT = os.environ.get("E2E_KEEP", "") not in ("", "0")
# Whose errors help when something fails, and what makes a line one.
LOGS = ("kubelet", "containerd", "kube-controller-manager", "kube-proxy", "docker-registry")
ERROR = re.compile(r"^[EF]\d|level=(error|fatal)")

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class Cluster:
    """A running cluster and the registry that its pods pull from."""

    def __init__(self, kubeconfig: Path, registry: Registry, registry_in_cluster: str, ours: bool):
        self.kubeconfig = kubeconfig
        self.registry = registry
        # How images in the registry are named in pods.
        self.images = registry_in_cluster
        # Whether it is ours alone, and so without DNS.
        self.ours = ours
        self._proxy = None
        # What the machine was like before (machine.py); nothing for a cluster that is not ours.
        self.before: "dict[str, object]" = {}

    @classmethod
    def given(cls) -> "Cluster | None":
        """The one of E2E_KUBECONFIG, with its registry."""
        kubeconfig, address = os.environ.get("E2E_KUBECONFIG"), os.environ.get("E2E_REGISTRY")
        if not kubeconfig:
            return None
        assert (
            address
        ), "E2E_KUBECONFIG is set, and E2E_REGISTRY is not: the registry that its nodes pull from"
        registry = Registry(address)
        in_cluster = os.environ.get("E2E_REGISTRY_IN_CLUSTER", registry.host)
        build_programs(HOME / "programs")
        return cls(Path(kubeconfig).resolve(), registry, in_cluster, False)

    @classmethod
    def start(cls) -> "Cluster":
        """Makes one. What a former run left is ended first, whatever became of that run."""
        run(TOOLS / "node-packages", show=True)
        run(TOOLS / "build", *PROGRAMS, show=True)
        programs = build_programs(HOME / "programs")
        cls.stop()
        before = machine.state()
        parent = [] if KEPT else ["--parent", os.getpid()]
        run(TOOLS / "control-plane", "up", HOME / "cluster", "--node", *parent, show=True)
        registry = Registry((HOME / "cluster" / "registry").read_text().strip())
        cluster = cls(HOME / "cluster" / "kubeconfig", registry, registry.host, True)
        cluster.before = before
        # For kubectl, Helm and what pushes images: no proxy leads to the node.
        os.environ.update(NO_PROXY="*", no_proxy="*")
        registry.push("pause:node", [PLATFORM], programs)
        return cluster

    @staticmethod
    def stop() -> None:
        run(TOOLS / "control-plane", "down", HOME / "cluster")

    def end(self) -> None:
        if self._proxy:
            self._proxy.terminate()
            self._proxy.wait()
        if self.ours and not KEPT:
            self.stop()

    # Asking and telling it.

    def kubectl(self, *words, given=None) -> str:
        """Runs kubectl; `given` objects are its standard input."""
        text = None if given is None else json.dumps({"apiVersion": "v1", "kind": "List", "items": given})
        cache = {"KUBECACHEDIR": str(HOME / "kubectl-cache")}
        return run(tool("kubectl"), "--kubeconfig", self.kubeconfig, *words, input=text, env=cache)

    def apply(self, *objects: dict) -> None:
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", given=list(objects))

    def get(self, *words) -> dict:
        return json.loads(self.kubectl("get", *words, "--output", "json"))

    def items(self, *words) -> "list[dict]":
        return self.get(*words)["items"]

    def namespace(self, name: str) -> str:
        """Makes a namespace that takes only pods of Pod Security `restricted`."""
        self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
        )
        wait_for(
            f"{name} has its service account", lambda: self.items("serviceaccounts", "--namespace", name)
        )
        return name

    def remove_namespaces(self, *names: str) -> None:
        """Leaves a cluster that is not ours as it was; what is to be looked at stays."""
        if not KEPT:
            self.kubectl("delete", "namespace", "--ignore-not-found", "--timeout=120s", *names)

    def kill(self, pod: dict) -> None:
        """Ends a pod as a power failure would. (The kubelet itself asks a container to end, and waits two
        seconds, even where it is told not to: on a cluster that is not ours it is that.)"""
        uid = pod["metadata"]["uid"]
        for groups in Path("/proc").glob("[0-9]*/cgroup") if self.ours else ():
            with contextlib.suppress(OSError):  # somebody else's process has ended meanwhile
                if f"/pod{uid}/" in groups.read_text():
                    os.kill(int(groups.parent.name), signal.SIGKILL)
        where = ["--namespace", pod["metadata"]["namespace"]]
        self.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0", *where)

    def proxy(self) -> str:
        """The URL of the API server for plain HTTP, by `kubectl proxy`."""
        if self._proxy is None:
            command = [tool("kubectl"), "--kubeconfig", str(self.kubeconfig), "proxy", "--port", "0"]
            if setpriv := shutil.which("setpriv"):  # it ends with this process, even if that is killed
                command = [setpriv, "--pdeathsig", "KILL", *command]
            self._proxy = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            )
            self._url = f"http://{self._proxy.stdout.readline().split()[-1]}"
        return self._url

    def service(self, namespace: str, name: str, port: str = "http") -> str:
        """The URL of a service, by way of the API server, so from wherever tests run."""
        return f"{self.proxy()}/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"

    # Images.

    def push(self, image: str, *platforms: str) -> None:
        """Makes an image of the workload's program in the registry."""
        self.registry.push(image, list(platforms) or [PLATFORM], HOME / "programs")

    def push_ours(self) -> None:
        """Sends the project's images to the registry, by the project's own tool."""
        insecure = ["--insecure"] if self.registry.url.startswith("http://") else []
        for name in OURS:
            reference = f"{self.registry.host}/deployment-recorder/{name}:e2e"
            layout = ROOT / "target" / ("image" if PROFILE == "release" else f"image-{PROFILE}") / name
            run(ROOT / "deploy" / "image" / "tool", "push", *insecure, layout, reference)

    # When something fails.

    def story(self) -> str:
        """What a person would look at first."""
        parts = [
            try_run(tool("kubectl"), "--kubeconfig", self.kubeconfig, *words)
            for words in (
                ["get", "pods,deployments,jobs", "--all-namespaces", "--output", "wide"],
                ["get", "events", "--all-namespaces", "--sort-by", ".lastTimestamp"],
            )
        ]
        lines = parts[0].splitlines() + ["", "events:"] + parts[1].splitlines()[-25:]
        for name in LOGS if self.ours else ():
            log = HOME / "cluster" / "logs" / f"{name}.log"
            said = log.read_text(errors="replace").splitlines()
            lines += ["", f"errors in {log}:", *[line for line in said if ERROR.search(line)][-6:]]
        return "\n".join(line[:400] for line in lines)


def build_ours() -> None:
    """Builds the project's images, in seconds where they are built, else in minutes."""
    run(ROOT / "deploy" / "image" / "build", *OURS, env={"PROFILE": PROFILE}, show=True)


def tool(name: str) -> str:
    """The path of a program that tests/tools/build has built."""
    return run(TOOLS / "build", "--where", name).strip()


def run(*words, input: "str | None" = None, env: "dict | None" = None, show: bool = False) -> str:
    """Runs a command to its end and gives its output; `show`: it may say on standard error what it does."""
    words = [str(word) for word in words]
    done = subprocess.run(
        words,
        input=input,
        env={**os.environ, **(env or {})},
        cwd=ROOT,
        text=True,
        check=False,
        stdin=None if input is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
    )
    assert (
        done.returncode == 0
    ), f"{' '.join(words)}\nended with {done.returncode}:\n{done.stdout}{done.stderr or ''}"
    return done.stdout


def try_run(*words) -> str:
    try:
        return run(*words)
    except AssertionError as failed:
        return str(failed)


def why_no_node() -> str:
    """Why a node cannot be made on this machine; nothing if it can."""
    if os.geteuid() != 0:
        return "a real node needs root"
    if (
        not shutil.which("unshare")
        or subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL, check=False
        ).returncode
    ):
        return "a real node needs namespaces of mounts, network and processes, which are not to be had here"
    groups = Path("/sys/fs/cgroup")
    parent = groups if (groups / "cgroup.controllers").exists() else groups / "memory"
    try:
        probe = parent / f"node-probe-{os.getpid()}"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return f"a real node needs control groups: {error}"
    missing = subprocess.run(
        [TOOLS / "node-packages", "--missing"], stdout=subprocess.PIPE, text=True, check=False
    )
    if missing.returncode and not shutil.which("apt-get"):
        return f"a real node needs {missing.stdout.strip()}"
    return ""
