"""Chaos: the recorder on a real control plane while people and faults do what they want.

    MINUTES=30 SEED=1 tests/tools/python tests/chaos/run.py        as `make chaos` does

CHAOS_PROGRAMS names the folder of deployment-recorder and github-sandbox; else they are built. Exits 0 if
nothing was wrong at any time and GitHub ends up equal to the cluster, by the oracle here and by `verify`.
What was done, sent and said is in target/chaos/ afterwards."""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

# What GitHub's stand-in says and how to wait for things is the same as on a real node.
sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))

from faults import Faults
from judge import Judge
from observer import Observer
from operations import LEAST, Operations
from processes import HOME, run
from summary import summary_of
from world import World

# In how much time GitHub is right when all is well again: the interval, what a workload may be idle, the
# longest pause after failures (a minute), on a machine that others use too.
SETTLED = 300.0
# And so long it has to stay so.
STAYS = 5.0
# In so many seconds every kind of fault has its turn so often, and people get so much done in each of them.
# What is shorter need not.
WHOLE, STRIKES = 360.0, 3
# What one process knows of the pace that GitHub asks for, the next one does not: the two may write at once,
# or too soon one after the other. Nor does it know of the hour, whose limits are out of reach in half of one.
ONE_PROCESS = ("overlap", "too_soon")
HOURLY, HALF_AN_HOUR = ("per_hour", "polite_hour"), 1800.0


class Chronicle:
    """What happened when, in target/chaos/chronicle.log and for whoever looks on."""

    def __init__(self):
        self.began = time.monotonic()
        self.file = (HOME / "chronicle.log").open("w")
        self.lock = threading.Lock()

    def __call__(self, text: str) -> None:
        with self.lock:
            self.file.write(f"{time.monotonic():.1f} {time.monotonic() - self.began:7.1f} s  {text}\n")
            self.file.flush()


