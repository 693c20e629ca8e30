"""Kubernetes' own schemas of its objects, for the versions that the chart is for. Unknown fields are
refused. The schemas are those of the package kubernetes-validate, read once."""

import json
import re
from functools import cache
from importlib.resources import files

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")


class Unknown(Exception):
    """There is no schema of such an object in that version."""


@cache
def _read(version: str, name: str) -> dict:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    file = folder / name
    if not file.is_file():
        raise Unknown(f"Kubernetes {version} has no {name}")
    return json.loads(file.read_text())


@cache
def _validator(version: str, kind: str, api: str) -> Draft202012Validator:
    # rbac.authorization.k8s.io/v1 is called rbac-v1 there.
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = _read(version, f"{kind.lower()}-{short}.json")
    parts = [Resource.from_contents(part) for part in (schema, _read(version, "_definitions.json"))]
    registry = Registry()
    for part in parts:
        registry = part @ registry
    return Draft202012Validator(schema, registry=registry)


def problem(version: str, document: dict) -> "str | None":
    """What is wrong with an object in that version; `None` if nothing is."""
    validator = _validator(version, document["kind"], document["apiVersion"])
    error = best_match(validator.iter_errors(document))
    return error and f"{error.json_path}: {error.message}"
