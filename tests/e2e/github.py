"""What GitHub holds, as github-sandbox tells it. Nothing here knows the recorder; the cluster only as
the way to the sandbox."""

import json
import urllib.parse
import urllib.request
from typing import NamedTuple

from direct import urlopen
from waiting import wait_for


class Record(NamedTuple):
    """What a record says of a container, within one organization and cluster."""

    status: str
    image: str
    version: str
    digest: str
    tags: tuple = ()
    risks: tuple = ()


class GitHub:
    """The sandbox's own interface (docs/sandbox.md), at `url`."""

    def __init__(self, url: str):
        self.url = url

    def ask(self, path: str, body: "dict | None" = None, **query):
        url = f"{self.url}/sandbox/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def now(self) -> float:
        """Its clock, in seconds."""
        return self.ask("healthz")["at"]

    def raw(self, **wanted) -> "list[dict]":
        return self.ask("records", **wanted)["records"]

    def records(self, cluster: str, **wanted) -> "dict[str, Record]":
        """The records of a cluster, by their names."""
        return {told["deployment_name"]: read(told) for told in self.raw(cluster=cluster, **wanted)}

    def comes_to_hold(self, cluster: str, expected: "dict[str, Record]", patience: float = 60.0) -> None:
        """Waits until it holds exactly these records of the cluster."""

        def same() -> bool:
            held = self.records(cluster)
            differing = [it for it in sorted({*held, *expected}) if held.get(it) != expected.get(it)]
            lines = [f"{it}:\n  held     {held.get(it)}\n  expected {expected.get(it)}" for it in differing]
            assert not differing, "\n".join(lines)
            return True

        wait_for(f"GitHub holds the records of {cluster} as expected", same, patience)

    def told(self, environment: str, name: str, since: float) -> "list[Record]":
        """Everything that it was told of a record since then."""
        changes = self.ask("records/history", environment=environment, name=name)["changes"]
        return [read(change["record"]) for change in changes if change["at"] >= since]

    def requests(self, since: float) -> "list[dict]":
        return [entry for entry in self.ask("requests", bodies="false")["requests"] if entry["at"] >= since]

    def violations(self) -> list:
        return self.ask("violations")["violations"]

    def forget(self, fault: int) -> None:
        """Ends a fault, by the number that it was given."""
        request = urllib.request.Request(f"{self.url}/sandbox/faults/{fault}", method="DELETE")
        urlopen(request, timeout=20).close()

    def accept_only(self, token: str) -> None:
        """From now on every other token is refused with 401."""
        self.ask("settings", {"token": token})


def read(told: dict) -> Record:
    tags = tuple(sorted(f"{key}={value}" for key, value in told["tags"].items()))
    risks = tuple(sorted(told["runtime_risks"]))
    return Record(told["status"], told["name"], told["version"] or "", told["digest"], tags, risks)
