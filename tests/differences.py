"""In what the embedded engine is known to differ from docker: `python -m tests.differences`
prints the table that is in README.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parent / "differential" / "differences.yaml"
_NOTHING = "(?!)"  # matches nowhere


@dataclass(frozen=True)
class Difference:
    """On which lines; what is to be left out of docker's output and of ours to make them equal."""

    line: re.Pattern[str]
    docker: re.Pattern[str]
    ours: re.Pattern[str]


def table() -> str:
    """The differences and their reasons, in Markdown."""
    rows = [[entry[key] for key in ("what", "docker", "here", "why")] for entry in _entries()]
    head = ["", "Docker Engine", "the course's engine", "why"]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * 4, *rows))


@cache
def known() -> tuple[Difference, ...]:
    """All of them, as patterns."""
    return tuple(_difference(seen) for entry in _entries() for seen in entry.get("seen", ()))


def _entries() -> list[dict[str, Any]]:
    return list(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def _difference(seen: dict[str, str]) -> Difference:
    patterns = (seen["line"], seen.get("docker", _NOTHING), seen.get("here", _NOTHING))
    return Difference(*(re.compile(pattern, re.MULTILINE) for pattern in patterns))


if __name__ == "__main__":
    print(table(), end="")
