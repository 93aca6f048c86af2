"""The whole course, lesson by lesson: what there is to do in each (`lessons.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dockerlab.course import quizzes
from dockerlab.course.data import load
from dockerlab.i18n import digits, pick


@dataclass(frozen=True)
class Lesson:
    """One lesson; its file is `name`.ipynb, in both languages."""

    name: str
    titles: Mapping[str, str]
    steps: tuple[str, ...]  # of the lecture (L1) and beyond it (B1)
    minutes: int  # 0 if it is still to be written
    checks: tuple[str, ...]
    questions: tuple[str, ...]  # of its quiz

    @property
    def title(self) -> str:
        """Its number, if it has one, and what it is called, in the learner's language."""
        number = self.name.partition("-")[0]
        title = pick(self.titles)
        return f"{digits(int(number))} · {title}" if number.isdecimal() else title


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons of the course, in order."""
    with_quiz = quizzes.names()
    return tuple(
        Lesson(
            name,
            each["title"],
            tuple(each.get("steps", ())),
            each.get("minutes", 0),
            tuple(each.get("checks", ())),
            tuple(q.id for q in quizzes.find(name).questions) if name in with_quiz else (),
        )
        for name, each in load("lessons.yaml").items()
    )
