"""What a learner is told about the engine: which one she has, and how she gets the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockerlab.engine import DOCKER, EMBEDDED, current, found, wanted, word
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.docker.address import Address
    from dockerlab.engine.docker.asking import Version

Row = tuple[str, str]

_SAMPLES = ("amd64", "arm64")  # what the course's own images are made for
_told: set[str] = set()


def rows() -> list[Row]:
    """Label and text: the engine in use, its Docker Hub and, if there is more to say, Docker."""
    try:
        engine = current()
    except DockerlabError as error:
        return [(_("Engine"), error.message())]
    there = found() if engine.name == DOCKER else None
    if there and there.address and there.version:
        return _on_docker(there.address, there.version)
    own = [
        (_("Engine"), _("the course's own (embedded), no Docker needed")),
        (_("Docker Hub"), _("Mini Hub, the course's small stand-in")),
    ]
    return own if wanted() == EMBEDDED else [*own, (_("Docker"), _why_not())]


def unheard() -> list[str]:
    """Of an engine that the learner named and that does not serve her: what is wrong, once."""
    wrong = [] if wanted() else [each for each in found().problems if each.is_named]
    texts = [f"{each.message()} {_instead()}" for each in wrong]
    new = [text for text in texts if text not in _told]
    _told.update(new)
    return new


def _on_docker(address: Address, version: Version) -> list[Row]:
    from dockerlab.engine.docker import asking
    from dockerlab.engine.docker.finding import PATIENCE
    from dockerlab.engine.docker.problems import Problem

    engine = _("{version} at {url} ({origin})")
    used = engine.format(version=version, url=address.url, origin=address.origin)
    try:
        info = asking.get(address, "/info", PATIENCE)
    except Problem as problem:
        return [(_("Engine"), used), (_("Docker"), problem.message())]
    mirrors = ", ".join((info.get("RegistryConfig") or {}).get("Mirrors") or ())
    hub = _("{mirror} first, then the real one").format(mirror=mirrors)
    notes = " ".join(_notes(address, version))
    return [
        (_("Engine"), used),
        (_("Docker Hub"), hub if mirrors else _("the real one")),
        (_("Docker"), notes),
    ]


def _notes(address: Address, version: Version) -> Iterator[str]:
    yield from (problem.message() for problem in found().problems)
    if version.arch not in _SAMPLES:
        yield _(
            "This engine is made for {arch}; the course's own images are made for amd64 and arm64, "
            "and do not start on it."
        ).format(arch=version.arch)
    if not address.is_here:
        yield _(
            "It runs on another machine: a registry at its localhost:5000 is over there, and this "
            "notebook does not reach it."
        )
    if not word.real():
        yield _(
            "The docker command is not installed here, so the lab speaks to the engine itself. All "
            "commands of the lessons work."
        )
    yield _(
        "To use the course's own engine instead, set DOCKERLAB_ENGINE=embedded and restart the "
        "kernel."
    )


def _why_not() -> str:
    from dockerlab.engine.docker import finding, problems

    now = finding.find()
    restart = _("Then restart the kernel.")
    if now.address:
        answers = _("{version} answers now. Restart the kernel to use it.")
        return answers.format(version=now.version)
    if now.problems:
        return " ".join([*map(str, now.problems), restart])
    if word.real():
        return " ".join(
            [_("Docker is installed here, but not running."), problems.start(), restart]
        )
    return _("none on this machine")


def _instead() -> str:
    address = found().address
    if address is None:
        return _("Meanwhile the course's own engine serves you.")
    return _("Meanwhile {url} serves you.").format(url=address.url)
