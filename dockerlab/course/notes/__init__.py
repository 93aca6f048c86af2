"""What a speaker says and does at each cell of a lesson: `NAME.yaml`, by the ids of the cells.

push: {bn: …, en: …, skip: true}

A note counts until the next one. It is a list in Markdown, each item of which begins with what it
is for: Ask, Say, Show, Wait, If stuck. Where `skip` is true, what the note counts for may be left
out when time is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerlab.course.data import load
from dockerlab.i18n import LANGUAGES


def notes(lesson: str) -> Mapping[str, Mapping[str, str]]:
    """The notes of a lesson, in both languages, by the ids of its cells; empty if it has none."""
    return {cell: {lang: note[lang] for lang in LANGUAGES} for cell, note in _kept(lesson).items()}


def skippable(lesson: str) -> frozenset[str]:
    """The cells at which something begins that may be left out when time is short."""
    return frozenset(cell for cell, note in _kept(lesson).items() if note.get("skip"))


def _kept(lesson: str) -> Mapping[str, Mapping[str, Any]]:
    kept: dict[str, Any] = {}
    if (Path(__file__).parent / f"{lesson}.yaml").exists():
        kept = load(f"notes/{lesson}.yaml")
    return kept
