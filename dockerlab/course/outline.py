"""The whole course, lesson by lesson: what there is to do in each (`lessons.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dockerlab.course.data import load
from dockerlab.i18n import digits, pick


@dataclass(frozen=True)
class Lesson:
    """One lesson; its file is `name`.ipynb, in both languages."""

    name: str
    titles: Mapping[str, str]
    steps: tuple[str, ...]  # of the lecture (L1) and beyond it (B1)
    minutes: int  # 0 if it is to look things up
    checks: tuple[str, ...]
    begins: Mapping[str, Any]  # see beginning.py

    @property
    def title(self) -> str:
        """Its number, if it has one, and what it is called, in the learner's language."""
        number = self.name.partition("-")[0]
        title = pick(self.titles)
        return f"{digits(int(number))} · {title}" if number.isdecimal() else title

    @property
    def keeps(self) -> bool:
        """Whether what she makes in it is kept until she wants to begin it anew."""
        return bool(self.begins.get("keeps"))

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of its quiz's questions."""
        from dockerlab.course import quizzes

        with_quiz = self.name in quizzes.names()
        return tuple(q.id for q in quizzes.find(self.name).questions) if with_quiz else ()


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons of the course, in order."""
    return tuple(
        Lesson(
            name,
            each["title"],
            tuple(each.get("steps", ())),
            each.get("minutes", 0),
            tuple(each.get("checks", ())),
            each.get("begins", {}),
        )
        for name, each in load("lessons.yaml").items()
    )


def of_check(name: str) -> str:
    """The lesson whose check this is, or ""."""
    return next((lesson.name for lesson in lessons() if name in lesson.checks), "")
