"""A lesson as its speaker needs it: step by step, each with a title and a note."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dockerlab import workspace
from dockerlab.course.notes import notes
from dockerlab.course.outline import lessons

_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
_MARKS = re.compile(r"!\[[^]]*\]\([^)]*\)|\]\([^)]*\)|[*`\[\]]|^#+\s+", re.M)


@dataclass(frozen=True)
class Step:
    """One cell of the course's own lesson."""

    id: str
    kind: str  # "code" or "markdown"
    text: str
    title: str  # one line
    note: str  # Markdown: the cell's own, or the nearest above; "" if there is none
    solution: str  # of an exercise, else ""


@dataclass(frozen=True)
class Plan:
    """A lesson in one language; `place` is its file among the lessons."""

    place: str
    title: str
    minutes: int  # 0 if it is to look things up
    keeps: bool  # whether its first cell goes on with what was there
    steps: tuple[Step, ...]


def plan(name: str, lang: str) -> Plan:
    """The plan of the lesson called `name` (`05-tag-push-pull`)."""
    place = f"{lang}/{name}.ipynb"
    said = {key: each[lang] for key, each in notes(name).items()}
    steps = tuple(_steps(cells(place), said))
    outline = next((lesson for lesson in lessons() if lesson.name == name), None)
    title = outline.title if outline else next(one.title for one in steps)
    keeps = outline is not None and outline.keeps
    return Plan(place, title, outline.minutes if outline else 0, keeps, steps)


def cells(place: str) -> list[dict[str, Any]]:
    """The cells of a lesson as the course has them, executed."""
    found: list[dict[str, Any]] = json.loads((workspace.course() / place).read_bytes())["cells"]
    return found


def _steps(cells: list[dict[str, Any]], notes: dict[str, str]) -> Iterator[Step]:
    note = ""
    for cell in cells:
        text = "".join(cell["source"])
        note = notes.get(cell["id"], note)
        solution = cell["metadata"].get("dockerlab", {}).get("solution", "")
        yield Step(cell["id"], cell["cell_type"], text, _title(cell, text), note, solution)


def _title(cell: dict[str, Any], text: str) -> str:
    """The heading of a cell, else its first line."""
    if cell["cell_type"] == "code":
        return text.strip().partition("\n")[0]
    prose = _FENCE.sub("", text)
    heading = re.search(r"^#+\s.*$", prose, re.M)
    lines = (_MARKS.sub("", line).strip() for line in prose.splitlines())
    first = next(filter(None, lines), "")
    return _MARKS.sub("", heading[0]).strip() if heading else first
