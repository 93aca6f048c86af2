"""What a speaker says and does at each cell of a lesson: `NAME.yaml`, by the ids of the cells.

push: {bn: …, en: …}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockerlab.course.data import load


def notes(lesson: str) -> Mapping[str, Mapping[str, str]]:
    """The notes of a lesson, by the ids of its cells; empty if it has none."""
    path = f"notes/{lesson}.yaml"
    return load(path) if (Path(__file__).parent / f"{lesson}.yaml").exists() else {}
