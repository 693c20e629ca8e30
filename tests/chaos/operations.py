"""What people do in the cluster, one thing after the other, as the seed says. The order is the same
whatever goes wrong meanwhile: what did not get through is done again until it does.

Namespaces called `steady` are made once and never touched again."""

import random
import threading
import time

from api import MERGE, Api, Refused, Unreachable
from workloads import Workload, image, path

STEADY_NAMESPACES = 3
NAMESPACES = 6
# Of each kind in a steady namespace, and how many workloads move about at the beginning.
STEADY = ("Deployment",) * 7 + ("StatefulSet",) * 3 + ("DaemonSet", "CronJob", "Pod", "Fleet")
KINDS = ("Deployment",) * 10 + ("StatefulSet",) * 4 + ("CronJob",) * 2 + ("DaemonSet", "Job", "Pod", "Fleet")
MOVING = 90
# Operations a second: that many at least are asked for, while the API server cannot answer at times.
LEAST, RATE = 5.0, 7.5
# After a time without an API server what was missed is made up for no faster than so.
FASTEST = 20.0
# How long an operation is tried.
PATIENCE = 240.0
RISKS = ("critical-resource", "internet-exposed", "lateral-movement", "sensitive-data")
PREFIX = "metadata.github.com/"


class Operations:
    """The people. What they will have done is a matter of the seed alone."""

    def __init__(self, api: Api, seed: int, chronicle):
        self.api, self.chronicle = api, chronicle
        self.dice = random.Random(f"operations {seed}")
        self.moving: "dict[tuple, Workload]" = {}
        self.steady: "list[Workload]" = []
        self.namespaces: "list[str]" = []
        self.bad: "set[tuple]" = set()
        self.count, self.names, self.done = 0, 0, 0
        self.by_kind: "dict[str, int]" = {}
        # How often something had to be tried again, for lack of an answer.
        self.again = 0
        self.failure: "Exception | None" = None

    # The run.

    def begin(self) -> None:
        """Everything that is there at the beginning."""
        for index in range(STEADY_NAMESPACES):
            namespace = f"steady{index}"
            self.make_namespace(namespace)
            for kind in STEADY:
                workload = self.fresh(kind, namespace)
                if kind == "CronJob":
                    workload.schedule = "* * * * *"
                self.steady.append(workload)
                self.put(workload)
        for _ in range(NAMESPACES):
            self.namespaces.append(self.make_namespace())
        for _ in range(MOVING):
            self.create()

    def go_on(self, until: float, stop: threading.Event) -> None:
        """Operations until that moment of the monotonic clock."""
        began = last = time.monotonic()
        try:
            while (now := time.monotonic()) < until and not stop.is_set():
                due = began + self.done / RATE
                if now < max(due, last + 1 / FASTEST):
                    time.sleep(min(0.05, max(0.0, max(due, last + 1 / FASTEST) - now)))
                    continue
                last = now
                self.one()
                self.done += 1
        except Exception as error:  # shown by who waits for this thread
            self.failure = error

    def one(self) -> None:
        """One operation."""
        weighed = (
            (self.roll, 22), (self.annotate, 17), (self.scale, 15), (self.roll_back, 6), (self.create, 6),
            (self.scale_up, 5), (self.delete, 4), (self.rename, 4), (self.fire, 4), (self.change_sidecar, 4),
            (self.roll_out_badly, 3), (self.to_zero, 3), (self.lose_pods, 3), (self.opt, 3),
            (self.namespace_comes, 1), (self.namespace_goes, 1),
        )  # fmt: skip
        acts, weights = zip(*weighed)
        while True:  # one that finds nothing to be done on is no operation
            act = self.dice.choices(acts, weights)[0]
            if act():
                name = act.__name__.replace("_", " ")
                self.by_kind[name] = self.by_kind.get(name, 0) + 1
                return

    # Operations: true if there was something to do.

    def create(self, namespace: str = "") -> bool:
        wanted = MOVING * 6 // 5
        if len(self.moving) >= wanted and not namespace:
            return False
        workload = self.fresh(self.dice.choice(KINDS), namespace or self.dice.choice(self.namespaces))
        self.moving[key(workload)] = workload
        self.put(workload)
        return True

    def delete(self) -> bool:
        workload = self.pick()
        if len(self.moving) < MOVING * 4 // 5:
            return False
        self.remove(workload)
        return True

    def rename(self) -> bool:
        """Gone under one name, there under another, or under the same one again."""
        workload = self.pick()
        self.remove(workload)
        if self.dice.random() < 0.6:
            self.names += 1
            workload.name = f"w{self.names}"
        workload.generation += 1
        workload.uid = ""
        self.moving[key(workload)] = workload
        self.put(workload)
        return True

    def roll(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Pod", "Fleet")
        self.bad.discard(key(workload))
        self.change_images(workload)
        return True

    def roll_back(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet", "DaemonSet", "Fleet")
        self.bad.discard(key(workload))
        self.change_images(workload, back=True)
        return True

    def roll_out_badly(self) -> bool:
        """A new image that does not get ready. The old pod stays."""
        workload = self.pick("Deployment")
        if not workload.replicas or key(workload) in self.bad:
            return False
        self.bad.add(key(workload))
        self.change_images(workload, self.dice.choice(("-unready", "-crashes", "-missing")))
        return True

    def scale(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet", "Fleet")
        if not workload.replicas:
            return False
        workload.replicas = 1 + workload.replicas % 2 if self.dice.random() < 0.8 else 3
        self.put(workload)
        return True

    def to_zero(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet", "Fleet")
        if not workload.replicas:
            return False
        workload.replicas = 0
        self.breaks(workload)
        self.put(workload)
        return True

    def scale_up(self) -> bool:
        idle = [it for it in self.moving.values() if not it.replicas]
        if not idle:
            return False
        workload = self.dice.choice(idle)
        workload.replicas = self.dice.randint(1, 2)
        self.put(workload)
        return True

    def annotate(self) -> bool:
        """Tags and risks, others every time; sometimes none."""
        workload = self.pick()
        kept = {key: value for key, value in workload.annotations.items() if key == f"{PREFIX}ignore"}
        if self.dice.random() < 0.8:
            kept[f"{PREFIX}team"] = f"team-{self.dice.randint(1, 9)}"
        if self.dice.random() < 0.5:
            risks = self.dice.sample(RISKS, self.dice.randint(1, 3))
            kept[f"{PREFIX}runtime-risks"] = ",".join(risks)
        workload.annotations = kept
        self.put(workload)
        return True

    def opt(self) -> bool:
        """Out, or in again."""
        workload = self.pick()
        if workload.annotations.pop(f"{PREFIX}ignore", None) is None:
            workload.annotations[f"{PREFIX}ignore"] = "true"
            self.breaks(workload)
        self.put(workload)
        return True

    def change_sidecar(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet")
        if "proxy" in workload.images:
            self.breaks(workload, "proxy")
            del workload.images["proxy"]
        else:
            workload.images["proxy"] = self.image(workload, "proxy")
        self.put(workload)
        return True

    def lose_pods(self) -> bool:
        workload = self.pick("Deployment", "StatefulSet", "DaemonSet")
        where = path("Pod", workload.namespace)
        self.settle("DELETE", f"{where}?labelSelector=app={workload.name}", {"gracePeriodSeconds": 0})
        return True

    def fire(self) -> bool:
        """Starts a CronJob now."""
        crons = [it for it in self.moving.values() if it.kind == "CronJob"]
        if not crons:
            return False
        workload = self.dice.choice(crons)
        workload.fired += 1
        job = workload.job()
        self.apply(path("Job", workload.namespace, job["metadata"]["name"]), job)
        return True

    def namespace_comes(self) -> bool:
        if len(self.namespaces) > NAMESPACES:
            return False
        self.namespaces.append(self.make_namespace())
        for _ in range(3):
            self.create(self.namespaces[-1])
        return True

    def namespace_goes(self) -> bool:
        if len(self.namespaces) < NAMESPACES - 1:
            return False
        namespace = self.namespaces.pop(self.dice.randrange(len(self.namespaces)))
        for workload in [it for it in self.moving.values() if it.namespace == namespace]:
            self.breaks(workload)
            del self.moving[key(workload)]
        self.gone(f"/api/v1/namespaces/{namespace}")
        return True

    # How.

    def fresh(self, kind: str, namespace: str) -> Workload:
        self.names += 1
        workload = Workload(kind, namespace, f"w{self.names}", {})
        for container in ["web", "proxy"] if self.dice.random() < 0.25 else ["web"]:
            workload.images[container] = self.image(workload, container)
        workload.replicas = self.dice.choice((1, 1, 2))
        return workload

    def image(self, workload: Workload, container: str, mark: str = "") -> str:
        version = f"1.{self.dice.randint(0, 4)}.{workload.generation}{mark}"
        pinned = self.dice.random() < 0.3 and not mark
        return image(workload.namespace, workload.name, container, version, pinned)

    def change_images(self, workload: Workload, mark: str = "", back: bool = False) -> None:
        before = dict(workload.images)
        workload.generation += 1
        for container in workload.images:
            workload.images[container] = self.image(workload, container, mark)
        if back:  # to what it once had, under the number that it had then
            workload.images["web"] = image(workload.namespace, workload.name, "web", "1.0.1", False)
        if before != workload.images or workload.kind == "Fleet":
            self.put(workload)

    def pick(self, *kinds: str) -> Workload:
        return self.dice.choice([it for it in self.moving.values() if not kinds or it.kind in kinds])

    def make_namespace(self, name: str = "") -> str:
        if not name:
            self.names += 1
            name = f"moving{self.names}"
        about = {"name": name, "annotations": {f"{PREFIX}stage": "chaos"}}
        self.apply(f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        return name

    def put(self, workload: Workload) -> None:
        """Makes it, or makes it as it is now wanted."""
        self.chronicle.may_run(workload)
        if workload.kind == "Job" and workload.uid:  # only what is written beside it can be changed
            self.merge(workload.path, {"metadata": {"annotations": self.replaced(workload)}})
            return
        workload.uid = self.apply(workload.path, workload.manifest())["metadata"]["uid"]
        workload.known = dict(workload.annotations)
        if workload.kind == "Fleet":
            self.man(workload)

    def replaced(self, workload: Workload) -> dict:
        """Annotations for a merge: what is not there any more is null."""
        gone = {key: None for key in workload.known if key not in workload.annotations}
        workload.known = dict(workload.annotations)
        return {**gone, **workload.annotations}

    def man(self, workload: Workload) -> None:
        """What the operator of fleets does: the pods that are wanted, and then no others."""
        pods = workload.pods()
        for name in pods:
            self.apply(path("Pod", workload.namespace, name), workload.fleet_pod(name))
        for name in [it for it in workload.manned if it not in pods]:
            self.gone(path("Pod", workload.namespace, name))
        workload.manned = pods

    def remove(self, workload: Workload) -> None:
        self.breaks(workload)
        self.bad.discard(key(workload))
        del self.moving[key(workload)]
        self.gone(workload.path)
        for name in workload.manned:
            self.gone(path("Pod", workload.namespace, name))
        workload.manned = []

    def breaks(self, workload: Workload, container: str = "") -> None:
        """From now on records may rightly end."""
        for name in [container] if container else workload.images:
            self.chronicle.may_end((workload.namespace, workload.name, name))

    def apply(self, where: str, thing: dict) -> dict:
        return self.settle("APPLY", where, thing)

    def merge(self, where: str, change: dict) -> dict:
        return self.settle("PATCH", where, change, MERGE)

    def gone(self, where: str) -> None:
        self.settle("DELETE", where, {"propagationPolicy": "Background", "gracePeriodSeconds": 0})

    def settle(self, method: str, where: str, body: dict, form: str = "application/json") -> dict:
        """Asks until it is done, however often there is no answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if method == "APPLY":
                    return self.api.apply(where, body)
                return self.api.ask(method, where, body, form)
            except Unreachable:
                pause = 0.3
            except Refused as refused:
                if method == "DELETE" and refused.status == 404:
                    return {}
                # 403: a namespace is so new that pods have no service account in it.
                if refused.status not in (403, 409, 429) and refused.status < 500:
                    raise RuntimeError(f"{method} {where} {body}") from refused
                pause = 0.15
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {where}: not done after {PATIENCE:.0f} s")
            self.again += 1
            time.sleep(pause)


def key(workload: Workload) -> tuple:
    return workload.kind, workload.namespace, workload.name
