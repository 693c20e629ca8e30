"""Workloads of every kind as operations describe them, and as the objects that the API server is given.
Nothing here knows what is recorded of them."""

import dataclasses
import hashlib

REGISTRY = "registry.example"
GROUP = "chaos.example"
# The plural of each kind and where its API is.
PATHS = {
    "Deployment": ("apis/apps/v1", "deployments"),
    "StatefulSet": ("apis/apps/v1", "statefulsets"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "CronJob": ("apis/batch/v1", "cronjobs"),
    "Job": ("apis/batch/v1", "jobs"),
    "Pod": ("api/v1", "pods"),
    "Fleet": (f"apis/{GROUP}/v1", "fleets"),
}
SCALED = ("Deployment", "StatefulSet", "Fleet")
# A kind that is nobody's but ours; whose pods we make ourselves, as its operator would.
FLEETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"fleets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "names": {"kind": "Fleet", "plural": "fleets", "singular": "fleet"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


@dataclasses.dataclass
class Workload:
    """What is wanted of a workload."""

    kind: str
    namespace: str
    name: str
    # Container -> image, as written.
    images: "dict[str, str]"
    replicas: int = 1
    annotations: "dict[str, str]" = dataclasses.field(default_factory=dict)
    schedule: str = "0 0 1 1 *"
    # How often it was rolled out, and how often its Job was started by hand.
    generation: int = 1
    fired: int = 0
    uid: str = ""
    # The pods of a fleet that were made, and the annotations that were written last.
    manned: "list[str]" = dataclasses.field(default_factory=list)
    known: "dict[str, str]" = dataclasses.field(default_factory=dict)

    @property
    def path(self) -> str:
        return path(self.kind, self.namespace, self.name)

    def pods(self) -> "list[str]":
        """The names of a fleet's pods."""
        return [f"{self.name}-{self.generation}-{index}" for index in range(self.replicas)]

    def manifest(self) -> dict:
        made = {
            "apiVersion": PATHS[self.kind][0].split("/", 1)[1],
            "kind": self.kind,
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {"app": self.name},
                "annotations": self.annotations,
            },
        }
        if self.kind == "Pod":
            return {**made, "spec": self.pod_spec()}
        if self.kind == "Fleet":
            return {**made, "spec": {"replicas": self.replicas, "images": self.images}}
        return {**made, "spec": self.spec()}

    def spec(self) -> dict:
        template = {"metadata": {"labels": {"app": self.name}}, "spec": self.pod_spec()}
        selected = {"selector": {"matchLabels": {"app": self.name}}, "template": template}
        if self.kind == "Deployment":
            # A new pod is there before an old one goes.
            steps = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
            return {**selected, "replicas": self.replicas, "strategy": steps, "revisionHistoryLimit": 2}
        if self.kind == "StatefulSet":
            return {**selected, "replicas": self.replicas, "serviceName": self.name}
        if self.kind == "DaemonSet":
            return selected
        job = {"template": template, "backoffLimit": 0}
        if self.kind == "Job":
            return job
        return {"schedule": self.schedule, "jobTemplate": {"spec": job}, "successfulJobsHistoryLimit": 1}

    def pod_spec(self) -> dict:
        return {
            "containers": [{"name": name, "image": image} for name, image in sorted(self.images.items())],
            "restartPolicy": "Never" if self.kind in ("CronJob", "Job") else "Always",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
        }

    def fleet_pod(self, name: str) -> dict:
        owners = [self.owned_by(f"{GROUP}/v1")]
        about = {"name": name, "namespace": self.namespace, "labels": {"app": self.name}}
        metadata = {**about, "ownerReferences": owners}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.pod_spec()}

    def job(self) -> dict:
        """What `kubectl create job --from=cronjob/NAME` makes."""
        about = {"name": f"{self.name}-by-hand-{self.fired}", "namespace": self.namespace}
        metadata = {**about, "ownerReferences": [self.owned_by("batch/v1")]}
        spec = self.spec()["jobTemplate"]["spec"]
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}

    def owned_by(self, version: str) -> dict:
        about = {"apiVersion": version, "kind": self.kind, "name": self.name, "uid": self.uid}
        return {**about, "controller": True}


def path(kind: str, namespace: str, name: str = "") -> str:
    api, plural = PATHS[kind]
    return f"/{api}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def image(namespace: str, name: str, container: str, version: str, pinned: bool) -> str:
    """An image of a workload's own. One in three is written with its digest."""
    tagged = f"{REGISTRY}/{namespace}/{name}/{container}:{version}"
    return f"{tagged}@sha256:{hashlib.sha256(tagged.encode()).hexdigest()}" if pinned else tagged
