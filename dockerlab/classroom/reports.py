"""What learners share of their progress, with consent; a small file for each: reports/LOGIN.json.

    {"version": 1, "heard": WHEN, "lesson": LESSON, "checks": {CHECK: {"tries", "passed", "since"}}}

`since` is when it was first heard that somebody is stuck there, or "". Of what comes in, only
lessons and checks of the course are kept, so a file is never larger than a few kilobytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dockerlab.classroom.room import Room, find
from dockerlab.course.outline import lessons
from dockerlab.engine import state
from dockerlab.engine.home import private

LIMIT = 64 * 1024  # bytes of what is sent
STUCK = 3  # tries
_FOLDER = "reports"
_MOST = 10_000  # tries that are counted


@dataclass(frozen=True)
class Tried:
    """How often a check was tried, whether it was passed once, and since when she is stuck."""

    tries: int
    passed: bool
    since: datetime | None = None


@dataclass(frozen=True)
class Report:
    """The lesson that a learner was in last, and her checks, as heard at that time."""

    heard: datetime
    lesson: str = ""
    checks: Mapping[str, Tried] = field(default_factory=dict)

    @property
    def stuck(self) -> str:
        """The check that she cannot get past, the newest of the lesson that she is in; or ""."""
        here = next((each.checks for each in lessons() if each.name == self.lesson), ())
        found = {name: tried.since for name, tried in self.checks.items() if tried.since}
        return max(found, key=lambda name: (name in here, found[name]), default="")


def kept(room: Room) -> Room:
    """The class as it is on disk: learners may have come while it is served."""
    try:
        return find(room.folder) or room
    except state.Damaged:
        return room


def take(room: Room, login: str, content: bytes) -> None:
    """Keep what a learner has sent; ValueError if it is not what is sent."""
    data = json.loads(content)
    if not isinstance(data, dict) or not isinstance(data.get("checks"), dict):
        raise ValueError("not a report")
    before = read(room, login)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    known = {name for lesson in lessons() for name in lesson.checks}
    checks = {
        name: _tried(each, before.checks.get(name) if before else None, now)
        for name, each in data["checks"].items()
        if name in known
    }
    lesson = data.get("lesson")
    lesson = lesson if lesson in [each.name for each in lessons()] else ""
    _write(_path(room, login), Report(now, lesson, checks))


def read(room: Room, login: str) -> Report | None:
    """What a learner shares; None if nothing, or nothing that can be read."""
    try:
        data = state.read(_path(room, login))
        checks = {
            str(name): Tried(int(each["tries"]), bool(each["passed"]), _moment(each["since"]))
            for name, each in data["checks"].items()
        }
        heard = _moment(data["heard"])
    except (OSError, LookupError, TypeError, ValueError, AttributeError, state.Damaged):
        return None
    return Report(heard, str(data.get("lesson", "")), checks) if heard else None


def forget(room: Room, login: str) -> None:
    """A learner shares nothing more."""
    with suppress(FileNotFoundError):
        _path(room, login).unlink()


def _tried(each: Any, before: Tried | None, now: datetime) -> Tried:
    tries, passed = each["tries"], each["passed"]
    if type(tries) is not int or type(passed) is not bool or tries < 0:
        raise ValueError("not a report")
    stuck = tries >= STUCK and not passed
    since = (before.since if before else None) or now
    return Tried(min(tries, _MOST), passed, since if stuck else None)


def _write(path: Path, report: Report) -> None:
    checks = {
        name: {
            "tries": tried.tries,
            "passed": tried.passed,
            "since": tried.since.isoformat() if tried.since else "",
        }
        for name, tried in report.checks.items()
    }
    private(path.parent)
    heard = report.heard.isoformat()
    state.write(path, {"version": 1, "heard": heard, "lesson": report.lesson, "checks": checks})


def _path(room: Room, login: str) -> Path:
    if login not in room.learners:
        raise KeyError(login)
    return room.folder / _FOLDER / f"{login}.json"


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
