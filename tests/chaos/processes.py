"""Programs: those that are waited for and those that go on, and what the kernel says of them."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tests" / "tools"
# Everything that a run leaves behind.
HOME = ROOT / "target" / "chaos"


def run(*words, show: bool = False) -> str:
    """Runs a command to its end and gives its output; `show`: whoever waits sees it instead."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout or ''}")
    return done.stdout or ""


def spawn(log: Path, *words, env: "dict[str, str]") -> subprocess.Popen:
    """Starts a program that ends with the thread that calls this, even if we are killed, where there is a
    way to ask for that (prctl(2): PR_SET_PDEATHSIG)."""
    setpriv = shutil.which("setpriv")
    mortal = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(word) for word in (*mortal, *words)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **env},
            start_new_session=True,
        )


def runs(pid: int) -> bool:
    """Whether one of its threads has not ended: the first may have, and the last of them closes its sockets."""
    try:
        return any(lives(thread) for thread in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False


def lives(thread: Path) -> bool:
    """Its state by proc_pid_stat(5), field 3; nobody may have asked yet how it ended."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def resident(pid: int) -> int:
    """The peak of its memory in KiB (proc_pid_status(5): VmHWM); 0 if that is not known."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
