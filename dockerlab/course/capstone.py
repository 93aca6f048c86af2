"""The last work of the course: what the team wants, step by step, and how far it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from dockerlab.course import checks, hints, progress
from dockerlab.i18n import _, digits

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

LESSON = "09-capstone"
_WAITING = ("down", "locked")  # what is seen of a step as long as the first one is not done


@dataclass(frozen=True)
class Step:
    """One step: what it is called, whether it is green now or was once, and what is seen of it."""

    check: str
    title: str
    ok: bool
    once: bool
    text: str

    @property
    def status(self) -> str:
        """How far it is, in a word or two."""
        if self.ok:
            return _("done")
        return _("was done once") if self.once else _("to do")


def titles() -> dict[str, str]:
    """What each check of the capstone stands for."""
    return {
        "team-up": _("A registry with HTTPS, two users and a volume of its own"),
        "team-filled": _("Three images in it, each with its tag"),
        "team-clean": _("An old image deleted, the others untouched"),
        "team-delivered": _("A second host that trusts it, logs in and pulls"),
        "team-restarted": _("A restart that lost nothing"),
    }


def look(engine: Engine) -> list[Step]:
    """All steps as they are at the moment; what is green is kept."""
    kept, steps = progress.load(), []
    for check, title in titles().items():
        seen = checks.run(check, engine)
        if seen.ok and not kept.passed(check):
            progress.checked(check, True)
        once = seen.ok or kept.passed(check)
        text = "" if seen.key in _WAITING else hints.said(seen)
        steps.append(Step(check, title, seen.ok, once, text))
    return steps


def finished() -> str:
    """The day on which the last step turned green, in the learner's language."""
    kept = progress.load()
    last = max(map(kept.when, titles()))
    try:
        return _written(datetime.fromisoformat(last).astimezone().date())
    except (ValueError, OverflowError):  # nothing is kept, or no date
        return _written(date.today())


def _written(day: date) -> str:
    months = (
        *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July")),
        *(_("August"), _("September"), _("October"), _("November"), _("December")),
    )
    return f"{digits(day.day)} {months[day.month - 1]} {digits(day.year)}"
