"""What goes wrong: one fault every ten seconds, each kind in turn, in an order and of a length that the seed
says. Those that would be in each other's way wait for each other."""

import dataclasses
import random
import signal
import threading
import time

from api import Refused, Unreachable
from recorder import Recorder
from world import ROLE, World
from workloads import GROUP

EVERY = 10.0
# Seconds that most faults last, and those that are to outlast a Lease (15 s).
SHORT, LONG = (3.0, 8.0), (17.0, 20.0)
# In how many a recorder that was killed is back, on a machine that others use too.
BACK = 30.0
MAY_BE_LONG = ("stop recorder", "cut off API", "stall API", "cut off GitHub")
# What a recorder may be forbidden to see.
SEEN = (
    ("", "pods"),
    ("", "namespaces"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    (GROUP, "fleets"),
)
# After how many seconds GitHub fails no more, although no request met it.
UNMET = 60.0
# How GitHub fails (docs/sandbox.md).
GITHUB = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "bare", "status": 502},
    {"kind": "throttled", "status": 429, "retry_after": 4},
    {"kind": "lost"},
    {"kind": "reset"},
    {"kind": "html", "applied": True},
    {"kind": "wrong_shape", "applied": True},
    {"kind": "slow", "millis": 4000},
)


@dataclasses.dataclass
class Fault:
    """One of them, as it was planned."""

    at: float
    kind: str
    lasts: float
    # Whether it strikes both recorders, or etcd and API server together.
    both: bool
    luck: random.Random


