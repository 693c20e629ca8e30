"""What the demo runs on: a control plane, github-sandbox, the recorder. Everything that it leaves
behind is in target/demo/. What is shown on it stands in demo.py."""

import contextlib
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import show
from github import CLUSTER, GitHub
from processes import Processes

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "demo"
CONTROL_PLANE = HOME / "control-plane"
TOOL = ROOT / "tests" / "tools" / "control-plane"
KUBECONFIG = CONTROL_PLANE / "kubeconfig"
# Of the recorder: no more rights than deploy/rbac.yaml gives to this service account.
RECORDER_KUBECONFIG = HOME / "recorder.kubeconfig"
RECORDER_USER = "system:serviceaccount:deployment-recorder:deployment-recorder"
TOKEN = HOME / "token"


class Trouble(Exception):
    """Why the demo cannot go on, in words for a person."""


class Lab:
    """The demo's own little world."""

    def __init__(self):
        self.processes = Processes(HOME)
        self.env = {
            "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(KUBECONFIG),
            "KUBECACHEDIR": str(HOME / "kubectl-cache"),
        }

    @property
    def github(self) -> GitHub:
        return GitHub(self.processes.read()["github"])

    def lock(self):
        HOME.mkdir(parents=True, exist_ok=True)
        return (HOME / ".lock").open("w")

    def prepare(self, parent: "int | None") -> None:
        """Builds and starts all but the recorder. What an earlier demo that ended badly has left is
        ended first; with `parent`, the control plane ends when that process does."""
        self.down(quiet=True)
        for old in (*HOME.glob("*.log"), HOME / "bin"):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        with timed("recorder and sandbox are built"):
            binaries = self.build()
        with timed("a control plane and three nodes are up"):
            asked = ["--controllers", "--scheduler", "--kwok", "--nodes", "3"]
            self.run(TOOL, "up", CONTROL_PLANE, *asked, *(["--parent", str(parent)] if parent else []))
        self.processes.put(binaries=str(binaries))
        self.make_commands()
        with timed("a stand-in for GitHub is up"):
            self.start_sandbox(binaries)
        with timed("the workloads of examples/ run"):
            self.run(ROOT / "examples" / "apply")
            wait = ["kubectl", "wait", "--timeout=90s"]
            self.run(*wait, "deployments", "--all", "--all-namespaces", "--for=condition=Available")
            self.run(*wait, "job/reindex-first-try", "--namespace", "shop", "--for=condition=Complete")
        with timed("the recorder's rights are given"):
            self.run("kubectl", "apply", "--filename", ROOT / "deploy" / "rbac.yaml")
            self.run(TOOL, "user", CONTROL_PLANE, RECORDER_USER, "--kubeconfig", RECORDER_KUBECONFIG)

    def build(self) -> Path:
        """Builds programs; gives the folder of recorder and sandbox, or the one that DEMO_PROGRAMS names.

        Both come from one build with the sandbox's feature: without it the recorder would be
        another build of the same library, minutes for nothing. What is released is built without.
        """
        show.say("building (minutes the first time)", "faint")
        self.run(ROOT / "tests" / "tools" / "build", quiet=False)
        if built := os.environ.get("DEMO_PROGRAMS"):
            return Path(built).resolve(strict=True)
        build = ("cargo", "build", "--locked", "--profile", "ci", "--features", "sandbox", "--bins")
        self.run(*build, quiet=False)
        about = self.run("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1")
        return Path(json.loads(about)["target_directory"]) / "ci"

    def make_commands(self) -> None:
        """`kubectl` and `recorder`, as the steps call them."""
        (HOME / "bin").mkdir(parents=True)
        kubectl = self.run(ROOT / "tests" / "tools" / "build", "--where", "kubectl").strip()
        (HOME / "bin" / "kubectl").symlink_to(kubectl)
        recorder = HOME / "bin" / "recorder"
        demo = shlex.quote(str(Path(__file__).with_name("demo")))
        recorder.write_text(f'#!/bin/sh\nexec {demo} recorder "$@"\n')
        recorder.chmod(0o755)

    def start_sandbox(self, binaries: Path) -> None:
        TOKEN.write_text("the-token-of-the-demo\n")
        # As GitHub does: a limited pace, and no record of an artifact that it cannot tell from where.
        strict = ["--enforce-rate-limit", "--unknown-digests"]
        command = [binaries / "github-sandbox", "--listen", "127.0.0.1:0", *strict]
        self.processes.start("sandbox", command, {"GITHUB_SANDBOX_TOKEN": TOKEN.read_text().strip()})
        log = self.processes.log("sandbox")
        url = wait_for("the sandbox says where it listens", lambda: first_line(log))
        self.processes.put(github=url, page=f"{url}/")
        wait_for("the sandbox answers", lambda: answers(f"{url}/sandbox/healthz"))

    def recorder(self, what: str) -> None:
        """Starts the recorder, or kills it."""
        if what == "kill":
            self.processes.kill("recorder")
            return
        if self.processes.pid("recorder"):
            raise Trouble("the recorder runs already")
        state = self.processes.read()
        address = state.get("recorder") or f"127.0.0.1:{free_port()}"
        self.processes.put(recorder=address)
        command = [
            Path(state["binaries"]) / "deployment-recorder", "run",
            "--org", "acme", "--cluster", CLUSTER,
            "--logical-environment", "production",
            "--logical-environment-label", "acme.example/environment",
            "--github-api-url", state["github"], "--github-token-file", TOKEN,
            "--kubeconfig", RECORDER_KUBECONFIG, "--ledger-namespace", "deployment-recorder",
            "--listen", address,
            # Shorter than anybody needs, so that there is something to see. A full report goes to
            # two environments, which is two requests, each of which may be sent again after 16 s
            # at the soonest; what is idle has to stay for longer than that to be seen told again.
            "--interval", "30s", "--idle-after", "60s",
        ]
        self.processes.start("recorder", command, {})

    def recorder_must_run(self) -> None:
        if not self.processes.pid("recorder"):
            log = self.processes.log("recorder").read_text(errors="replace").splitlines()
            raise Trouble("\n".join(["the recorder has ended:", *log[-10:]]))

    def down(self, quiet: bool = False) -> None:
        """Ends everything by its id."""
        there = self.processes.file.exists()
        for name in ("recorder", "sandbox"):
            self.processes.stop(name)
        if (CONTROL_PLANE / "state.json").exists():
            self.run(TOOL, "down", CONTROL_PLANE)
        self.processes.forget()
        if not quiet:
            show.say("the demo is down; its logs are in target/demo/" if there else "no demo is up")

    def shell(self, line: str) -> None:
        """A line of a step, as a person would type it."""
        for text in self.run("bash", "-euo", "pipefail", "-c", f"{{ {line}; }} 2>&1").splitlines():
            show.output(text)

    def run(self, *command, quiet: bool = True) -> str:
        """Runs a command to its end and gives its output; `quiet`: it is shown only if it fails."""
        words = [str(word) for word in command]
        pipe = subprocess.PIPE if quiet else None
        done = subprocess.run(
            words, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            cwd=ROOT, text=True, check=False,
        )
        if done.returncode:
            output = f":\n{done.stdout}{done.stderr}".rstrip() if quiet else ", see above"
            raise Trouble(f"{shlex.join(words)}\nended with {done.returncode}{output}")
        return done.stdout or ""

    def say_how_to_look(self) -> None:
        state = self.processes.read()
        show.say(f"""
    What GitHub holds    {state["page"]}
    The recorder         http://{state["recorder"]}/api/status   http://{state["recorder"]}/metrics
    Its log              {self.processes.log("recorder")}
    The cluster          export KUBECONFIG={shlex.quote(str(KUBECONFIG))}
                         export PATH={shlex.quote(str(HOME / "bin"))}:$PATH
                         kubectl -n shop set image deployment/storefront web=ghcr.io/acme/shop/storefront:4.13.0

    Both go on running. `make demo-down` ends them.""")

    def say_where_logs_are(self) -> None:
        show.say(f"    logs: {HOME}/*.log, {CONTROL_PLANE}/logs/")


@contextlib.contextmanager
def timed(what: str):
    """Says what was done and how long it took."""
    began = time.monotonic()
    yield
    show.say(f"    {what:<44} {time.monotonic() - began:5.1f} s")


def wait_for(what: str, condition, patience: float = 20.0):
    """Asks until the answer is something; gives it."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise Trouble(f"waited {patience:.0f} s in vain until {what}")


def first_line(log: Path) -> str:
    text = log.read_text()
    return text.split("\n")[0] if "\n" in text else ""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def free_port() -> int:
    """One that is free now, outside of the range that the kernel gives to outgoing connections: the
    recorder takes the same one again when it is started again."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
