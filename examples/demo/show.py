"""How the demo looks on a terminal, and in a log."""

import os
import shutil
import sys
import textwrap

COLOURS = {"bold": 1, "faint": 2, "red": 31, "green": 32, "yellow": 33, "blue": 36}
COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ
# A terminal shows what fits; a log is for searching.
WIDTH = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000


def paint(text: str, colour: str) -> str:
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if COLOURED else text


def say(text: str = "", colour: str = "") -> None:
    print(paint(text, colour) if colour else text, flush=True)


def heading(number: str, title: str) -> None:
    say()
    say(f"{number:>2}  {title}", "bold")


def prose(text: str) -> None:
    for line in textwrap.wrap(" ".join(text.split()), 96):
        say(f"    {line}", "faint")


def command(line: str) -> None:
    say(f"    $ {line}", "blue")


def output(line: str) -> None:
    say(f"      {line}", "faint")


def table(rows: list) -> None:
    """Rows of cells in columns; the first cell is a sign that gives the row its colour."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        colour = {"+": "green", "~": "yellow", "-": "red"}.get(row[0], "")
        line = f"    {'  '.join(cells).rstrip()}"
        say(line if len(line) <= WIDTH else f"{line[:WIDTH - 1]}…", colour)


def differences(before: dict, now: dict, keys) -> None:
    """What is told of these records now, and what of it was otherwise before."""
    rows = []
    for key in keys:
        old, new = before.get(key), now[key]
        if old is None:
            rows.append(("+", *key, artifact(new), annotations(new)))
        elif old == new:
            rows.append(("=", *key, artifact(new), f"still {new.status}"))
        else:
            sign = "-" if new.status == "decommissioned" else "~"
            changed = [
                f"{field}: {getattr(old, field) or 'none'} -> {getattr(new, field) or 'none'}"
                for field in new._fields
                if getattr(old, field) != getattr(new, field) and field != "digest"
            ]
            rows.append((sign, *key, artifact(new), ", ".join(changed)))
    table(rows)


def artifact(record) -> str:
    """The image with its version and the first digits of its digest."""
    version = f":{record.version}" if record.version else ""
    return f"{record.image}{version} {record.digest[7:15]}"


def annotations(record) -> str:
    return "  ".join(word for word in (record.tags, record.risks) if word)
