"""What a speaker says and does at each cell of a lesson: `NAME.yaml`, by the ids of the cells.

push: {bn: …, en: …}

A note counts until the next one. It is a list in Markdown, each item of which begins with what it
is for: Ask, Say, Show, Wait, If stuck; and If late, where this part of the lesson may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockerlab.course.data import load


def notes(lesson: str) -> Mapping[str, Mapping[str, str]]:
    """The notes of a lesson, in both languages, by the ids of its cells; empty if it has none."""
    path = f"notes/{lesson}.yaml"
    return load(path) if (Path(__file__).parent / f"{lesson}.yaml").exists() else {}