class Faults:
    """The whole run's."""

    def __init__(self, world: World, seed: int, chronicle):
        self.world, self.chronicle = world, chronicle
        self.dice = random.Random(f"faults {seed}")
        recorder, rights, api_line, github_line, github = (threading.Lock() for _ in range(5))
        # What each does, and what only one of them may do something to at a time.
        self.kinds = {
            "kill recorder": (self.kill_recorder, recorder),
            "stop recorder": (self.stop_recorder, recorder),
            "kill apiserver": (self.kill_apiserver, world.plane_lock),
            "stop apiserver": (self.stop_apiserver, world.plane_lock),
            "kill etcd": (self.kill_etcd, world.plane_lock),
            "stop etcd": (self.stop_etcd, world.plane_lock),
            "take rights": (self.take_rights, rights),
            "cut off API": (self.cut_off_api, api_line),
            "stall API": (self.stall_api, api_line),
            "cut off GitHub": (self.cut_off_github, github_line),
            "stall GitHub": (self.stall_github, github_line),
            "GitHub fails": (self.fail_github, github),
        }
        # How often each struck something, and those that did not come to an end.
        self.done: "dict[str, int]" = {}
        self.unended: "list[str]" = []
        self.failure: "Exception | None" = None

    def plan(self, seconds: float) -> "list[Fault]":
        """Every kind once, in any order, then every kind again."""
        planned: "list[Fault]" = []
        round_: "list[str]" = []
        while (at := 2.0 + EVERY * len(planned)) < seconds - 2:
            if not round_:
                round_ = self.dice.sample(sorted(self.kinds), len(self.kinds))
            kind = round_.pop()
            long = self.dice.random() < 0.35 and kind in MAY_BE_LONG
            lasts = self.dice.uniform(*(LONG if long else SHORT))
            luck = random.Random(self.dice.random())
            planned.append(Fault(at, kind, lasts, self.dice.random() < 0.4, luck))
        return planned

    def go_on(self, planned: "list[Fault]", stop: threading.Event) -> None:
        """All of them, each at its time, and until the last one is over."""
        began = time.monotonic()
        running = []
        for fault in planned:
            if stop.wait(max(0.0, began + fault.at - time.monotonic())):
                break
            thread = threading.Thread(target=self._strike, args=(fault,), daemon=True, name=fault.kind)
            thread.start()
            running.append(thread)
        for thread in running:
            thread.join(240)
        self.unended = [thread.name for thread in running if thread.is_alive()]

    def _strike(self, fault: Fault) -> None:
        act, lock = self.kinds[fault.kind]
        try:
            with lock:
                self.chronicle(f"{fault.kind} for {fault.lasts:.1f} s{', both' if fault.both else ''}")
                hit = act(fault)
                self.chronicle(f"{fault.kind}: over" + ("" if hit else ", and nothing was hit"))
            self.done[fault.kind] = self.done.get(fault.kind, 0) + hit
        except Exception as error:  # shown by who waits for these threads
            self.failure = error
            self.chronicle(f"{fault.kind}: {error!r}")

    def struck(self, fault: Fault) -> "list[Recorder]":
        """Recorders that run. Whoever was killed is back in a moment, which is waited for."""
        deadline = time.monotonic() + BACK
        while not (there := [it for it in self.world.recorders if it.runs()]):
            if time.monotonic() > deadline:
                return []
            time.sleep(0.2)
        leader = self.world.leader()
        return there if fault.both else [leader if leader in there else there[0]]

    # The recorder. Each gives, as all that follow, whether something was hit.

    def kill_recorder(self, fault: Fault) -> bool:
        struck = self.struck(fault)
        hit = [recorder.kill() for recorder in struck]
        time.sleep(min(fault.lasts, 3.0))
        for recorder in struck:
            recorder.start()
        return any(hit)

    def stop_recorder(self, fault: Fault) -> bool:
        struck = self.struck(fault)
        hit = [recorder.pause() for recorder in struck]
        time.sleep(fault.lasts)
        for recorder in struck:
            recorder.go_on()
        return any(hit)

    # The control plane.

    def stop_apiserver(self, fault: Fault) -> bool:
        return self._stop(fault, "kube-apiserver")

    def stop_etcd(self, fault: Fault) -> bool:
        return self._stop(fault, "etcd")

    def _stop(self, fault: Fault, component: str) -> bool:
        hit = self.world.signal(component, signal.SIGSTOP)
        time.sleep(fault.lasts)
        self.world.signal(component, signal.SIGCONT)
        return hit

    def kill_apiserver(self, fault: Fault) -> bool:
        return self._kill("kube-apiserver")

    def kill_etcd(self, fault: Fault) -> bool:
        return self._kill("etcd", *(["kube-apiserver"] if fault.both else []))

    def _kill(self, *components: str) -> bool:
        hit = [self.world.signal(component, signal.SIGKILL) for component in components]
        self.world.restart(*components)
        return all(hit)

    # What is between them.

    def take_rights(self, fault: Fault) -> bool:
        """Watches that are open go on without rights, so they are ended."""
        taken = fault.luck.sample(SEEN, fault.luck.randint(1, 3))
        self.chronicle(f"take rights: {', '.join(kind for _, kind in taken)}")
        self._rule([left for rule in self.world.rules if (left := without(rule, taken))["resources"]])
        for recorder in self.world.recorders:
            recorder.to_api.reset()
        time.sleep(fault.lasts)
        self._rule(self.world.rules)
        return True

    def _rule(self, rules: "list[dict]") -> None:
        while True:
            try:
                self.world.api.ask("PATCH", ROLE, {"rules": rules}, "application/merge-patch+json")
                return
            except (Unreachable, Refused):
                time.sleep(0.3)

    def cut_off_api(self, fault: Fault) -> bool:
        return self._line(fault, [it.to_api for it in self.struck(fault)], "refuse")

    def stall_api(self, fault: Fault) -> bool:
        return self._line(fault, [it.to_api for it in self.struck(fault)], "stall")

    def cut_off_github(self, fault: Fault) -> bool:
        return self._line(fault, [self.world.to_github], "refuse")

    def stall_github(self, fault: Fault) -> bool:
        return self._line(fault, [self.world.to_github], "stall")

    def _line(self, fault: Fault, links: list, how: str) -> bool:
        for link in links:
            getattr(link, how)()
        time.sleep(fault.lasts)
        for link in links:
            link.heal()
        return bool(links)

    def fail_github(self, fault: Fault) -> bool:
        """For as long as was planned, and until a request met it."""
        failing = fault.luck.choice(GITHUB)
        self.chronicle(f"GitHub fails: {failing}")
        github = self.world.github
        began, since = time.monotonic(), github.now()
        number = github.ask("faults", failing)["number"]
        time.sleep(fault.lasts)
        while not (hit := any(it["faults"] for it in github.requests(since))):
            # Nothing is sent while nothing can be stored: other faults may have to end first.
            if time.monotonic() > began + UNMET:
                break
            time.sleep(0.5)
        github.forget(number)
        return hit


def without(rule: dict, taken: "list[tuple[str, str]]") -> dict:
    """The rule without what is taken; who the cluster is may always be asked."""
    group, listed = rule["apiGroups"][0], "list" in rule["verbs"]
    kept = [resource for resource in rule["resources"] if (group, resource) not in taken or not listed]
    return {**rule, "resources": kept}
