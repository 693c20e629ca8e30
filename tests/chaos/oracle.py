"""The oracle: what GitHub is to hold of the objects that are in the cluster. It is written from what is
promised to users (docs/configuration.md), and shares no code with the recorder."""

import enum
from typing import NamedTuple

PREFIX = "metadata.github.com/"
# Through these a pod leads to who is recorded.
PASSED = ("ReplicaSet", "Job")
COMPLETES = ("Job", "CronJob")
# The states of a container that once ran.
BEGAN = {"running", "terminated"}


class Source(NamedTuple):
    """One container of one workload."""

    namespace: str
    workload: str
    container: str

    @property
    def record(self) -> str:
        return "-".join(self)

    @classmethod
    def of(cls, record: str) -> "Source":
        """No name that operations choose has a hyphen."""
        return cls(*record.split("-"))


class Standing(enum.Enum):
    """How a source stands."""

    RUNS = "there is a record of it, as told"
    STAYS = "a record that there was may stay"
    IDLE = "the same, until it was idle for too long"
    ENDS = "there is no record of it, or one that ended"


class Told(NamedTuple):
    """What a record says: any of these images, each with its digest; tags, risks."""

    images: "frozenset[tuple[str, str, str]]"
    tags: "tuple[str, ...]"
    risks: "tuple[str, ...]"


class Seen(NamedTuple):
    standing: Standing
    told: "Told | None"
    # The workload object, which another of the same name is not.
    uid: str


def look(objects: "dict[str, dict[str, dict]]") -> "dict[Source, Seen]":
    """Every source of the cluster."""
    namespaces = {it["metadata"]["name"]: it for it in objects["Namespace"].values()}
    pods: "dict[tuple[str, str], list[dict]]" = {}
    for pod in objects["Pod"].values():
        if workload := owner(pod, objects):
            pods.setdefault(workload, []).append(pod)
    seen: "dict[Source, Seen]" = {}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Fleet", "Pod"):
        for uid, thing in objects[kind].items():
            namespace = namespaces.get(thing["metadata"]["namespace"])
            is_owned = kind in ("Job", "Pod") and controller(thing) is not None
            if namespace is None or is_owned:
                continue
            for source, standing, told in weigh(kind, thing, namespace, pods.get((kind, uid), [])):
                seen[source] = Seen(standing, told, uid)
    return seen


def weigh(kind: str, thing: dict, namespace: dict, pods: "list[dict]"):
    """How each container of a workload stands."""
    about = thing["metadata"]
    if kind not in COMPLETES:
        pods = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    names = {container["name"] for pod in pods for container in containers(pod)}
    # A pod has the last word on that: without one it is not known (README.md).
    ignored = pods and any(said(it, "ignore") == "true" for it in (namespace, thing, *pods))
    if not any(
        is_leading(pod) for pod in pods
    ):  # who lost a container, or has no pods, is not known for sure
        names |= {"web", "proxy"} if kind != "Pod" else set()
    for name in names:
        source = Source(about["namespace"], about["name"], name)
        speakers = evidence(kind, pods, name)
        if ignored:
            yield source, Standing.ENDS, None
        elif speakers:
            yield source, Standing.RUNS, told(speakers, name, (namespace, thing))
        elif pods or kind in COMPLETES:
            yield source, Standing.STAYS, None
        else:
            yield source, Standing.IDLE, None


def evidence(kind: str, pods: "list[dict]", name: str) -> "list[dict]":
    """The pods that speak for a container: usually one, more if they were made in the same second."""
    if kind in COMPLETES:
        began = [pod for pod in pods if {state(pod, it["name"]) for it in containers(pod)} & BEGAN]
        newest = max((pod["metadata"]["creationTimestamp"] for pod in began), default="")
        speaking = [pod for pod in began if pod["metadata"]["creationTimestamp"] == newest]
        return [pod for pod in speaking if digest(pod, name)]
    running = [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"] and state(pod, name) == "running" and digest(pod, name)
    ]
    best = max(map(order, running), default=None)
    return [pod for pod in running if order(pod) == best]


def order(pod: dict) -> tuple:
    """What is ready goes before what is new."""
    return is_ready(pod), pod["metadata"]["creationTimestamp"]


def told(speakers: "list[dict]", name: str, above: "tuple[dict, dict]") -> Told:
    images = frozenset((*parted(image(pod, name)), digest(pod, name)) for pod in speakers)
    tags: "dict[str, str]" = {}
    risks: "set[str]" = set()
    for thing in (*above, speakers[0]):  # nearer to the pod wins; risks are all of them
        for key, value in thing["metadata"].get("annotations", {}).items():
            key = key.removeprefix(PREFIX) if key.startswith(PREFIX) else ""
            if key == "runtime-risks":
                risks.update(value.split(","))
            elif key not in ("", "ignore", "repository"):
                tags[key] = value
    return Told(images, tuple(sorted(f"{key}={value}" for key, value in tags.items())), tuple(sorted(risks)))


def owner(pod: dict, objects: dict) -> "tuple[str, str] | None":
    """Kind and uid of who is recorded; none where the way there ends at something that is not there."""
    kind, thing = "Pod", pod
    while above := controller(thing):
        kind, thing = above["kind"], objects.get(above["kind"], {}).get(above["uid"])
        if thing is None:
            return None
        if kind not in PASSED:
            break
    return kind, thing["metadata"]["uid"]


def controller(thing: dict) -> "dict | None":
    owners = thing["metadata"].get("ownerReferences", [])
    return next((it for it in owners if it.get("controller")), None)


def said(thing: dict, key: str) -> "str | None":
    return thing["metadata"].get("annotations", {}).get(f"{PREFIX}{key}")


def containers(pod: dict) -> "list[dict]":
    return pod["spec"]["containers"]


def status(pod: dict, name: str) -> dict:
    return next((it for it in pod["status"].get("containerStatuses", []) if it["name"] == name), {})


def state(pod: dict, name: str) -> str:
    return next(iter(status(pod, name).get("state", {})), "")


def is_ready(pod: dict) -> bool:
    return any(it["type"] == "Ready" and it["status"] == "True" for it in pod["status"].get("conditions", []))


def is_leading(pod: dict) -> bool:
    """Whether it is there to stay and something in it runs."""
    running = any(state(pod, container["name"]) == "running" for container in containers(pod))
    return running and "deletionTimestamp" not in pod["metadata"]


def image(pod: dict, name: str) -> str:
    return next((it["image"] for it in containers(pod) if it["name"] == name), "")


def digest(pod: dict, name: str) -> str:
    """As it is written, else as the runtime says it."""
    return image(pod, name).partition("@")[2] or status(pod, name).get("imageID", "").partition("@")[2]


def parted(image: str) -> "tuple[str, str]":
    """Name and version; every image here names its registry, which has no port, and a tag."""
    name, _, version = image.partition("@")[0].rpartition(":")
    return name, version
