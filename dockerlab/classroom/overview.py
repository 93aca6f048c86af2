"""How the class stands: who is stuck where, and who has pushed what. For the instructor alone."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from dockerlab.classroom import reports
from dockerlab.classroom.reports import Report, Tried
from dockerlab.classroom.room import Room
from dockerlab.course import hints
from dockerlab.course.checks import Outcome
from dockerlab.course.outline import lessons
from dockerlab.i18n import _, digits, ngettext

_FRESH = 1  # seconds that a look at the disk is good for


class Stored(Protocol):
    """The class's registry, as it is on disk; a namespace may have `quota` bytes, 0: any."""

    root: Path
    quota: int

    def used(self, namespace: str) -> int:
        """The bytes that a namespace has."""

    def repositories(self) -> list[str]:
        """All repositories."""

    def tags(self, repository: str) -> list[str] | None:
        """The tags of one."""


@dataclass(frozen=True)
class Push:
    """A tag in a learner's namespace, and when it was pushed."""

    name: str  # my-image:1.0
    when: datetime


@dataclass(frozen=True)
class Row:
    """One learner; `number` is her place in the class, for where names are hidden."""

    number: int
    login: str
    name: str
    pushes: Sequence[Push]
    used: int
    report: Report | None

    @property
    def kind(self) -> str:
        """`stuck`, `active` or `quiet`, if nothing is known of her."""
        if self.stuck:
            return "stuck"
        return "active" if self.pushes or self.report else "quiet"

    @property
    def stuck(self) -> str:
        """The check that she is stuck at, or ""."""
        return self.report.stuck if self.report else ""

    @property
    def tried(self) -> Tried | None:
        """How she tried that check."""
        return self.report.checks[self.stuck] if self.report and self.stuck else None

    @property
    def solution(self) -> str:
        """What turns that check green, as a cell's code; or ""."""
        return hints.solution(self.stuck, Outcome(self.stuck, "")) if self.stuck else ""

    @property
    def lesson(self) -> str:
        """The title of the lesson that she is in, or ""."""
        name = self.report.lesson if self.report else ""
        return next((each.title for each in lessons() if each.name == name), "")

    @property
    def passed(self) -> int:
        """How many checks she has passed."""
        return sum(each.passed for each in self.report.checks.values()) if self.report else 0

    @property
    def last(self) -> datetime | None:
        """When she last pushed something."""
        return max((push.when for push in self.pushes), default=None)


class Overview:
    """What can be known of a class whose registry is in `storage`."""

    def __init__(self, room: Room, storage: Stored) -> None:
        self._room, self._storage = room, storage
        self._rows: Sequence[Row] = ()
        self._looked = 0.0

    @property
    def quota(self) -> int:
        """The bytes that each learner may have; 0 if any."""
        return self._storage.quota

    def rows(self) -> Sequence[Row]:
        """The learners: who is stuck, for how long; then the others, in the class's order."""
        if not self._looked or time.monotonic() - self._looked > _FRESH:
            self._rows, self._looked = sorted(self._look(), key=_urgency), time.monotonic()
        return self._rows

    def _look(self) -> list[Row]:
        self._room = reports.kept(self._room)
        pushes = self._pushes()
        return [
            Row(
                number,
                login,
                name,
                pushes.get(login, ()),
                self._storage.used(login) if login in pushes else 0,
                reports.read(self._room, login),
            )
            for number, (login, name) in enumerate(self._room.learners.items(), 1)
        ]

    def _pushes(self) -> dict[str, list[Push]]:
        """By namespace, the newest first."""
        found = defaultdict(list)
        for repository in self._storage.repositories():
            namespace, _slash, name = repository.partition("/")
            for tag in (self._storage.tags(repository) or ()) if name else ():
                with suppress(FileNotFoundError):  # deleted meanwhile
                    when = _changed(self._link(repository, tag))
                    found[namespace].append(Push(f"{name}:{tag}", when))
        return {key: sorted(all_, key=lambda p: p.when)[::-1] for key, all_ in found.items()}

    def _link(self, repository: str, tag: str) -> Path:
        inside = f"docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link"
        return self._storage.root / inside


def ago(moment: datetime) -> str:
    """How long ago that was, in words."""
    minutes = int((datetime.now(timezone.utc) - moment).total_seconds() // 60)
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return _("{number} min").format(number=digits(minutes))
    hours = minutes // 60
    if hours < 24:
        return _("{number} h").format(number=digits(hours))
    days = hours // 24
    return ngettext("{number} day", "{number} days", days).format(number=digits(days))


def _urgency(row: Row) -> tuple[bool, float, int]:
    since = row.tried.since if row.tried else None
    return not since, since.timestamp() if since else 0, row.number


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, timezone.utc)
