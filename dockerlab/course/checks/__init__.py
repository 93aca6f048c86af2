"""Checks: did it work? Each looks at the registry over HTTP or at the engine's images.

A check is a function of what can be seen from outside, and of the learner's answer where there is
one. It returns the key of what it saw: `ok`, or a hint's. The words for each are in the data of
its lesson, `course/lessons/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from dockerlab.course.checks.state import CHECKS, REGISTRY, State
from dockerlab.errors import CannotWrite, DockerlabError, Unavailable

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

__all__ = ["REGISTRY", "Outcome", "State", "names", "run"]
_GENERAL = ("no-registry", "trouble", "unknown")  # texts that all checks share
for _each in iter_modules(__path__):
    import_module(f"{__name__}.{_each.name}")  # registers its checks


@dataclass(frozen=True)
class Outcome:
    """What check `name` saw: `key` is `ok` or a hint's, `facts` fill its text.

    Numbers among the facts are counts, which prose writes in its own digits.
    """

    name: str
    key: str
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the check is green."""
        return self.key == "ok"


def names() -> list[str]:
    """The names of all checks."""
    return sorted(CHECKS)


def run(name: str, engine: Engine, answer: Any = None, *, registry: str = "") -> Outcome:
    """Look, and say what was seen; an unknown name is an outcome too.

    `registry` is the learner's; if it is not given, it is the one that a container publishes.
    """
    name, state = str(name), State(engine, registry)
    facts: Mapping[str, str | int]
    if name not in CHECKS:
        near = get_close_matches(name, CHECKS, n=1, cutoff=0.4)
        return Outcome("", "unknown", {"name": name, "near": near[0] if near else names()[0]})
    try:
        key, facts = CHECKS[name](state, answer)
    except Unavailable:
        key, facts = "no-registry", {}
    except DockerlabError as error:
        key, facts = "trouble", {"error": str(error)}
    except OSError as error:
        path = error.filename or error.filename2 or ""
        key, facts = "trouble", {"error": str(CannotWrite(path, error.errno))}
    return Outcome(name if key not in _GENERAL else "", key, {"address": state.registry, **facts})
