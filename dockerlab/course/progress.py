"""What the learner has done so far: one small file in the lab's own folder, for her eyes only.

    {"version": 1, "last": LESSON, "opened": {LESSON: WHEN}, "checks": {CHECK: {"tries", "passed"}},
     "quizzes": {LESSON: {QUESTION: {"tries", "answers", "right"}}}}

Nothing of it leaves the machine, but for what she shares with her class (sharing.py). A file that
cannot be understood is set aside, never overwritten; where nothing can be written, the course goes
on, and says that nothing is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

from dockerlab.course import sharing
from dockerlab.course.outline import Lesson, lessons
from dockerlab.engine import state
from dockerlab.engine.home import home, private
from dockerlab.errors import why
from dockerlab.i18n import _

VERSION = 1
FILE = "progress.json"
_PATIENCE = 5  # seconds for another kernel to finish its writing


@dataclass
class Progress:
    """What is kept; `told` is what the learner should know about the file itself, or ""."""

    data: dict[str, Any] = field(default_factory=lambda: {"version": VERSION})
    told: str = ""

    @property
    def last(self) -> str:
        """The lesson that she was in last, or ""."""
        return str(self.data.get("last", ""))

    def passed(self, check: str) -> bool:
        """Whether a check was green once."""
        return bool(self.when(check))

    def when(self, check: str) -> str:
        """When a check was green for the first time (RFC 3339), or ""."""
        return str(self._part("checks").get(check, {}).get("passed", ""))

    def answers(self, lesson: str, question: str) -> list[str] | None:
        """What she answered last; None if she has not."""
        given = self._part("quizzes").get(lesson, {}).get(question)
        return list(given["answers"]) if given else None

    def right(self, lesson: str, question: str) -> bool:
        """Whether she once answered that question right."""
        return bool(self._part("quizzes").get(lesson, {}).get(question, {}).get("right"))

    def status(self, lesson: Lesson) -> str:
        """`done`, `started` or `open`."""
        done = [self.passed(each) for each in lesson.checks]
        done += [self.right(lesson.name, each) for each in lesson.questions]
        opened = lesson.name in self._part("opened")
        if all(done) and (done or opened):
            return "done"
        tried = any(self.answers(lesson.name, each) for each in lesson.questions)
        tried = tried or any(each in self._part("checks") for each in lesson.checks)
        return "started" if opened or tried else "open"

    def _part(self, name: str) -> dict[str, Any]:
        return self.data.setdefault(name, {})  # type: ignore[no-any-return]


def load() -> Progress:
    """What is kept; where that cannot be read, nothing, and why."""
    try:
        if not (home() / FILE).exists():
            return Progress()
        with _locked() as folder:
            return _read(folder)
    except OSError as error:
        told = _unkept(error)
    try:  # where nothing can be written, it may still be read
        data, fault = _look(home())
    except OSError:
        return Progress(told=told)
    return Progress({} if fault else data, told)


def began(lesson: str) -> str:
    """Keep that a lesson was opened; what the learner should know of the file, or ""."""

    def change(data: dict[str, Any]) -> None:
        data["last"] = lesson
        data.setdefault("opened", {}).setdefault(lesson, _now())

    return _change(change)


def checked(check: str, ok: bool) -> str:
    """Keep that a check was run, and whether it was green; as `began`."""

    def change(data: dict[str, Any]) -> None:
        kept = data.setdefault("checks", {}).setdefault(check, {"tries": 0, "passed": ""})
        kept["tries"] += 1
        if ok and not kept["passed"]:
            kept["passed"] = _now()
        for lesson in lessons():
            if check in lesson.checks:
                data["last"] = lesson.name

    return _change(change)


def answered(lesson: str, question: str, answers: Sequence[str], right: bool) -> str:
    """Keep an answer to a question of a lesson's quiz; as `began`."""

    def change(data: dict[str, Any]) -> None:
        quiz = data.setdefault("quizzes", {}).setdefault(lesson, {})
        kept = quiz.setdefault(question, {"tries": 0, "right": ""})
        kept["tries"] += 1
        kept["answers"] = list(answers)
        if right and not kept["right"]:
            kept["right"] = _now()
        data["last"] = lesson

    return _change(change)


def forget() -> str:
    """Begin anew; as `began`."""
    return _change(dict.clear)


def _change(change: Callable[[dict[str, Any]], None]) -> str:
    """Read, change and write while nobody else does."""
    try:
        with _locked() as folder:
            progress = _read(folder)
            change(progress.data)
            progress.data["version"] = VERSION
            state.write(folder / FILE, progress.data, indent=" ")
        sharing.tell(progress.data)
        return progress.told
    except OSError as error:
        return _unkept(error)


@contextmanager
def _locked() -> Iterator[Path]:
    from filelock import FileLock

    folder = private(home())
    with FileLock(folder / ".progress.lock", timeout=_PATIENCE, mode=0o600):
        yield folder


def _read(folder: Path) -> Progress:
    data, fault = _look(folder)
    if not fault:
        return Progress(data)
    return Progress(told=fault.format(path=_set_aside(folder / FILE)))


def _look(folder: Path) -> tuple[dict[str, Any], str]:
    """What the file holds, and what is wrong with it, or ""."""
    try:
        data = state.read(folder / FILE)
    except FileNotFoundError:
        return {}, ""
    except (state.Damaged, RecursionError):
        data = {}
    version = data.get("version")
    if version == VERSION and _is_sound(data):
        return data, ""
    if isinstance(version, int) and version > VERSION:
        return {}, _(
            "Your progress was kept by a newer dockerlab, which this one does not understand. It "
            "is set aside in {path}, and a new one begins."
        )
    return {}, _("Your progress file is damaged. It is set aside in {path}, and a new one begins.")


def _set_aside(path: Path) -> Path:
    names = (path.with_name(f"progress-{number}.json") for number in count(1))
    free = next(name for name in names if not name.exists())
    os.replace(path, free)
    return free


def _is_sound(data: dict[str, Any]) -> bool:
    """Whether everything is of the kind that this module writes."""
    opened, checks, quizzes = (data.get(name, {}) for name in ("opened", "checks", "quizzes"))
    if not all(isinstance(part, dict) for part in (opened, checks, quizzes)):
        return False
    if not all(isinstance(quiz, dict) for quiz in quizzes.values()):
        return False
    given = [each for quiz in quizzes.values() for each in quiz.values()]
    return (
        isinstance(data.get("last", ""), str)
        and all(_is_kept(each, "passed") for each in checks.values())
        and all(_is_kept(each, "right") and _are_texts(each.get("answers")) for each in given)
    )


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def _is_kept(entry: object, when: str) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("tries"), int)
        and isinstance(entry.get(when), str)
    )


def _unkept(error: OSError) -> str:
    said = _("Your progress cannot be kept in {folder}: {reason}. The lessons work all the same.")
    reason = why(error.errno) if error.errno else _("another kernel is writing there")
    return said.format(folder=home(), reason=reason)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
