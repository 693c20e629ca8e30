"""A recorder: one of two that stand by for each other, with its own line to the API server. It is started,
and started again, as a kubelet would."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import yaml

from links import Link
from processes import HOME, resident, spawn

TOKEN = "the-token-of-chaos"
# Short, so that much comes to pass in little time: a workload is idle, and ended, when it had no pods for
# longer than the longest fault and judge.NOT_IDLE together. So much goes and so often are recorders killed,
# which then do not know since when it is gone, that a hold of five minutes would never be over.
SCHEDULE = ("--interval", "30s", "--idle-after", "40s", "--mass-decommission-hold", "30s")
SETTINGS = (*SCHEDULE, "--add-kinds", "jobs,pods")
DESTINATION = ("--org", "acme", "--cluster", "chaos", "--logical-environment", "production")
# Why it may end by itself: another one has what it had.
GAVE_WAY = ("is not this process's any more", "has taken over ConfigMap")


class Recorder:
    """One of them. It is to run from `start` to `kill`."""

    def __init__(self, name: str, program: Path, to_api: Link, rights: Path, github: str):
        self.name, self.program, self.to_api, self.github = name, program, to_api, github
        self.log = HOME / f"recorder-{name}.log"
        self.kubeconfig = HOME / f"recorder-{name}.kubeconfig"
        config = yaml.safe_load(rights.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{to_api.port}"
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(config))
        self.lock = threading.RLock()
        self.child: "subprocess.Popen | None" = None
        self.wanted = False
        self.starts, self.gave_way, self.peak = 0, 0, 0

    def start(self) -> None:
        """Whoever looks after it does it."""
        self.wanted = True

    def runs(self) -> bool:
        with self.lock:
            return self.child is not None and self.child.poll() is None

    def kill(self) -> bool:
        """Gives, as what follows, whether there was something to be hit."""
        with self.lock:
            self.wanted = False
            hit = self._signal(signal.SIGKILL)
            if hit:
                self.child.wait(20)
            self.child = None
            return hit

    def pause(self) -> bool:
        return self._signal(signal.SIGSTOP)

    def go_on(self) -> bool:
        return self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> bool:
        with self.lock:
            hit = self.runs()
            if hit:
                self.child.send_signal(number)
            return hit

    def look_after(self) -> "str | None":
        """What a kubelet does, over and over. If it ended by itself: why that must not have been."""
        with self.lock:
            status = self.child.poll() if self.child else None
            if self.child and status is None:
                self.peak = max(self.peak, resident(self.child.pid))
            elif self.wanted:
                self._begin()
            if status is None:
                return None
        last = "".join(self.log.read_text(errors="replace").splitlines()[-1:])
        if status == 1 and any(words in last for words in GAVE_WAY):
            self.gave_way += 1
            return None
        return f"recorder {self.name} ended by itself ({status}): {last[:600]}"

    def _begin(self) -> None:
        self.starts += 1
        more = ("--leader-elect", "--listen", "127.0.0.1:0", "--log-format", "json")
        self.child = spawn(self.log, *self._command("run"), *more, env={"GITHUB_TOKEN": TOKEN})

    def _command(self, command: str) -> tuple:
        there = ("--github-api-url", self.github, "--kubeconfig", self.kubeconfig)
        return (self.program, command, *DESTINATION, *SETTINGS, *there)

    def verify(self) -> "tuple[int, str]":
        """How its command `verify` ends, with the same settings, and what it says."""
        done = subprocess.run(
            [str(word) for word in self._command("verify")],
            env={**os.environ, "GITHUB_TOKEN": TOKEN},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=300,
        )
        (HOME / "verify.txt").write_text(done.stdout)
        return done.returncode, done.stdout
