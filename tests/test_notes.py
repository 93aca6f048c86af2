"""What a speaker is given: notes at real cells, alike in both languages, to be read at a glance."""

import re
import sys
from pathlib import Path

import pytest

from dockerlab.course import outline
from dockerlab.course.notes import notes
from dockerlab.i18n import LANGUAGES

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402

LESSONS = [lesson.name for lesson in outline.lessons() if lesson.minutes]
FEWEST = 8  # notes of a lesson
WORDS = range(18, 61)  # of a note
LABELS = {
    "bn": ("জিজ্ঞেস করো", "বলো", "দেখাও", "থামো", "আটকে গেলে", "দেরি হলে"),
    "en": ("Ask", "Say", "Show", "Wait", "If stuck", "If late"),
}


def cells(lesson: str, lang: str = "en") -> list[notebooks.Notebook]:
    """The cells of a lesson, in order."""
    found: list[notebooks.Notebook] = notebooks.read(ROOT / "notebooks" / lang / f"{lesson}.ipynb")[
        "cells"
    ]
    return found


def labels(text: str, lang: str) -> list[int]:
    """What each line of a note is for."""
    said = [re.fullmatch(r"- \*\*(.+):\*\* \S.*\S", line) for line in text.splitlines()]
    return [LABELS[lang].index(line[1]) for line in said if line or pytest.fail(text)]


def skippable(lesson: str) -> set[str]:
    """The cells at which something begins that may be left out."""
    return {cell for cell, note in notes(lesson).items() if "- **If late:**" in note["en"]}


def test_what_is_no_lesson_has_no_notes() -> None:
    assert notes("glossary") == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_notes_stand_at_cells_of_both_twins_in_their_order(lesson: str) -> None:
    assert len(notes(lesson)) >= FEWEST
    for lang in LANGUAGES:
        ids = [cell["id"] for cell in cells(lesson, lang)]
        assert [id for id in ids if id in notes(lesson)] == list(notes(lesson))


@pytest.mark.parametrize("lesson", LESSONS)
def test_both_languages_say_the_same_in_few_words(lesson: str) -> None:
    for cell, note in notes(lesson).items():
        assert list(note) == list(LANGUAGES), cell
        assert labels(note["bn"], "bn") == labels(note["en"], "en"), cell
        for lang, text in note.items():
            assert len(text.split()) in WORDS, (cell, lang, len(text.split()))
            assert text.count("`") % 2 == 0, (cell, lang)
        code = {lang: set(text.split("`")[1::2]) for lang, text in note.items()}
        assert code["bn"] == code["en"], cell


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_a_note_that_gives_time_or_help(lesson: str) -> None:
    since: list[str] = []  # the cells since its heading
    for cell in cells(lesson):
        if "✏️" in cell["source"]:
            since = []
        since.append(cell["id"])
        if "exercise" in cell["metadata"].get("tags", ()):
            said = [
                line for id in since for line in notes(lesson).get(id, {}).get("en", "").split("\n")
            ]
            assert any(line.startswith(("- **Wait:", "- **If stuck:")) for line in said), cell["id"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_nobody_skips_how_a_lesson_begins_ends_or_tidies_up(lesson: str) -> None:
    left_out = False
    assert len(skippable(lesson)) <= len(notes(lesson)) / 2
    for cell in cells(lesson):
        if cell["id"] in notes(lesson):
            left_out = cell["id"] in skippable(lesson)
        if cell["id"] in ("title", "setup", "rm", "quiz", "recap", "words"):
            assert not left_out, cell["id"]
