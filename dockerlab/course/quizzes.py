"""Quizzes: questions with one, several or ordered answers, and why each is right or wrong.

The data is that of the lessons, `course/lessons/`; texts are chosen in the learner's language when
they are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from dockerlab.course.data import load
from dockerlab.course.outline import lessons
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _, pick

ONE, SEVERAL, ORDER = KINDS = ("one", "several", "order")


class UnknownQuiz(DockerlabError):
    """There is no quiz called `name`; `near` is one that is."""

    def __init__(self, name: str, near: str) -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def message(self) -> str:
        """What happened, in the learner's language."""
        return _("There is no quiz called “{name}”. Did you mean “{near}”?").format(
            name=self.name, near=self.near
        )


@dataclass(frozen=True)
class Answer:
    """One answer that can be chosen, or put in its place."""

    id: str
    right: bool
    texts: str | Mapping[str, str]  # one for both languages, or one for each
    whys: str | Mapping[str, str]

    @property
    def text(self) -> str:
        """The answer, in the learner's language; commands stand in backticks."""
        return _said(self.texts)

    @property
    def why(self) -> str:
        """Why it is right or wrong, or why it has its place, in the learner's language."""
        return _said(self.whys)


@dataclass(frozen=True)
class Question:
    """A question of `kind`; the answers of an ORDER stand in the right order."""

    id: str
    kind: str
    asked: str | Mapping[str, str]
    answers: tuple[Answer, ...]
    shown: tuple[str, ...]  # the answers' ids in the order in which they are first shown

    @property
    def asks(self) -> str:
        """The question, in the learner's language."""
        return _said(self.asked)

    @property
    def right(self) -> tuple[str, ...]:
        """The ids of the right answers; of an ORDER all, in order."""
        return tuple(answer.id for answer in self.answers if answer.right)

    def answer(self, id: str) -> Answer:
        """The answer with that id; StopIteration if there is none."""
        return next(answer for answer in self.answers if answer.id == id)

    def known(self, given: Collection[str]) -> list[str]:
        """What of `given` are answers of this question, each once, as they came."""
        ids = {answer.id for answer in self.answers}
        return [id for id in dict.fromkeys(given) if id in ids]

    def is_right(self, given: Sequence[str]) -> bool:
        """Whether these are the right answers, and no others; of an ORDER, in the right order."""
        if self.kind == ORDER:
            return tuple(given) == self.right
        return set(given) == set(self.right)

    def fits(self, given: Sequence[str], id: str) -> bool:
        """Whether one of the given answers is right, or stands in its place."""
        if self.kind == ORDER:
            return given.index(id) == self.right.index(id)
        return id in self.right


@dataclass(frozen=True)
class Quiz:
    """The questions of a lesson."""

    lesson: str
    questions: tuple[Question, ...]

    def question(self, id: str) -> Question | None:
        """The question with that id."""
        return next((each for each in self.questions if each.id == id), None)


def names() -> list[str]:
    """The lessons that have a quiz."""
    return [each.name for each in lessons() if each.minutes]


def find(lesson: object) -> Quiz:
    """The quiz of a lesson; UnknownQuiz if it has none."""
    name = str(lesson)
    if name not in names():
        raise UnknownQuiz(name, get_close_matches(name, names(), n=1, cutoff=0)[0])
    return _quiz(name)


@cache
def _quiz(lesson: str) -> Quiz:
    questions = load(f"lessons/{lesson}.yaml")["quiz"].items()
    return Quiz(lesson, tuple(_question(id, data) for id, data in questions))


def _question(id: str, data: Mapping[str, Any]) -> Question:
    answers = tuple(
        Answer(key, data["kind"] == ORDER or each.get("right", False), each["text"], each["why"])
        for key, each in data["answers"].items()
    )
    shown = tuple(data.get("shown") or data["answers"])
    return Question(id, data["kind"], data["asks"], answers, shown)


def _said(text: str | Mapping[str, str]) -> str:
    return text if isinstance(text, str) else pick(text)
