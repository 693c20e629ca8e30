"""The alerts and the dashboard of the chart, and Prometheus' own promtool, which judges both."""

import json
import re
import subprocess
from functools import cache

import charts
import yaml

PROMTOOL = charts.ROOT / "tests" / "tools" / "promtool"
NEEDED = [
    "--set", "config.org=acme,config.cluster=prod,config.logicalEnvironment=production",
    "--set", "auth.existingSecret=github",
]


class Wrong(Exception):
    """What promtool complains about."""


def promtool(*arguments) -> str:
    """What promtool prints; `Wrong` if it finds something."""
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(done.stdout + done.stderr)
    return done.stdout


@cache
def rendered(*settings: str, version: str = "helm4") -> list:
    """The objects of the chart with these settings (`a.b=text` or `a.b:=JSON`) beside what it needs."""
    arguments = list(NEEDED)
    for setting in settings:
        json_of = re.fullmatch(r"([\w.]+):=(.*)", setting)
        arguments += ["--set-json", "=".join(json_of.groups())] if json_of else ["--set", setting]
    return charts.render(version, *arguments)


def groups(*settings: str) -> list:
    """The groups of rules with these settings."""
    return charts.one(rendered("prometheusRule.enabled=true", *settings), "PrometheusRule")["spec"]["groups"]


def alerts(*settings: str) -> "dict[str, dict]":
    """The alerts by their names."""
    found = [rule for group in groups(*settings) for rule in group["rules"]]
    by_name = {rule["alert"]: rule for rule in found}
    assert len(by_name) == len(found), "each alert is there once"
    return by_name


def dashboard() -> dict:
    """The dashboard as Grafana gets it."""
    found = charts.one(rendered("dashboards.enabled=true"), "ConfigMap")
    return json.loads(found["data"]["deployment-recorder.json"])


@cache
def listed() -> "dict[str, dict[str, set | None]]":
    """The metrics of docs/metrics.md by name: their labels, with the values where these are listed."""
    text = (charts.ROOT / "docs" / "metrics.md").read_text()
    found = {}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", text, re.MULTILINE):
        by_label = {}
        for label in filter(None, labels.split("; ")):
            key, _, values = label.partition(": ")
            by_label[key.strip(" `")] = set(re.findall(r"`([^`]+)`", values)) or None
        if kind == "histogram":
            found[f"{name}_bucket"] = by_label | {"le": None}
            found |= {f"{name}_sum": by_label, f"{name}_count": by_label}
        else:
            found[name] = by_label
    assert len(found) > 20, "the list is in docs/metrics.md"
    return found


def judge(files: list) -> "dict[str, str]":
    """What `promtool test rules` says of each file of tests, started once for all."""
    done = subprocess.run([PROMTOOL, "test", "rules", *files], capture_output=True, text=True, check=False)
    said = re.split(r"^Unit Testing: +(\S+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(said[1::2], said[2::2], strict=True)}


def check_rules(folder, expressions: "list[str]") -> None:
    """Fails with `Wrong` unless each of these is an expression of PromQL."""
    rules = [{"record": f"it:{number}", "expr": it} for number, it in enumerate(expressions)]
    file = folder / "expressions.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    promtool("check", "rules", file)


def unknown_series(expression: str) -> "list[str]":
    """What an expression names that the program does not serve: metrics, labels and values of labels."""
    wrong = []
    own = r"\b((?:deployment_recorder|process)_\w+)\b(?:\{([^}]*)\})?"
    for name, matchers in re.findall(own, expression):
        if name not in listed():
            wrong.append(name)
            continue
        labels = listed()[name]
        for label, how, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', matchers):
            if label in ("cluster", "namespace", "job", "instance"):
                continue
            if label not in labels:
                wrong.append(f"{name}{{{label}}}")
            elif labels[label] is not None and not value.startswith("$"):
                parts = value.split("|") if "~" in how else [value]
                found = [it for it in labels[label] for part in parts if re.fullmatch(part, it)]
                if len(parts) > len(set(found)):
                    wrong.append(f"{name}{{{label}={value}}}")
    return wrong


def grouped_by(expression: str) -> set:
    """The labels that an expression's groupings and matchings name."""
    lists = re.findall(r"\b(?:by|on|without|ignoring|group_left)\s*\(([^)]*)\)", expression)
    return {label.strip() for it in lists for label in it.split(",") if label.strip()}
