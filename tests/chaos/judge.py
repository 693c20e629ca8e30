"""The judge: what was right at which time, and whether a request to GitHub was true. What it does not know
for certain it does not hold against anybody.

A record that was ended although it was right is a false end. It was right if, by what the observer saw
and nobody had begun to change, it was so at every moment from its last report on, and for STALE seconds at
least: so long a request may be on its way, from what it is made of to GitHub, while a fault holds it up.
Nobody ever touches what is called `steady`: of these no record may be ended at any time.

A report must name an image and a digest that its workload was given, and no workload that is gone for
longer than STALE."""

import hashlib
import json
import threading
import time
from collections import defaultdict
from pathlib import Path

import oracle
from github import read
from observer import Observer
from oracle import Source, Standing
from workloads import Workload

# No plan is older than a minute when it is sent (docs/architecture.md). What it is made of may be as late as
# the longest fault lasts, 20 s, and so may the request be on its way.
STALE = 60.0 + 20.0 + 20.0
# A workload without pods that has them again after less than this was never idle to anybody: --idle-after
# without the longest fault.
NOT_IDLE = 15.0
# Who looks from beside is late too: what ends without having been asked for may have ended so much sooner.
LATE = 30.0
TICK = 0.25


class Past:
    """Since when a source is right, or idle, or gone, and when it was right before."""

    def __init__(self):
        self.since: "float | None" = None
        self.before: "list[tuple[float, float]]" = []
        self.idle: "float | None" = None
        self.gone: "float | None" = None
        # When somebody ended it last, or it was seen not to be right.
        self.ended: "float | None" = None
        self.uid = ""

    def end(self, at: float) -> None:
        if self.since is not None and at > self.since:
            self.before.append((self.since, at))
        self.since = None

    def was_right(self, begin: float, end: float) -> bool:
        spans = [*self.before, *([(self.since, float("inf"))] if self.since is not None else [])]
        return any(since <= begin and end <= until for since, until in spans)


