"""`dockerlab classroom`: the instructor's machine serves a registry for the room."""

from __future__ import annotations

from dockerlab.cli.group import cli
from dockerlab.i18n import _


@cli.group(help=_("A registry for a class, on the instructor's machine."))
def classroom() -> None:
    """What an instructor does with a class."""