class Chaos:
    """One run."""

    def __init__(self, minutes: float, seed: int, world: World):
        self.seconds, self.seed, self.world = minutes * 60, seed, world
        self.wrong: "list[str]" = []
        self.settled = 0.0
        self.stop = threading.Event()

    def live(self) -> None:
        begun = time.monotonic()
        self.world.start()
        self.chronicle = Chronicle()
        self.observer = Observer(self.world.api)
        self.judge = Judge(self.observer, self.world.github, HOME)
        self.operations = Operations(self.world.api, self.seed, self.judge)
        self.faults = Faults(self.world, self.seed, self.chronicle)
        self.observer.start()
        say(f"a control plane and GitHub's stand-in are up: {time.monotonic() - begun:.0f} s")
        self.operations.begin()
        self.world.start_recorders()
        self.judge.start()
        took = self.until_equal(SETTLED)
        say(f"{len(self.judge.seen)} containers are there and told: {time.monotonic() - begun:.0f} s")
        if not took:
            return
        self.rage()
        say(f"{self.operations.done} operations, {sum(self.faults.done.values())} faults; all is well again")
        self.settled = self.until_equal(SETTLED)
        self.ask_verify()

    def rage(self) -> None:
        """People and faults, both at once."""
        planned = self.faults.plan(self.seconds)
        people = threading.Thread(
            target=self.operations.go_on, args=(time.monotonic() + self.seconds, self.stop), daemon=True
        )
        self.chronicle("begins")
        began = time.monotonic()
        people.start()
        threading.Thread(target=self.tell, args=(began,), daemon=True).start()
        self.faults.go_on(planned, self.stop)
        people.join(self.seconds + 300)
        self.lasted = time.monotonic() - began
        self.stop.set()
        self.chronicle("all is well again")
        for failure in (self.operations.failure, self.faults.failure):
            if failure:
                self.wrong.append(f"this test itself failed: {failure!r}")
        if people.is_alive():
            self.wrong.append("operations did not come to an end")
        self.wrong += [f"a fault did not come to an end: {kind}" for kind in self.faults.unended]
        if self.seconds >= WHOLE:
            self.wrong += self.lacking()

    def lacking(self) -> "list[str]":
        """What does not make a whole run of it."""
        rate, done = self.operations.done / self.lasted, self.faults.done
        slow = [f"{rate:.2f} operations a second, at least {LEAST:g} are asked for"] if rate < LEAST else []
        seldom = [kind for kind in sorted(self.faults.kinds) if done.get(kind, 0) < STRIKES]
        return slow + [f"struck {done.get(kind, 0)} times, not {STRIKES}: {kind}" for kind in seldom]

    def tell(self, began: float) -> None:
        """A line every five minutes, for who waits."""
        while not self.stop.wait(300):
            minutes, wrong = (time.monotonic() - began) / 60, [*self.judge.wrong, *self.world.wrong]
            done = f"{self.operations.done:,} operations, {sum(self.faults.done.values())} faults"
            say(f"{minutes:.0f} min: {done}, {len(wrong) or 'nothing'} wrong")
            self.chronicle(f"wrong so far: {wrong}")

    def until_equal(self, patience: float) -> float:
        """How long it took until GitHub was, and stayed, what the cluster is; 0: it did not come to be."""
        began = time.monotonic()
        equal_since, differing, told = None, [], -1
        while (now := time.monotonic()) < began + patience and not self.broken():
            # What has just been changed is not seen yet.
            differing = self.judge.differences() if self.observer.sees_all() else ["not all is seen"]
            equal_since = None if differing else equal_since or now
            if len(differing) != told:
                told = len(differing)
                self.chronicle(f"{told} differences" + (f", such as {differing[0]}" if told else ""))
            if equal_since and now - equal_since > STAYS:
                return max(equal_since - began, 0.1)
            time.sleep(0.5)
        self.wrong.append(f"GitHub differs from the cluster {patience:.0f} s after all is well:")
        self.wrong += [f"  {it}" for it in differing[:40]]
        (HOME / "differences.txt").write_text("\n".join(differing) + "\n")
        return 0.0

    def broken(self) -> "Exception | None":
        """Why there is nothing more to be seen."""
        return self.observer.error or self.judge.error

    def ask_verify(self) -> None:
        status, output = self.world.recorders[0].verify()
        if status:
            self.wrong.append(f"`verify` exits with {status}:")
            self.wrong += [f"  {line}" for line in output.splitlines()[-15:]]

    def conclude(self) -> None:
        """What was wrong on the way."""
        self.judge.stop()
        self.observer.stop()
        if error := self.broken():
            self.wrong.append(f"this test itself failed: {error!r}")
        self.wrong += self.judge.wrong + self.world.wrong
        self.pace = Counter()
        for told in self.world.github.violations():
            violation = told["violation"]
            # `overlap` is only a word, the others have a value.
            kind = violation if isinstance(violation, str) else next(iter(violation))
            if kind in ONE_PROCESS or kind in HOURLY and self.seconds > HALF_AN_HOUR:
                self.pace[kind] += 1
            else:
                broken = "the contract" if kind == "contract" else "a limit on writes"
                self.wrong.append(f"request {told['request']} breaks {broken}: {violation}")
        for recorder in self.world.recorders:
            said = recorder.log.read_text(errors="replace")
            if "panicked" in said:
                self.wrong.append(f"recorder {recorder.name} panicked: see {recorder.log}")


def main() -> int:
    minutes = float(os.environ.get("MINUTES") or 30)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    say(f"chaos for {minutes:g} minutes; SEED={seed} does the same again")
    world = World(programs())
    chaos = Chaos(minutes, seed, world)
    begun = time.monotonic()
    summary = ""
    try:
        chaos.live()
        chaos.conclude()
        if hasattr(chaos, "lasted"):
            summary = summary_of(chaos)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        chaos.stop.set()
        world.end()
    for line in chaos.wrong:
        say(line)
    if chaos.wrong:
        say(f"what happened: {HOME}/chronicle.log, requests.jsonl, recorder-*.log, control-plane/logs/")
        say(f"again: make chaos MINUTES={minutes:g} SEED={seed}")
    ended = "1 failed" if chaos.wrong else "1 passed"
    say(f"{summary or 'chaos:'} {ended}, {time.monotonic() - begun:.0f} s in all")
    return 1 if chaos.wrong else 0


def programs() -> Path:
    """Where the recorder and the sandbox are; both from one build, as for the demo."""
    if given := os.environ.get("CHAOS_PROGRAMS"):
        return Path(given).resolve(strict=True)
    run("cargo", "build", "--locked", "--profile", "ci", "--features", "sandbox", "--bins", show=True)
    about = json.loads(run("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"))
    return Path(about["target_directory"]) / "ci"


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
