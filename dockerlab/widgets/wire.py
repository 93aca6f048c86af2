"""One docker command, and every request that it sent."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from dockerlab.course.causes import explained
from dockerlab.course.explain import Meaning
from dockerlab.engine import serving
from dockerlab.engine.observing import observing
from dockerlab.errors import EngineError
from dockerlab.i18n import _
from dockerlab.widgets import requests
from dockerlab.widgets.lines import Line, lines_of
from dockerlab.widgets.traffic import Traffic, rows

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.registry.exchange import Exchange

_PASSWORD = re.compile(r"(?<!\S)(-p|--password)([ =]+)\S+")
_PATIENCE = 1.0  # second in which a Docker Engine passes on what a registry has logged
_BEAT = 0.1


class WireView(Traffic):
    """What `docker COMMAND` asked registries; `said` is what it printed."""

    template, is_command = "wire", True

    def __init__(
        self, engine: Engine, command: str, lines: Sequence[Line], said: str, status: int
    ) -> None:
        super().__init__(lines, ordered=True)
        self.engine, self.command, self.said, self.status = engine, command, said, status
        words = command.split()
        self.meaning: Meaning | None = explained(said, words, engine) if status else None
        self.is_log = any(line.exchange is None for line in lines)

    @property
    def title(self) -> str:
        """The command, without a password."""
        return "docker " + _PASSWORD.sub(r"\1\2••••", self.command)

    @property
    def empty(self) -> str:
        """What is said if it asked nobody."""
        if self._lines:
            return ""
        if self.engine and self.engine.name == "docker":
            return _(
                "No registry of the lab has logged a request. What docker asks elsewhere, its "
                "engine does not tell."
            )
        return _("For this, docker asked no registry over HTTP.")

    def __repr__(self) -> str:
        shown = [line for _number, line in self.lines]
        error = self.said.strip() if self.status else ""
        told = [self.empty] if self.empty else rows(shown)
        return "\n".join(filter(None, [self.title, error, *told, self.more]))


def run(engine: Engine, command: str) -> WireView:
    """Carry out `docker COMMAND` and see what it asks; EngineError if it is no command."""
    words, out = _words(command), StringIO()
    found: list[Exchange] = []
    before = requests.logs(engine) if engine.name == "docker" else {}
    with observing(found.append):
        status = serving.serve(words, out, out)
    lines = lines_of(found)
    if not found and engine.name == "docker":
        lines = _logged(engine, before)
    return WireView(engine, " ".join(words), lines, out.getvalue(), status)


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.escape = "" if os.name == "nt" else lexer.escape
    try:
        words = list(lexer)
    except ValueError:
        raise EngineError(_("A quotation mark in this line is opened and never closed.")) from None
    return words[1:] if words[:1] == ["docker"] else words


def _logged(engine: Engine, before: dict[str, list[Line]]) -> list[Line]:
    """What the logs of the lab's registries have gained; they come a little later."""
    deadline, gained = time.monotonic() + _PATIENCE, list[Line]()
    while True:
        last, gained = len(gained), []
        for registry, lines in requests.logs(engine).items():
            gained += lines[len(before.get(registry, ())) :]
        if time.monotonic() > deadline or (gained and len(gained) == last):
            return gained
        time.sleep(_BEAT)
