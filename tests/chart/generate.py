#!/usr/bin/env python3
"""Writes what is generated of the chart: the table of values in its README and the descriptions in
values.schema.json, both from the comments in values.yaml; and the manifests in deploy/, which are the chart
rendered; and for the program's own judgement what it is started with. `generate.py` writes them, `generate.py --check` only says which are not current."""

import json
import re
import sys
from pathlib import Path

import charts
import yaml

README = charts.CHART / "README.md"
SCHEMA = charts.CHART / "values.schema.json"
DEPLOY = charts.ROOT / "deploy"
COMMANDS = charts.ROOT / "tests" / "chart" / "arguments.yaml"


class Value:
    """One value with its comment: where it stands, what it is about, its default."""

    def __init__(self, section: str, path: "tuple[str, ...]", text: str, default):
        self.section, self.path, self.text, self.default = section, path, text, default

    @property
    def name(self) -> str:
        return ".".join(self.path)


def commented_values(text: str) -> "list[Value]":
    """The values of values.yaml that have a comment with `# --`, in their order."""
    defaults = yaml.load(text, Loader=charts.Loader)
    found, path, section, comment = [], [], "", None
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# @section "):
            section = stripped.removeprefix("# @section ")
        elif stripped.startswith("# -- "):
            comment = stripped.removeprefix("# -- ")
        elif stripped.startswith("#") and comment is not None:
            comment += " " + stripped.lstrip("# ")
        elif match := re.match(r"( *)([A-Za-z0-9_]+):", line):
            indent = len(match[1]) // 2
            path = [*path[:indent], match[2]]
            if comment is not None:
                value = defaults
                for key in path:
                    value = value[key]
                found.append(Value(section, tuple(path), comment, value))
            comment = None
    return found


