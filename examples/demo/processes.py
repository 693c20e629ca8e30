"""Processes that outlive the one who starts them: they are known by their id and by when they
began, and only those are ended. Nothing here knows what they do."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

# The recorder ends within 20 seconds of SIGTERM, whatever GitHub does.
PATIENCE = 25.0


class Processes:
    """What runs, written down in one file as it is started."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.file = folder / "state.json"

    def read(self) -> dict:
        """The file: `processes` by name, and whatever else was put there."""
        try:
            return json.loads(self.file.read_text())
        except FileNotFoundError:
            return {"processes": {}}

    def put(self, **values) -> None:
        """Adds to the file. Never half written: another command may read it at any moment."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({**self.read(), **values}, indent=2) + "\n")
        fresh.replace(self.file)

    def forget(self) -> None:
        self.file.unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str, command: list, env: dict) -> None:
        """Starts it in a session of its own: an interrupt at the terminal is not for it."""
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **env}, start_new_session=True,
            )
        known = {"pid": child.pid, "born": birth(child.pid)}
        self.put(processes={**self.read()["processes"], name: known})

    def pid(self, name: str) -> "int | None":
        """Its id, if it still runs and is still the same."""
        known = self.read()["processes"].get(name)
        if known and known["born"] and birth(known["pid"]) == known["born"]:
            return known["pid"]
        return None

    def running(self) -> list:
        return [name for name in self.read()["processes"] if self.pid(name)]

    def kill(self, name: str) -> None:
        """Ends it at once: it has no chance to do anything more."""
        self._signal(name, signal.SIGKILL)
        if not self._ended(name):
            raise RuntimeError(f"{name} (process {self.pid(name)}) does not end")

    def stop(self, name: str) -> None:
        """Asks it to end, and insists after a while."""
        self._signal(name, signal.SIGTERM)
        if not self._ended(name):
            self.kill(name)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self.pid(name)
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # it was quicker

    def _ended(self, name: str) -> bool:
        deadline = time.monotonic() + PATIENCE
        while self.pid(name):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def birth(pid: int) -> "str | None":
    """When a process began, in words that only compare; None if it is gone or a zombie. From
    /proc (proc_pid_stat(5), fields 3 and 22) where there is one, else from ps."""
    if os.path.exists("/proc/self/stat"):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, began = fields[0], fields[19]
    else:
        command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
        state, _, began = answer.strip().partition(" ")
    return began.strip() if state and state[0] not in "ZX" else None
