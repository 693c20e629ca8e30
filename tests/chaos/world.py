"""What chaos runs on: a real control plane, github-sandbox, and two recorders that stand by for each other,
each with its own line to the API server and both with one to GitHub."""

import contextlib
import os
import signal
import subprocess
import threading
import urllib.parse
from pathlib import Path

import yaml

from api import Api, Refused, Unreachable
from github import GitHub
from links import Links
from processes import HOME, ROOT, TOOLS, run, runs, spawn
from recorder import TOKEN, Recorder
from waiting import wait_for
from workloads import FLEETS, GROUP

PLANE = HOME / "control-plane"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl")
# Whoever has started may end by itself when the API server stays away; a node would start it again.
REVIVED = ("kube-controller-manager", "kube-scheduler", "kwok")
USER = "system:serviceaccount:deployment-recorder:deployment-recorder"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE = f"{RBAC}/clusterroles/deployment-recorder"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/deployment-recorder/leases/deployment-recorder"
# Where each kind of object of deploy/rbac.yaml is.
PLACES = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
    "Role": RBAC + "/namespaces/{}/roles",
    "RoleBinding": RBAC + "/namespaces/{}/rolebindings",
}


class World:
    """All of it."""

    def __init__(self, programs: Path):
        self.programs = programs
        self.links = Links()
        self.sandbox: "subprocess.Popen | None" = None
        self.recorders: "list[Recorder]" = []
        self.wrong: "list[str]" = []
        # Components that ended although nobody had done anything to them, and were started again.
        self.revived: "dict[str, int]" = {}
        # Whoever does something to the control plane has it.
        self.plane_lock = threading.RLock()
        self._led: "Recorder | None" = None
        self._stop = threading.Event()

    def start(self) -> None:
        self.take_away()
        for old in (*HOME.glob("*.log"), *HOME.glob("*.jsonl"), *HOME.glob("*.txt")):
            old.unlink()
        run(TOOLS / "build", *PROGRAMS, show=True)
        asked = ("--controllers", "--scheduler", "--kwok", "--nodes", "2", "--parent", os.getpid())
        # By IP and not by name, and without proxies: whoever is asked is here.
        os.environ.update(NO_PROXY="*", no_proxy="*")
        run(TOOLS / "control-plane", "up", PLANE, *asked)
        self.api = Api(PLANE / "kubeconfig")
        self.start_sandbox()
        self.give_rights()

    def start_sandbox(self) -> None:
        log = HOME / "sandbox.log"
        program = self.programs / "github-sandbox"
        asked = ("--listen", "127.0.0.1:0", "--enforce-rate-limit")
        self.sandbox = spawn(log, program, *asked, env={"GITHUB_SANDBOX_TOKEN": TOKEN})
        wait_for("the sandbox says where it listens", lambda: "\n" in log.read_text())
        self.github = GitHub(log.read_text().splitlines()[0])
        wait_for("the sandbox answers", lambda: self.github.ask("healthz"))
        # One for both recorders: what one has told GitHub at another address the other leaves alone.
        self.to_github = self.links.make(*split(urllib.parse.urlsplit(self.github.url).netloc))
        self.github_url = f"http://127.0.0.1:{self.to_github.port}"

    def give_rights(self) -> None:
        """Those of deploy/rbac.yaml, and to see what fleets there are."""
        self.api.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", FLEETS)
        fleets = f"/apis/{GROUP}/v1/fleets"
        wait_for("fleets are known", lambda: self.api.answers(fleets))
        for thing in yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text()):
            about = thing["metadata"]
            if thing["kind"] == "ClusterRole":
                rule = {"apiGroups": [GROUP], "resources": ["fleets"], "verbs": ["list", "watch"]}
                self.rules = thing["rules"] = [*thing["rules"], rule]
            place = PLACES[thing["kind"]].format(about.get("namespace"))
            self.api.apply(f"{place}/{about['name']}", thing)
        run(TOOLS / "control-plane", "user", PLANE, USER, "--kubeconfig", HOME / "recorder.kubeconfig")

    def start_recorders(self) -> None:
        program, rights = self.programs / "deployment-recorder", HOME / "recorder.kubeconfig"
        for name in "ab":
            line = self.links.make(*split(self.api.address))
            recorder = Recorder(name, program, line, rights, self.github_url)
            self.recorders.append(recorder)
            recorder.start()
        threading.Thread(target=self._look_after, daemon=True, name="kubelet").start()

    def leader(self) -> Recorder:
        """Who has the Lease, as far as that can be asked now, else who had it last."""
        with contextlib.suppress(Unreachable, Refused, LookupError):
            # host/NAME/BOOT/PID NAMESPACE/PID/START/TAG
            holder = self.api.ask("GET", LEASE, timeout=2.0)["spec"].get("holderIdentity", "")
            pid = holder.split("/")[-3]
            led = (it for it in self.recorders if it.child and str(it.child.pid) == pid)
            self._led = next(led, self._led)
        return self._led or self.recorders[0]

    # The control plane.

    def signal(self, component: str, number: signal.Signals) -> bool:
        """Gives whether it was there to be hit."""
        hit = runs(self.pid(component))
        if hit:
            os.kill(self.pid(component), number)
        return hit

    def pid(self, component: str) -> int:
        return int((PLANE / "pids" / f"{component}.pid").read_text())

    def restart(self, *components: str) -> None:
        """Each on the same port and with the same data."""
        for component in components:
            wait_for(f"{component} is gone", lambda: not runs(self.pid(component)))
            run(TOOLS / "control-plane", "start", PLANE, component)

    def _look_after(self) -> None:
        # One thread starts them all: what is to end with its parent ends with the thread that made it.
        while not self._stop.wait(0.2):
            for recorder in self.recorders:
                if wrong := recorder.look_after():
                    self.wrong.append(wrong)
            for component in REVIVED:
                if not runs(self.pid(component)):
                    # While the API server is struck it cannot be started: it is tried again.
                    with contextlib.suppress(RuntimeError):
                        self.revive(component)

    def revive(self, component: str) -> None:
        if not self.plane_lock.acquire(timeout=0.1):
            return  # it would not become ready
        try:
            run(TOOLS / "control-plane", "start", PLANE, component)
            self.revived[component] = self.revived.get(component, 0) + 1
        finally:
            self.plane_lock.release()

    # Ends.

    def end(self) -> None:
        self._stop.set()
        for recorder in self.recorders:
            recorder.kill()
        if self.sandbox:
            self.sandbox.kill()
            self.sandbox.wait(20)
        self.take_away()

    def take_away(self) -> None:
        """Also what a former run has left."""
        HOME.mkdir(parents=True, exist_ok=True)
        if (PLANE / "state.json").exists():
            run(TOOLS / "control-plane", "down", PLANE)


def split(address: str) -> "tuple[str, int]":
    host, _, port = address.rpartition(":")
    return host, int(port)
