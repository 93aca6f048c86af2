"""Requests to registries: a diagram of who asked whom, a table, and what was in each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dockerlab.engine.observing import observing
from dockerlab.i18n import _, digits, ngettext
from dockerlab.widgets.lines import Group, Line, Order
from dockerlab.widgets.registry import size
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.registry.exchange import Exchange

LIMIT = 200  # rows of the table
ARROWS = 60  # of the diagram; then blobs of which nothing new can be learned are counted


class Host(NamedTuple):
    """Somebody who was asked; `scheme` is "" where it is not known."""

    name: str
    scheme: str

    @property
    def lock(self) -> str:
        """How the way there is secured, in a sign and words."""
        return {"https": "✔ HTTPS", "http": "⚠ HTTP"}.get(self.scheme, "")

    @property
    def said(self) -> str:
        """What that means."""
        return {
            "https": _("encrypted: nobody on the way can read it"),
            "http": _("not encrypted: everybody on the way can read it"),
        }.get(self.scheme, "")


class Step(NamedTuple):
    """One row of the diagram: an arrow and its answer, or a note across it."""

    line: Line | None
    host: int = 0
    note: str = ""


class Traffic(View):
    """What a registry, or several, were asked; a subclass says by whom and when."""

    template = "traffic"
    is_command = False  # whether the title is what somebody typed
    is_timed = False  # whether the still form tells how long requests took
    is_log = False  # whether only a registry's log tells of them
    engine: Engine | None = None

    def __init__(self, lines: Sequence[Line], ordered: bool = False) -> None:
        order = Order(lines)
        self._lines = order.lines if ordered else list(lines)
        self._groups = order.groups if ordered else [Group("", None, tuple(enumerate(lines)))]
        self._again: dict[int, Exchange] = {}
        self.opened: int | None = None
        self.busy = False

    @property
    def title(self) -> str:
        """What is shown."""
        raise NotImplementedError

    @property
    def empty(self) -> str:
        """What is said if there is nothing; or ""."""
        raise NotImplementedError

    @property
    def earlier(self) -> str:
        """How many came before and are not shown; or ""."""
        return ""

    @property
    def lines(self) -> list[tuple[int, Line]]:
        """The rows of the table, numbered."""
        return [(number, self._line(number)) for number in range(len(self._lines))][:LIMIT]

    @property
    def more(self) -> str:
        """How many are not shown; or ""."""
        count = len(self._lines) - LIMIT
        said = ngettext("… and {count} more request", "… and {count} more requests", count)
        return digits(said.format(count=count)) if count > 0 else ""

    @property
    def hosts(self) -> list[Host]:
        """Everybody who was asked, in that order."""
        found = {_host(line): line for line in reversed(self._lines)}
        names = dict.fromkeys(_host(line) for line in self._lines)
        return [Host(name, found[name].scheme) for name in names]

    @property
    def steps(self) -> list[Step]:
        """The rows of the diagram."""
        places = {host.name: number for number, host in enumerate(self.hosts, 1)}
        steps: list[Step] = []
        skipped = 0
        for group in self._groups:
            if group.digest and len(steps) > ARROWS:
                skipped += 1
                continue
            steps += _skip(skipped)
            skipped = 0
            steps += [Step(None, 0, group.title)] if group.digest else []
            steps += [Step(line, places[_host(line)]) for _number, line in group.lines]
        return steps + _skip(skipped)

    @property
    def has_blobs(self) -> bool:
        """Whether something travelled at the same time."""
        return sum(bool(group.digest) for group in self._groups) > 1

    @property
    def summary(self) -> str:
        """The diagram in one sentence."""
        count = len(self._lines)
        bad = sum(not line.is_good for line in self._lines)
        said = ngettext(
            "docker sent {count} request to {hosts}; {bad} of the answers were a no. "
            "The table below tells the same.",
            "docker sent {count} requests to {hosts}; {bad} of the answers were a no. "
            "The table below tells the same.",
            count,
        )
        hosts = ", ".join(host.name for host in self.hosts)
        return said.format(count=digits(count), hosts=hosts, bad=digits(bad))

    @property
    def total(self) -> str:
        """How many requests there were, and how many bytes they carried."""
        count = len(self._lines)
        sent = sum(line.event.sent or 0 for line in self._lines)
        received = sum(line.event.received for line in self._lines)
        said = ngettext("{count} request", "{count} requests", count)
        sums = [digits(said.format(count=count)), f"↑ {size(sent)}", f"↓ {size(received)}"]
        return " · ".join(sums)

    def on_open(self, value: Any) -> None:
        """Show what is in one of them, or no longer."""
        number = _number(value)
        self.opened = None if self.opened == number else number

    def on_ask(self, value: Any) -> None:
        """Ask one of them again, as docker would."""
        number = _number(value)
        if self.busy or number >= len(self._lines) or not self._lines[number].can_ask:
            return
        self.busy = True
        self.in_background(lambda: self._ask(number))

    def _ask(self, number: int) -> None:
        line = self._lines[number]
        found: list[Exchange] = []
        try:
            assert self.engine
            with observing(found.append), self.engine.connect(line.address) as client:
                client.look(line.event.method, line.event.path)
        finally:
            self.busy = False
            if found:
                self._again[number] = found[-1]

    def _line(self, number: int) -> Line:
        line = self._lines[number]
        later = self._again.get(number)
        return replace(line, exchange=later, again=True) if later else line


def rows(lines: Sequence[Line]) -> list[str]:
    """The table in plain text, the same in each run."""
    titles = (_("method"), _("path"), _("status"), _("bytes"), _("meaning"))
    cells = [(one.method, one.still, one.status, one.bytes, one.meaning) for one in lines]
    return table([titles, *cells])


def table(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns that are as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["   ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _host(line: Line) -> str:
    return line.event.host or line.address or _("registry")


def _number(value: object) -> int:
    """The row that a page names; far beyond all if it names none."""
    return int(value) if isinstance(value, str) and value.isdecimal() else sys.maxsize


def _skip(count: int) -> list[Step]:
    said = ngettext(
        "… and {count} more, in the same way", "… and {count} more, in the same way", count
    )
    return [Step(None, 0, digits(said.format(count=count)))] if count else []
