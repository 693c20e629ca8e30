"""What GitHub holds, as github-sandbox tells it, and what it must hold, as a step's file says.
Nothing here knows the cluster or the recorder."""

import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

CLUSTER = "demo"


class Key(NamedTuple):
    """What a record is found by, within the cluster of the demo."""

    environment: str
    record: str


class Record(NamedTuple):
    """What a record says. Sets are joined in order, what is empty is the empty string."""

    status: str
    image: str
    version: str
    repository: str
    tags: str
    risks: str
    digest: str


COLUMNS = Key._fields + Record._fields


def read_expected(path: Path) -> dict:
    """The records that a file lists by columns; `-` stands for empty, `#` begins a comment."""
    lines = [line.split() for line in path.read_text().splitlines() if line.split("#")[0].strip()]
    if not lines or tuple(lines[0]) != COLUMNS:
        raise ValueError(f"{path}: the first line must be: {' '.join(COLUMNS)}")
    records = {}
    for fields in lines[1:]:
        if len(fields) != len(COLUMNS):
            raise ValueError(f"{path}: {len(fields)} columns instead of {len(COLUMNS)}: {fields}")
        fields = ["" if field == "-" else field for field in fields]
        records[Key(*fields[:2])] = Record(*fields[2:])
    return records


class GitHub:
    """The sandbox's own interface, at `url`."""

    def __init__(self, url: str):
        self.url = url

    def ask(self, path: str, **query) -> dict:
        url = f"{self.url}/sandbox/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def now(self) -> float:
        """Its clock. All moments are told by it: seconds since it was started."""
        return self.ask("healthz")["at"]

    def records(self) -> dict:
        """Every record that it holds."""
        return dict(map(read_record, self.ask("records")["records"]))

    def writes(self, key: Key, since: float) -> list:
        """What it was told of a record since then, each with its moment."""
        query = {"environment": key.environment, "name": key.record}
        changes = self.ask("records/history", **query)["changes"]
        told = ((change["at"], read_record(change["record"])[1]) for change in changes)
        return [(at, record) for at, record in told if at >= since]

    def violations(self) -> list:
        """Requests that GitHub would not have taken, or not so soon."""
        return self.ask("violations")["violations"]


def read_record(told: dict) -> tuple:
    environment = told["logical_environment"]
    if told["physical_environment"] or told["cluster"] != CLUSTER:
        # Nothing in the demo asks for that, and no file lists it: it must be seen as a difference.
        environment = f"{environment}/{told['physical_environment']}/{told['cluster']}"
    tags = sorted(f"{tag}={value}" for tag, value in told["tags"].items())
    record = Record(
        told["status"], told["name"], told["version"] or "", told["github_repository"] or "",
        ",".join(tags), ",".join(sorted(told["runtime_risks"])), told["digest"],
    )
    return Key(environment, told["deployment_name"]), record
