"""Why an error came here: what can be seen of it in the lab, and what can be done about it.

The sentences are in `causes.yaml`. Nothing is started or changed by looking, and a look that takes
long is given up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dockerlab.course.causes.act import Act
from dockerlab.course.causes.scene import CannotSee, Scene, Seen
from dockerlab.course.data import load
from dockerlab.course.explain import Meaning, explain, filled
from dockerlab.errors import DockerlabError
from dockerlab.i18n import pick

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

__all__ = ["PATIENCE", "Act", "explained", "look"]

PATIENCE = 0.5  # seconds
Cause = Callable[[Scene], Seen | None]


def explained(text: str, words: Sequence[str] = (), engine: Engine | None = None) -> Meaning | None:
    """What the error in `text` means, why it came and what to do; None if it is unknown.

    It came on `engine`, else on the one that is in use.
    """
    from dockerlab.engine import current

    meaning = explain(text, words)
    if meaning is None:
        return None
    with suppress(DockerlabError, OSError):
        return look(meaning, text, words, engine or current())
    return meaning


def look(meaning: Meaning, text: str, words: Sequence[str], engine: Engine) -> Meaning:
    """The meaning with what can be seen here; as it was if nothing can, or not in time."""
    scene = Scene(text, words, meaning.facts, engine)
    at_once, looking = causes(meaning.key)
    found = [_try(at_once, scene)]
    if looking:
        thread = threading.Thread(target=lambda: found.append(_try(looking, scene)), daemon=True)
        thread.start()
        thread.join(PATIENCE)
    return _with(meaning, found[-1] or found[0])


def causes(key: str) -> tuple[Cause | None, Cause | None]:
    """Who knows why the error `key` comes: from the words alone, and by looking around."""
    from dockerlab.course.causes import containers, names, network

    modules = (names, containers, network)
    of_words = {name: cause for module in modules for name, cause in module.AT_ONCE.items()}
    of_sight = {name: cause for module in modules for name, cause in module.LOOKING.items()}
    return of_words.get(key), of_sight.get(key)


def _try(cause: Cause | None, scene: Scene) -> Seen | None:
    """Whatever goes wrong in looking: there was an error before, and it is that one's turn."""
    try:
        return cause(scene) if cause else None
    except (CannotSee, DockerlabError, OSError, ValueError, LookupError, TypeError):
        return None


def _with(meaning: Meaning, found: Seen | None) -> Meaning:
    if found is None:
        return meaning
    why = (
        filled(pick(load("causes.yaml")[meaning.key][found.key]), found.facts) if found.key else ""
    )
    return replace(meaning, why=why, acts=found.acts)
