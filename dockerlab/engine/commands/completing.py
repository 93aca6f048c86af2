"""What Tab offers on a docker command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dockerlab.engine.commands import find
from dockerlab.engine.commands.groups import GROUPS, TOPICS
from dockerlab.engine.commands.help import subcommands
from dockerlab.engine.commands.parse import COMMANDS, Command
from dockerlab.errors import DockerlabError

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine


def completions(words: list[str], engine: Engine) -> list[str]:
    """What the last word may become; the other words are as typed."""
    *before, last = words or [""]
    return sorted({choice for choice in _choices(before, last, engine) if choice.startswith(last)})


def _choices(before: list[str], last: str, engine: Engine) -> Iterable[str]:
    name, rest = find(before)
    if not before:
        return [command for topic in TOPICS.values() for command in topic]
    if not name:
        known = len(before) == 1 and before[0] in GROUPS
        return subcommands(before[0]) if known else ()
    found = COMMANDS[name]
    if last.startswith("-"):
        return [f"--{option.name}" for option in found.options]
    if not found.interspersed and any(not word.startswith("-") for word in rest[:1]):
        return ()  # what follows the image belongs to the container
    return _values(found, engine)


def _values(found: Command, engine: Engine) -> Iterable[str]:
    try:
        if found.completes == "images":
            return [name.familiar for image in engine.images.list() for name in image.names]
        if found.completes == "volumes":
            return [volume.name for volume in engine.volumes.list()]
        if found.completes:
            wanted = {"running": (True,), "stopped": (False,)}.get(found.completes, (True, False))
            containers = engine.containers.list()
            return [one.name for one in containers if one.running in wanted]
    except (DockerlabError, OSError):
        pass  # Tab is no place for error messages
    return ()
