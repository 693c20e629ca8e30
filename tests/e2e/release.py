"""A release of the chart in a cluster, as Helm and its pods tell of it."""

import json
from datetime import datetime

from cluster import HOME, ROOT, Cluster, run, tool, try_run
from direct import urlopen
from github import GitHub
from waiting import wait_for

CHART = ROOT / "charts" / "deployment-recorder"


class Release:
    """One release, by one of Helm's versions (`helm3`, `helm4`)."""

    def __init__(self, cluster: Cluster, helm: str, name: str, namespace: str):
        self.cluster = cluster
        self.name = name
        self.namespace = namespace
        # What the chart calls its objects, unless it is told to call them otherwise.
        self.full_name = name if "deployment-recorder" in name else f"{name}-deployment-recorder"
        self.ledger = self.full_name
        self._helm = tool(helm)

    def install(self, **values) -> None:
        self.helm("install", self.name, CHART, "--values", self._file(values), "--wait", "--timeout", "2m")

    def sandbox(self, address: str) -> dict:
        """Values by which GitHub's stand-in is a part of the release. Where a cluster has no names the
        pod is told this one, and the service is given this address."""
        image = {"registry": self.cluster.images, "tag": "e2e"}
        if not self.cluster.ours:
            return {"sandbox": {"enabled": True, "image": image}}
        alias = {"ip": address, "hostnames": [f"{self.full_name}-sandbox.{self.namespace}.svc"]}
        sandbox = {"enabled": True, "image": image, "service": {"clusterIP": address}}
        return {"sandbox": sandbox, "hostAliases": [alias]}

    @property
    def github(self) -> GitHub:
        """That stand-in."""
        return GitHub(self.cluster.service(self.namespace, f"{self.full_name}-sandbox"))

    def upgrade(self, **values) -> None:
        self.helm("upgrade", self.name, CHART, "--values", self._file(values), "--wait", "--timeout", "2m")

    def uninstall(self) -> None:
        self.helm("uninstall", self.name, "--wait", "--timeout", "5m")

    def helm(self, *words) -> str:
        home = HOME / "helm"
        folders = {f"HELM_{what}_HOME": str(home / what.lower()) for what in ("CACHE", "CONFIG", "DATA")}
        where = ["--namespace", self.namespace, "--kubeconfig", self.cluster.kubeconfig]
        return run(self._helm, *words, *where, env=folders)

    def _file(self, values: dict) -> str:
        """Our images in the registry of the test, and what is asked for."""
        ours = {
            "registry": self.cluster.images,
            "repository": "deployment-recorder/deployment-recorder",
            "tag": "e2e",
        }
        file = HOME / f"{self.namespace}-{self.name}.json"
        file.write_text(json.dumps({"image": ours, **values}, indent=2))
        return str(file)

    # Its pods.

    def pods(self, component: str = "recorder") -> "list[dict]":
        labels = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        return self.cluster.items("pods", "--namespace", self.namespace, "--selector", labels)

    def pod(self) -> dict:
        """The one that writes; the only one, mostly."""
        pods = self.pods()
        holder = self.lease_holder()
        return next((pod for pod in pods if holder.startswith(pod["metadata"]["name"])), pods[0])

    def lease_holder(self) -> str:
        leases = self.cluster.items("leases", "--namespace", self.namespace)
        held = [
            lease["spec"].get("holderIdentity")
            for lease in leases
            if lease["metadata"]["name"] == self.ledger
        ]
        return held[0] or "" if held else ""

    def logs(self, pod: "dict | None" = None) -> "list[dict]":
        """What a pod has said, by the API server and the kubelet: each line is a JSON object."""
        name = (pod or self.pod())["metadata"]["name"]
        text = self.cluster.kubectl("logs", name, "--namespace", self.namespace)
        return [json.loads(line) for line in text.splitlines()]

    def last_words(self) -> str:
        """The end of what its pods have said, for whoever looks into a failure."""
        words = [
            "logs",
            "--namespace",
            self.namespace,
            "--selector",
            f"app.kubernetes.io/instance={self.name}",
        ]
        return try_run(
            tool("kubectl"), "--kubeconfig", self.cluster.kubeconfig, *words, "--tail=30", "--prefix"
        )

    def status(self) -> dict:
        """Its /api/status."""
        url = f"{self.cluster.service(self.namespace, self.full_name)}/api/status"
        with urlopen(url, timeout=20) as answer:
            return json.load(answer)

    def source(self, name: str) -> dict:
        """What the recorder sees of the container `namespace/workload/container`."""
        asked = tuple(name.split("/"))
        sources = self.status()["sources"]
        return next((it for it in sources if (it["namespace"], it["workload"], it["container"]) == asked), {})

    # Figures for the reader of a run.

    def seconds_to_ready(self) -> "tuple[float, float]":
        """From the start of the container until the pod was ready, which Kubernetes tells in whole
        seconds, and until the first cycle was done, by the program's own log."""
        pod = self.pod()
        began = moment(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
        ready = next(it for it in pod["status"]["conditions"] if it["type"] == "Ready")
        cycles = lambda: [line for line in self.logs(pod) if message(line) == "cycle done"]
        first = wait_for("a first cycle", cycles)[0]
        worked = moment(first["timestamp"]) - moment(self.logs(pod)[0]["timestamp"])
        return (moment(ready["lastTransitionTime"]) - began).total_seconds(), worked.total_seconds()

    def memory(self) -> int:
        """The working set of the recorder's container in bytes, as the kubelet measures its control group."""
        pod = self.pod()
        node = pod["spec"]["nodeName"]

        def measured() -> int:
            summary = f"/api/v1/nodes/{node}/proxy/stats/summary"
            stats = json.loads(self.cluster.kubectl("get", "--raw", summary))
            pods = [it for it in stats["pods"] if it["podRef"]["uid"] == pod["metadata"]["uid"]]
            containers = [it for of in pods for it in of.get("containers", []) if it["name"] == "recorder"]
            return next((it["memory"].get("workingSetBytes", 0) for it in containers if "memory" in it), 0)

        return wait_for("the kubelet has measured the recorder's memory", measured, 90)


def message(line: dict) -> str:
    return line.get("message", "")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
