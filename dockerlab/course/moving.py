"""Bringing the lab to a lesson's start, or to nothing, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dockerlab.course import beginning, progress
from dockerlab.course.outline import lessons
from dockerlab.engine import current, hosts
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.home import home
from dockerlab.engine.past import Kept, Past
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.engine.docker import Docker

_UNITS = ("B", "kB", "MB", "GB")


def goto(name: str, engine: Engine | None = None) -> list[str]:
    """Bring the lab to the start of a lesson, as if it was never begun; what there is to tell.

    If that cannot be, the lab is as it was before, and why is raised.
    """
    engine = engine or current()
    lesson = beginning.find(name)
    past = _past(engine)
    with past.locked():
        kept = past.keep("goto", lesson.name)
        with _or_back(past, kept):
            stuck = past.carry(kept, beginning.left(lesson))
            _forget(engine)
            beginning.begin(lesson.name, engine, anew=True)
        unkept = progress.began(lesson.name)
        told = _("Your lab is at the start of this lesson: {lesson}")
        lines = [told.format(lesson=lesson.title), *map(str, stuck), unkept]
        return [*filter(None, lines), *_ways_back(past)]


def reset(engine: Engine | None = None) -> list[str]:
    """Empty the lab: no containers, images or volumes of it are left; what there is to tell."""
    engine = engine or current()
    past = _past(engine)
    with past.locked():
        if past.is_empty():
            return [_("Your lab is empty again.")]
        past.keep("reset")
        for host in hosts(engine):
            host.reset()
        return [_("Your lab is empty again."), *_ways_back(past)]


def undo(engine: Engine | None = None, *, again: bool = False) -> list[str]:
    """Take the last goto or reset back; `again`: do what was undone after all."""
    engine = engine or current()
    past = _past(engine)
    with past.locked():
        kept, stuck = past.go(forward=again)
        _forget(engine)
        done = _("Done again: {what}.") if again else _("Undone: {what}. Your lab is as before it.")
        lines = [done.format(what=_named(kept)), *map(str, stuck)]
        if again:
            lines.append(_("To undo it: dockerlab undo, or lab.undo() in a notebook."))
        else:
            lines.append(_("To do it after all: dockerlab redo, or lab.redo() in a notebook."))
        return lines + _losses(past)


def _past(engine: Engine) -> Past:
    docker: Docker | None = None
    if not isinstance(engine, Embedded):
        from dockerlab.engine.docker import Docker

        docker = engine if isinstance(engine, Docker) else None
    root = engine.root if isinstance(engine, Embedded) else home()
    return Past(root, docker)


def _forget(engine: Engine) -> None:
    """Let an embedded engine look anew at its folders, which are others now."""
    if isinstance(engine, Embedded):
        engine.forget()


@contextmanager
def _or_back(past: Past, kept: Kept) -> Iterator[None]:
    """Put the lab back as it was, if this fails; it fails all the same."""
    try:
        yield
    except BaseException:
        with suppress(DockerlabError, OSError):
            past.put_back(kept)
        raise


def _ways_back(past: Past) -> list[str]:
    """How to undo it, and what cannot be undone any more."""
    lines = [_("What was there before is kept: dockerlab undo, or lab.undo() in a notebook.")]
    for dropped, size in past.trim():
        said = _("No longer kept, to save room: the lab before {what} ({size}).")
        lines.append(said.format(what=_named(dropped), size=_human(size)))
    return lines + _losses(past)


def _losses(past: Past) -> list[str]:
    if not past.docker:
        return []
    return [
        _(
            "On a Docker Engine an undo brings back containers, images and volumes with their "
            "content; logs, the containers' ids and the digests of pulled images it does not."
        )
    ]


def _named(kept: Kept) -> str:
    if kept.what == "reset":
        return _("the reset")
    title = next((each.title for each in lessons() if each.name == kept.lesson), kept.lesson)
    return _("the jump to “{lesson}”").format(lesson=title)


def _human(size: float) -> str:
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