class Judge:
    """All times are of the monotonic clock."""

    def __init__(self, observer: Observer, github, folder: Path):
        self.observer, self.github, self.folder = observer, github, folder
        self.lock = threading.Lock()
        self.pasts: "dict[Source, Past]" = defaultdict(Past)
        # Every image that a source was ever given.
        self.images: "dict[Source, set[str]]" = defaultdict(set)
        self.seen: "dict[Source, oracle.Seen]" = {}
        self.reported: "dict[Source, float]" = {}
        self.wrong: "list[str]" = []
        self.requests, self.reports, self.ends = 0, 0, 0
        # Ends of which it is known whether they were true.
        self.judged = 0
        self.error: "Exception | None" = None
        self._waiting: "list[tuple[float, Source, float | None, int]]" = []
        self._offset = 0.0
        self._after = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="judge")

    # What those who change something say.

    def may_run(self, workload: Workload) -> None:
        with self.lock:
            for container, image in workload.images.items():
                source = Source(workload.namespace, workload.name, container)
                self.images[source].add(image)
                self.pasts[source].gone = None

    def may_end(self, source: tuple) -> None:
        """From this moment on somebody ends it."""
        with self.lock:
            past = self.pasts[Source(*source)]
            past.ended = time.monotonic()
            past.end(past.ended)

    # The time goes on.

    def start(self) -> None:
        self._offset = time.monotonic() - self.github.now()
        self._thread.start()

    def stop(self) -> None:
        """Judges what is left to be judged."""
        self._stop.set()
        self._thread.join(60)

    def _go_on(self) -> None:
        try:
            asked = 0.0
            while not self._stop.wait(TICK):
                self.look()
                if time.monotonic() - asked > 1:
                    asked = time.monotonic()
                    self.read_requests()
                    self.decide(asked - LATE)
            self.look()
            self.read_requests()
            self.decide(float("inf"))
        except Exception as error:  # shown at the end
            self.error = error

    def look(self) -> None:
        with self.observer.lock:
            seen = oracle.look(self.observer.objects)
            missed, self.observer.missed = self.observer.missed, set()
        now = time.monotonic()
        with self.lock:
            self.seen = seen
            for source in {*seen, *self.pasts}:
                past, it = self.pasts[source], seen.get(source)
                if source[:2] in missed or it and it.uid != past.uid:
                    past.end(now - LATE)
                    past.uid = it.uid if it else ""
                self.weigh(past, it, now)

    def weigh(self, past: Past, it: "oracle.Seen | None", now: float) -> None:
        past.idle = (past.idle or now) if it and it.standing is Standing.IDLE else None
        right = it is not None and it.standing is not Standing.ENDS
        past.gone = None if right or not self.observer.sees_all() else past.gone or now
        if not right or past.idle and now - past.idle > NOT_IDLE:
            past.ended = now
            past.end(now - LATE)
        elif past.since is None and it.standing is Standing.RUNS and self.observer.sees_all():
            past.since = now

    def read_requests(self) -> None:
        told = self.github.ask("requests", after=self._after)["requests"]
        with (self.folder / "requests.jsonl").open("a") as log:
            for entry in told:
                # One that is still being answered is asked for again.
                if entry["answered_at"] is None and self.github.now() - entry["at"] < 45:
                    break
                self._after = entry["sequence"]
                log.write(json.dumps({**entry, "monotonic": self._offset + entry["at"]}) + "\n")
                self.requests += 1
                self.read(entry)

    def read(self, entry: dict) -> None:
        """What a request said of each record. One that GitHub did not take said it all the same."""
        at = self._offset + entry["at"]
        body = entry["body"] or {}
        for line in body.get("deployments", []):
            source = Source.of(line["deployment_name"])
            if line["status"] == "deployed":
                self.reports += 1
                self.check_report(source, line, entry["sequence"], at)
                if entry["applied"]:
                    self.reported[source] = at
            else:
                self.ends += 1
                self._waiting.append((at, source, self.reported.get(source), entry["sequence"]))

    def check_report(self, source: Source, line: dict, request: int, at: float) -> None:
        with self.lock:
            given, gone = self.images[source], self.pasts[source].gone
        named = {oracle.parted(image) for image in given}
        digests = {digest_of(image) for image in given}
        # The two need not be of one image: kwok may tell what it had to tell of a pod of a StatefulSet
        # when the next one has that name. In the end they have to be.
        if (line["name"], line.get("version", "")) not in named or line["digest"] not in digests:
            told = f"{line['name']}:{line.get('version', '')}@{line['digest']}"
            self.wrong.append(f"request {request} reports {source.record} as {told}, given {sorted(given)}")
        if gone is not None and at - gone > STALE:
            self.wrong.append(
                f"request {request} reports {source.record}, gone for {at - gone:.0f} s: {line}"
            )

    def decide(self, until: float) -> None:
        """Judges the ends of which all is known by now."""
        while self._waiting and self._waiting[0][0] <= until:
            at, source, reported, request = self._waiting.pop(0)
            if source.namespace.startswith("steady"):
                self.judged += 1
                self.wrong.append(f"request {request} ends {source.record}, which nobody ever touched")
                continue
            begin = min(reported if reported is not None else at, at - STALE)
            with self.lock:
                past = self.pasts[source]
                was_right = past.was_right(begin, at)
                self.judged += was_right or (past.ended is not None and past.ended >= begin)
                if was_right:
                    right = f"was right for at least {at - begin:.0f} s until then"
                    self.wrong.append(f"request {request} ends {source.record}, which {right}")

    # The end.

    def differences(self) -> "list[str]":
        """In what GitHub differs from the cluster, now."""
        held = {record["deployment_name"]: record for record in self.github.raw(status="deployed")}
        with self.lock:
            seen = dict(self.seen)
        said = []
        for source, it in sorted(seen.items()):
            record = held.get(source.record)
            if it.standing is Standing.RUNS:
                if record is None:
                    said.append(f"missing at GitHub: {source.record} {it.told}")
                elif not agrees(record, it.told):
                    said.append(f"told otherwise: {source.record} is {it.told}, GitHub has {record}")
        for name in sorted(held):
            it = seen.get(Source.of(name))
            if it is None or it.standing in (Standing.ENDS, Standing.IDLE):
                said.append(f"deployed at GitHub and not here: {name} ({it.standing.name if it else 'gone'})")
        return said


def agrees(record: dict, told: oracle.Told) -> bool:
    held = read(record)
    is_its_image = (held.image, held.version, held.digest) in told.images
    return is_its_image and (held.tags, held.risks) == (told.tags, told.risks)


def digest_of(image: str) -> str:
    """As tests/tools/kwok/stages.yaml makes it."""
    return image.partition("@")[2] or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"
