"""The instructor's guides: twins, with plans that add up and commands that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dockerlab.cli import cli
from dockerlab.course import outline
from dockerlab.i18n import LANGUAGES

ROOT = Path(__file__).parent.parent / "notebooks"
GUIDES = {lang: (ROOT / f"instructor.{lang}.md").read_text("utf-8") for lang in LANGUAGES}
LATIN = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
BANGLA = re.compile("[\u0980-\u09ff]")
LONGEST = 1500  # words
PLANS = {2: 90, 3: 240}  # the sections that are plans, and how many minutes they are for
MINUTES = {lesson.name: lesson.minutes for lesson in outline.lessons()}


def sections(lang: str) -> list[str]:
    """A guide, cut before each of its headings."""
    return re.split(r"(?m)^(?=##? )", GUIDES[lang])


def shape(section: str) -> list[str]:
    """What each line is: a heading, a row of so many cells, an item, prose or nothing."""
    found = []
    for line in section.splitlines():
        mark = line.split(" ", 1)[0]
        row = "|" * line.count("|") if line.startswith("|") else ""
        found.append(row or (mark if mark in ("#", "##", "-", "") else "prose"))
    return found


def code(text: str) -> list[str]:
    """What is set as code."""
    return re.findall(r"`([^`]+)`", text)


def links(text: str) -> list[str]:
    """Where a text leads to."""
    return re.findall(r"\]\(([^)]+)\)", text)


def plan(section: str) -> Iterator[tuple[int, int, list[str]]]:
    """The rows of a plan: from which minute to which, and the lessons that they are for."""
    for line in section.splitlines():
        found = re.match(r"\| (\d+)–(\d+) \|([^|]*)\|", line.translate(LATIN))
        if found:
            yield int(found[1]), int(found[2]), [Path(link).stem for link in links(found[3])]


def unknown(line: str) -> str:
    """The first word of a `dockerlab …` line that the command does not know, or ""."""
    command: click.Command = cli
    words = iter(shlex.split(line)[1:])
    for word in words:
        if not command.add_help_option:
            return ""  # it hands everything on, as `dockerlab docker` does
        options = {name: each for each in command.params for name in each.opts}
        if word.startswith("-"):
            option = options.get(word)
            if not isinstance(option, click.Option):
                return word
            if not option.is_flag:
                next(words)
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return word
            command = command.commands[word]
        elif not any(isinstance(each, click.Argument) for each in command.params):
            return word
    return ""


def test_every_command_of_the_guides_is_there() -> None:
    lines = {each for text in GUIDES.values() for each in code(text)}
    commands = sorted(each for each in lines if each.split()[0] == "dockerlab")
    assert len(commands) > 10
    assert {line: word for line in commands if (word := unknown(line))} == {}


def test_an_unknown_command_would_be_found() -> None:
    assert unknown("dockerlab frobnicate") == "frobnicate"
    assert unknown("dockerlab hub --frob") == "--frob"
    assert unknown("dockerlab registry serve --root FOLDER") == ""
    assert unknown("dockerlab reset now") == "now"


def test_the_guides_are_twins() -> None:
    bangla, english = sections("bn"), sections("en")
    for ours, theirs in zip(bangla, english, strict=True):
        assert shape(ours) == shape(theirs)
        assert set(code(ours)) == set(code(theirs))
        swapped = [re.sub(r"(^|\.)en([./])", r"\1bn\2", link) for link in links(theirs)]
        if theirs is not english[0]:
            assert links(ours) == swapped


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_guide_is_short_in_one_language_and_leads_somewhere(lang: str) -> None:
    text = GUIDES[lang]
    assert sum(any(sign.isalnum() for sign in word) for word in text.split()) <= LONGEST
    assert all(bool(BANGLA.search(part)) == (lang == "bn") for part in sections(lang)[1:])
    for link in links(text):
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("number", "whole"), PLANS.items())
def test_a_plan_has_no_gap_and_gives_no_lesson_more_than_its_time(
    lang: str, number: int, whole: int
) -> None:
    rows = list(plan(sections(lang)[number + 1]))
    assert [start for start, _, _ in rows] == [0, *(end for _, end, _ in rows[:-1])]
    assert rows[-1][1] == whole
    for start, end, lessons in rows:
        if len(lessons) == 1:
            assert end - start <= MINUTES[lessons[0]], lessons
