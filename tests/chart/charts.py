"""The chart rendered by Helm, in either version, and the objects that come out."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "deployment-recorder"
VALUES = Path(__file__).with_name("values")
RELEASE, NAMESPACE = "rec", "records"
HELMS = ("helm3", "helm4")

# The C reader is ten times as fast as the other.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# That of the chart, which is that of the program: no test has it written in, so that it can be raised.
VERSION = yaml.load((CHART / "Chart.yaml").read_text(), Loader=Loader)["version"]
# The flags of `run` and `decommission`, as the program lists them (tests/chart.rs).
FLAGS = yaml.load((ROOT / "tests" / "chart" / "flags.yaml").read_text(), Loader=Loader)
# The recorder's image where no value says another.
IMAGE = f"ghcr.io/deployment-recorder/deployment-recorder:{VERSION}"


class Refused(Exception):
    """What Helm said when it did not render the chart."""


@cache
def program(name: str) -> str:
    """The path of a program: that in the variable of its name, else the one that is built for tests."""
    given = os.environ.get(name.upper())
    if given:
        return given
    where = [ROOT / "tests" / "tools" / "build", "--where", name]
    return subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()


def values_files() -> "dict[str, Path]":
    """The values that the chart is rendered with, by name."""
    return {file.stem: file for file in sorted(VALUES.glob("*.yaml"))}


def load(text: str) -> list:
    """The documents of some YAML, empty ones left out."""
    return [document for document in yaml.load_all(text, Loader=Loader) if document]


def helm(version: str, *arguments, chart=CHART, **options) -> str:
    """What Helm prints; `Refused` with what it complains about if it fails."""
    command = [program(version), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    return done.stdout


def render(version: str, *arguments, release=RELEASE, namespace=NAMESPACE, chart=CHART) -> list:
    """The objects of the chart with these arguments (`--values`, `--set`)."""
    return load(helm(version, "template", release, chart, "--namespace", namespace, *arguments))


def side_by_side(work, items) -> dict:
    """What the work gives for each item, several at a time: Helm is a process that is waited for. What was
    refused is among the results."""

    def one(item):
        try:
            return item, work(*item)
        except Refused as refused:
            return item, refused

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(one, items))


@cache
def all_rendered() -> "dict[tuple[str, str], list | Refused]":
    """The objects for each file of values and each version of Helm, rendered once."""
    pairs = [(name, version) for name in values_files() for version in HELMS]
    return side_by_side(lambda name, version: render(version, "--values", values_files()[name]), pairs)


def rendered(name: str, version: str = "helm4") -> list:
    """The objects for one file of values."""
    objects = all_rendered()[name, version]
    if isinstance(objects, Refused):
        raise objects
    return objects


def of_kind(objects: list, kind: str, component: "str | None" = None) -> list:
    """The objects of a kind, and of a component of the chart."""
    label = "app.kubernetes.io/component"
    found = [it for it in objects if it["kind"] == kind]
    return [it for it in found if component in (None, it["metadata"].get("labels", {}).get(label))]


def one(objects: list, kind: str, component: "str | None" = None) -> dict:
    """The only object of a kind and component."""
    (found,) = of_kind(objects, kind, component)
    return found


def pods(objects: list) -> "dict[str, dict]":
    """Pods and templates of pods, as {metadata, spec}, by what they are of."""
    found = {}
    for it in objects:
        named = f"{it['kind']} {it['metadata']['name']}"
        if it["kind"] == "Pod":
            found[named] = it
        elif isinstance(it.get("spec"), dict) and "template" in it["spec"]:
            found[named] = it["spec"]["template"]
    return found


def recorder(objects: list) -> dict:
    """The recorder's container."""
    containers = one(objects, "Deployment", "recorder")["spec"]["template"]["spec"]["containers"]
    (found,) = [it for it in containers if it["name"] == "recorder"]
    return found


def flags(container: dict) -> "dict[str, str]":
    """The arguments of a container as name and value; a flag without a value has an empty one."""
    typed = [it for it in container["args"] if it.startswith("--")]
    return {name[2:]: value for name, _, value in (it.partition("=") for it in typed)}