def table(values: "list[Value]") -> str:
    """The values as tables of Markdown, one for each section."""
    lines, section = [], None
    for value in values:
        if value.section != section:
            section = value.section
            lines += ["", f"### {section}", "", "| Value | What it is | Default |", "|---|---|---|"]
        default = json.dumps(value.default) if value.default not in ("", None) else ""
        cells = [f"`{value.name}`", value.text, default and f"`{default}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines).strip() + "\n"


def readme(values: "list[Value]", current: str) -> str:
    """The README with its tables replaced."""
    begin, end = "<!-- values: begin -->\n", "<!-- values: end -->"
    before, _, rest = current.partition(begin)
    _, _, after = rest.partition(end)
    if not rest or not after:
        raise SystemExit(f"{README} has no {begin.strip()} and {end}")
    return f"{before}{begin}\n{table(values)}\n{end}{after}"


def schema(values: "list[Value]", current: str) -> str:
    """The schema with the comments as its descriptions, and every value needed: Helm leaves out what is given as
    null, or as a key of YAML with nothing behind it."""
    whole = json.loads(current)
    # `global` is shared with other charts.
    defaults = yaml.load((charts.CHART / "values.yaml").read_text(), Loader=charts.Loader)
    need(whole, defaults, optional=("global",))
    for value in values:
        node = whole
        for key in value.path:
            node = node["properties"][key]
        node["description"] = value.text.replace("**", "").replace("`", "")
    return json.dumps(whole, indent=2) + "\n"


def need(node: dict, defaults: dict, optional: "tuple[str, ...]" = ()) -> None:
    """Makes all keys of the defaults required, but for those that are null by default; and for an object of any
    keys with a default, which only null empties."""
    node["required"] = []
    for key, default in defaults.items():
        full = isinstance(default, dict) and default
        closed = "properties" in node["properties"][key]
        if key in optional or default is None or (full and not closed):
            continue
        node["required"].append(key)
        if full:
            need(node["properties"][key], default)


def manifest(head: str, *arguments, kinds=None) -> str:
    """The chart rendered for `kubectl apply`: without Helm's labels, with a namespace of its own."""
    name = "deployment-recorder"
    given = [*arguments, "--set", "tests.enabled=false"]
    text = charts.helm("helm4", "template", name, charts.CHART, "--namespace", name, *given)
    level = "labels:\n    pod-security.kubernetes.io/enforce: restricted"
    parts = [f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  {level}\n"]
    for part in text.split("\n---\n"):
        lines = part.removeprefix("---\n").splitlines()
        lines = [line.rstrip() for line in lines if line.strip() and not line.startswith("# Source: ")]
        lines = [line for line in lines if not re.match(r" +(helm\.sh/chart|app\.kubernetes\.io/managed-by): ", line)]
        kind = next((line.split()[1] for line in lines if line.startswith("kind: ")), None)
        if kind and (kinds is None or kind in kinds):
            parts.append("\n".join(lines) + "\n")
    comment = "".join(f"# {line}".rstrip() + "\n" for line in head.strip().splitlines())
    return comment + "---\n".join(parts)


RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")

PLACEHOLDERS = (
    "--set=config.org=ORGANIZATION",
    "--set=config.cluster=CLUSTER",
    "--set=config.logicalEnvironment=ENVIRONMENT",
    "--set=auth.existingSecret=deployment-recorder-github",
)  # fmt: skip


def manifests() -> "dict[Path, str]":
    """What is in deploy/, by its file."""
    generated = "Rendered from charts/deployment-recorder: `make generate` writes it."
    whole = f"""
The recorder as the chart installs it, for `kubectl apply`. Three settings must be yours: put them in place of
ORGANIZATION, CLUSTER and ENVIRONMENT among the arguments of the Deployment, and make the Secret with GitHub's
token that it reads:

  sed -e 's/=ORGANIZATION/=acme/; s/=CLUSTER/=prod-eu/; s/=ENVIRONMENT/=production/' deploy/manifest.yaml |
    kubectl apply -f -
  kubectl --namespace deployment-recorder create secret generic deployment-recorder-github \\
    --from-file=token=FILE

Everything else can be set with Helm: charts/deployment-recorder/README.md.

{generated}
"""
    cluster = f"""
What the recorder may do: list and watch what it records, and keep its ledger and the Lease that says which
process writes it. Nothing else, and nothing of the workloads can be changed by it. `make demo` runs the
recorder with exactly these rights. For single namespaces instead of the whole cluster there is
rbac-namespaced.yaml; to name some by --namespaces with these rights here, name them beside kube-system too.

  kubectl apply -f deploy/rbac.yaml

Another --ledger-namespace or --ledger-name needs other names in the Role at the end.

{generated}
"""
    namespaced = f"""
The rights of deploy/rbac.yaml for single namespaces, without any in the whole cluster: for

  deployment-recorder run --namespaces shop ...

with exact names, without * and without --exclude-namespaces. Repeat the first Role and the first RoleBinding
for each namespace, with its name in place of `shop`.

  kubectl apply -f deploy/rbac-namespaced.yaml

Another --ledger-namespace or --ledger-name needs other names in the Role at the end.

{generated}
"""
    roles = ("--set=config.namespaces={shop}", "--set=rbac.namespaced=true")
    return {
        DEPLOY / "manifest.yaml": manifest(whole, *PLACEHOLDERS),
        DEPLOY / "rbac.yaml": manifest(cluster, *PLACEHOLDERS, kinds=RIGHTS),
        DEPLOY / "rbac-namespaced.yaml": manifest(namespaced, *PLACEHOLDERS, *roles, kinds=RIGHTS),
    }


def command_lines() -> str:
    """Every command line that the values of the tests become, for the program to judge (tests/chart.rs)."""
    head = "# What the chart starts, with every file of tests/chart/values. `make generate` writes it.\n"
    lines = []
    for name in charts.values_files():
        for pod in charts.pods(charts.rendered(name)).values():
            for container in pod["spec"]["containers"]:
                if "args" not in container or container["name"] == "sandbox":
                    continue
                args = list(container["args"])
                # The kubelet makes one dollar of two. Ids that come from a Secret come by variables.
                args = [arg.replace("$$", "$") for arg in args]
                for variable in container["env"]:
                    if variable["name"].startswith("DEPLOYMENT_RECORDER_"):
                        flag = variable["name"].removeprefix("DEPLOYMENT_RECORDER_").lower().replace("_", "-")
                        args.append(f"--{flag}=1")
                if args not in lines:
                    lines.append(args)
    return head + "".join(f"- {json.dumps(line)}\n" for line in lines)


def generated() -> "dict[Path, str]":
    """Every generated file with what is to be in it."""
    values = commented_values((charts.CHART / "values.yaml").read_text())
    return {
        README: readme(values, README.read_text()),
        SCHEMA: schema(values, SCHEMA.read_text()),
        COMMANDS: command_lines(),
        **manifests(),
    }


def main() -> None:
    stale = {file: text for file, text in generated().items() if not file.exists() or file.read_text() != text}
    for file, text in stale.items():
        print(file.relative_to(charts.ROOT))
        if "--check" not in sys.argv:
            file.write_text(text)
    if stale and "--check" in sys.argv:
        raise SystemExit("not current: run `make generate`")


if __name__ == "__main__":
    main()
