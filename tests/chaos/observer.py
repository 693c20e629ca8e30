"""What is in the cluster, watched from beside the recorder: by lists and watches of its own, straight from
the API server. What it could not see for a while it says."""

import http.client
import json
import threading

from api import PATIENCE, Api, Refused, Unreachable
from workloads import GROUP

# What is watched, by kind; of all but pods only what stands in their metadata.
WATCHED = {
    "Namespace": "/api/v1/namespaces",
    "Pod": "/api/v1/pods",
    "ReplicaSet": "/apis/apps/v1/replicasets",
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "Job": "/apis/batch/v1/jobs",
    "CronJob": "/apis/batch/v1/cronjobs",
    "Fleet": f"/apis/{GROUP}/v1/fleets",
}
METADATA = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io,application/json"


class Observer:
    """The objects by kind and uid, under one lock."""

    def __init__(self, api: Api):
        self.api, self.lock = api, threading.Lock()
        self.objects: "dict[str, dict[str, dict]]" = {kind: {} for kind in WATCHED}
        # Workloads (namespace, name) of which something may have been missed.
        self.missed: "set[tuple]" = set()
        self.events, self.lists = 0, 0
        # Pods as they came that have the state of another one.
        self.mixed_up = 0
        self._seen = {kind: False for kind in WATCHED}
        self._stop = threading.Event()
        self.error: "Exception | None" = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(kind,), daemon=True, name=f"watch {kind}")
            for kind in WATCHED
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()

    def sees_all(self) -> bool:
        return all(self._seen.values())

    def _guarded(self, kind: str) -> None:
        try:
            self._watch(kind)
        except Exception as error:  # shown by who waits for this
            self.error, self._seen[kind] = error, False

    def _watch(self, kind: str) -> None:
        version = ""
        while not self._stop.is_set():
            try:
                if not version:
                    version = self._list(kind)
                version = self._follow(kind, version)
            except (Unreachable, OSError, http.client.HTTPException, ValueError):
                self._seen[kind] = False
                self._stop.wait(0.3)  # what was seen last is asked for from there on
            except Refused as refused:
                self._seen[kind] = False
                # 410: so old that the server does not know what came since. Others: it has just begun.
                version = "" if refused.status in (410, 504) else version
                self._stop.wait(0.3)

    def _list(self, kind: str) -> str:
        answer = self._ask(kind, "", PATIENCE)
        told = json.loads(answer.read())
        found = {item["metadata"]["uid"]: item for item in told["items"] or []}
        with self.lock:
            before = self.objects[kind]
            for uid in {*before, *found}:
                old, new = before.get(uid), found.get(uid)
                if old is None or new is None or version_of(old) != version_of(new):
                    self.missed.add(app(new or old))
            self.objects[kind] = found
        self.lists += 1
        self._seen[kind] = True
        return told["metadata"]["resourceVersion"]

    def _follow(self, kind: str, version: str) -> str:
        query = f"?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={version}"
        # A server that stands still says nothing for as long as a fault lasts; bookmarks come each minute.
        answer = self._ask(kind, query, PATIENCE * 3 / 2)
        self._seen[kind] = True
        while not self._stop.is_set() and (line := answer.readline()):
            event = json.loads(line)
            thing = event["object"]
            if event["type"] == "ERROR":
                raise Refused(thing.get("code", 500), json.dumps(thing))
            version = version_of(thing)
            if event["type"] == "BOOKMARK":
                continue
            self.events += 1
            if kind == "Pod":
                self.mixed_up += is_mixed_up(thing)
            with self.lock:
                if event["type"] == "DELETED":
                    self.objects[kind].pop(thing["metadata"]["uid"], None)
                else:
                    self.objects[kind][thing["metadata"]["uid"]] = thing
        return version

    def _ask(self, kind: str, query: str, timeout: float) -> http.client.HTTPResponse:
        connection = self.api.connection(timeout)
        kinds = "" if kind == "Pod" else METADATA.format("" if query else "List")
        connection.request("GET", WATCHED[kind] + query, headers={"Accept": kinds or "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            text = answer.read().decode(errors="replace")
            connection.close()
            raise Refused(answer.status, text)
        return answer


def version_of(thing: dict) -> str:
    return thing["metadata"]["resourceVersion"]


def is_mixed_up(pod: dict) -> bool:
    """Whether it says of a container to run another image than is asked for. Nobody changes that of a pod
    that is owned."""
    if "ownerReferences" not in pod["metadata"]:
        return False
    asked = {container["name"]: container["image"] for container in pod["spec"]["containers"]}
    said = {it["name"]: it["image"] for it in pod["status"].get("containerStatuses", [])}
    return any(asked.get(name) != image for name, image in said.items())


def app(thing: dict) -> tuple:
    """The workload that something is of, as it is labelled."""
    about = thing["metadata"]
    return about.get("namespace", ""), about.get("labels", {}).get("app", about["name"])
