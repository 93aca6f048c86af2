"""What a check says, and what helps when it is not green: hint after hint, then the solution."""

from __future__ import annotations

from typing import Any

from dockerlab.course import outline
from dockerlab.course.checks import REGISTRY, Outcome
from dockerlab.course.data import load
from dockerlab.i18n import digits, pick

_RUN = "registry-runs"


def said(outcome: Outcome) -> str:
    """What the check saw, in the learner's language; the first hint, if it is not green."""
    return _filled(pick(_about(outcome.name)["said"][outcome.key]), outcome)


def more(name: str, outcome: Outcome) -> list[str]:
    """Further hints of the check `name` for what it saw, each more concrete than the last."""
    if outcome.ok:
        return []
    every = _about(outcome.name and name).get("hints", ())
    fit = (each for each in every if outcome.key in each.get("when", (outcome.key,)))
    return [_filled(pick(each), outcome) for each in fit]


def solution(name: str, outcome: Outcome) -> str:
    """What turns the check `name` green, as a cell's code; "" if there is no such check."""
    code = str(_about(name).get("solution", ""))
    if outcome.key == "no-registry" and name != _RUN:
        code = f"{solution(_RUN, outcome)}\n{code}"
    address = str(outcome.facts.get("address", REGISTRY))
    return code.replace("{address}", address).replace("{port}", address.rpartition(":")[2])


def _filled(text: str, outcome: Outcome) -> str:
    for name, value in outcome.facts.items():
        text = text.replace("{" + name + "}", digits(value) if isinstance(value, int) else value)
    return text


def _about(name: str) -> dict[str, Any]:
    """What the data of its lesson has about a check; of no check, what they all share."""
    if not name:
        return dict(load("checks.yaml"))
    lesson = outline.of_check(name)
    return dict(load(f"lessons/{lesson}.yaml")["checks"][name]) if lesson else {}
