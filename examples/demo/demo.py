"""deployment-recorder at work on a real control plane, step by step.

Each folder of steps/ is one step: `about` (a title, then why), `change` (commands, run one by one)
and `expected` (the records that the step is about, as GitHub must hold them when it is over; all
others must stay as the steps before left them). What a step must show is written there by hand.

    demo up                       run all steps; DEMO_EXIT=1: then take everything down again, and
                                  exit 0 only if each step ended as written
    demo down                     end what is left running
    demo recorder start|kill      for the steps
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

import show
from github import GitHub, Key, read_expected
from lab import Lab, Trouble

STEPS = Path(__file__).resolve().parent / "steps"
# How long a step may take, from its first command to the last record at GitHub.
PATIENCE = 90.0
# A full report shows what the cluster was about a second before it arrives; one that came later
# than this after a change has seen the change.
FRESH = 2.0


class Step:
    """One folder of steps/."""

    def __init__(self, folder: Path):
        self.number = str(int(folder.name.partition("-")[0]))
        self.title, _, self.why = (folder / "about").read_text().partition("\n")
        self.commands = (folder / "change").read_text().splitlines()
        self.expected = read_expected(folder / "expected")

    def run(self, lab: Lab, before: dict) -> dict:
        """Changes the cluster, waits for GitHub, shows what it holds; gives what it must hold."""
        show.heading(self.number, self.title)
        show.prose(self.why)
        began = lab.github.now()
        for line in self.commands:
            show.command(line)
            lab.shell(line)
        changed = lab.github.now()
        after = {**before, **self.expected}
        arrived = self.wait(lab, before, after, began, changed)
        show.differences(before, after, self.expected)
        if all(before.get(key) == record for key, record in self.expected.items()):
            took = f"told again, and the same, {arrived - changed:.1f} s after the change"
        else:
            since = "first command" if self.commands else "step before"
            took = f"at GitHub {arrived - began:.1f} s after the {since}"
        show.say(f"    ok: {took}", "green")
        return after

    def wait(self, lab: Lab, before: dict, after: dict, began: float, changed: float) -> float:
        """Waits until GitHub has been told all of this step and holds what it must. Gives when the
        last of it came."""
        deadline = began + PATIENCE
        while True:
            held = lab.github.records()
            told = [self.told(lab.github, key, before, began, changed) for key in self.expected]
            if held == after and all(told):
                self.check_on_the_way(lab.github, before, after, began)
                return max(told)
            lab.recorder_must_run()
            if lab.github.now() > deadline:
                raise Mismatch(held, after, [key for key, at in zip(self.expected, told) if not at])
            time.sleep(0.05)

    def told(
        self, github: GitHub, key: Key, before: dict, began: float, changed: float
    ) -> "float | None":
        """When GitHub was first told what this step expects of a record: what changes, since the
        step began; what stays, by a report that has seen the change."""
        record = self.expected[key]
        since = changed + FRESH if before.get(key) == record else began
        return next((at for at, said in github.writes(key, since) if said == record), None)

    def check_on_the_way(self, github: GitHub, before: dict, after: dict, began: float) -> None:
        """Nothing else was said meanwhile, not even for a moment; and nothing that GitHub refuses."""
        for key in after:
            for at, said in github.writes(key, began):
                if said not in (before.get(key), after[key]):
                    when = f"{at - began:.1f} s into the step"
                    raise Mismatch({key: said}, {key: after[key]}, [], when)
        if github.violations():
            raise Trouble(f"GitHub would not have taken this: {github.violations()}")


class Mismatch(Trouble):
    """GitHub does not hold what is written."""

    def __init__(self, held: dict, after: dict, silent: list, when: str = ""):
        lines = [f"not as written{', ' + when if when else f' after {PATIENCE:.0f} s'}:"]
        for key in sorted({*held, *after}):
            written, told = after.get(key), held.get(key)
            if written != told:
                lines += [f"  {' '.join(key)}"]
                lines += [f"    written: {plain(written)}", f"    GitHub:  {plain(told)}"]
            elif key in silent:  # it holds what it must, but nobody has said so since the change
                lines += [f"  {' '.join(key)}: no full report has repeated it"]
        super().__init__("\n".join(lines))


def plain(record) -> str:
    return " ".join(field or "-" for field in record) if record else "no record"


def up(lab: Lab, leave: bool) -> None:
    """The whole demo."""
    begun = time.monotonic()
    lab.prepare(parent=None if leave else os.getpid())
    state: dict = {}
    folders = sorted(folder for folder in STEPS.iterdir() if folder.is_dir())
    for folder in folders:
        state = Step(folder).run(lab, state)
    show.say()
    show.say(f"{len(folders)} steps, each ended as written, {time.monotonic() - begun:.0f} s.", "green")
    if leave:
        lab.say_how_to_look()


def guarded(lab: Lab, leave: bool) -> int:
    """Takes everything down when something fails, when it is interrupted, or when it was asked to."""
    status = 1
    try:
        up(lab, leave)
        status = 0
    except Trouble as trouble:
        show.say(f"    {str(trouble).replace(chr(10), chr(10) + '    ')}", "red")
        lab.say_where_logs_are()
    except OSError as error:  # GitHub's stand-in has gone away, or a file cannot be written
        show.say(f"    {error}", "red")
        lab.say_where_logs_are()
    except KeyboardInterrupt:
        show.say("\ninterrupted", "red")
        status = 130
    finally:
        if not leave or status:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            lab.down()
    return status


def main(arguments: list) -> int:
    lab = Lab()
    leave = os.environ.get("DEMO_EXIT", "") in ("", "0")
    if arguments == ["down"]:
        lab.down()
        return 0
    if arguments[:1] == ["recorder"] and arguments[1:] in (["start"], ["kill"]):
        lab.recorder(arguments[1])
        return 0
    if arguments != ["up"]:
        show.say(__doc__.strip())
        return 64
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    with lab.lock() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show.say("another `make demo` is running in this folder; wait for it or interrupt it", "red")
            return 1
        if lab.processes.running():
            page = lab.processes.read().get("page", "")
            show.say(f"a demo is up already: {page}\n`make demo-down` ends it", "red")
            return 1
        return guarded(lab, leave)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
