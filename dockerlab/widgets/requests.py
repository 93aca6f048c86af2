"""The requests that a registry got, what was answered, and what that means, out of its log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockerlab.course.requests import meaning
from dockerlab.engine.base import Engine
from dockerlab.engine.container import REGISTRY_ROOT, Container
from dockerlab.errors import NoRegistry
from dockerlab.i18n import _, digits, ngettext
from dockerlab.registry.events import Event, parse
from dockerlab.widgets.html import render
from dockerlab.widgets.registry import size

LIMIT = 50  # requests shown, the last ones
_LONG = re.compile(  # what nobody reads to its end: digests, and the real registry's own notes
    r"(sha(?:256|512)(?::|%3A)[0-9a-f]{12}|[?&]_state=|(?<=/uploads/)[0-9a-f]{8})[^&/?]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Row:
    """One request as it is shown."""

    method: str
    path: str
    status: str
    bytes: str
    milliseconds: str
    meaning: str


@dataclass(frozen=True)
class RequestsView:
    """What the registry in container `name` was asked; `events` has all, `rows` the last ones."""

    name: str
    events: tuple[Event, ...]

    @property
    def rows(self) -> list[Row]:
        """The last requests, in the learner's language."""
        return [_row(event) for event in self.events[-LIMIT:]]

    @property
    def earlier(self) -> str:
        """How many are not shown; or ""."""
        count = len(self.events) - LIMIT
        said = ngettext("… and {count} earlier request", "… and {count} earlier requests", count)
        return digits(said.format(count=count)) if count > 0 else ""

    @property
    def title(self) -> str:
        """What the table shows."""
        return _("What {name} was asked").format(name=self.name)

    @property
    def columns(self) -> Row:
        """What stands above the rows."""
        titles = _("method"), _("path"), _("status"), _("bytes"), _("ms"), _("meaning")
        return Row(*titles)

    @property
    def empty(self) -> str:
        """What is said instead, when there is nothing; or ""."""
        return "" if self.events else _("No requests yet. A push or a pull will show here.")

    def __repr__(self) -> str:
        if self.empty:
            return f"{self.title}\n{self.empty}"
        cells = [tuple(vars(row).values()) for row in (self.columns, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["   ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        return "\n".join(filter(None, [self.title, self.earlier, *lines]))

    def _repr_html_(self) -> str:
        return render("requests", view=self)


def look(engine: Engine, name: str = "") -> RequestsView:
    """What a registry's log tells: of the container `name`, else of the newest that runs.

    NoRegistry if there is none.
    """
    known = [one for one in engine.containers.list() if _is_registry(one)]
    known.sort(key=lambda one: not one.running)
    fitting = [one for one in known if not name or name == one.name]
    fitting += [one for one in known if one.id.startswith(name)]
    if not fitting:
        raise NoRegistry(name, [one.name for one in known])
    container = fitting[0]
    written = b"".join(piece for _is_error, piece in engine.containers.output(container))
    lines = written.decode(errors="replace").split("\n")
    return RequestsView(container.name, tuple(parse(lines)))


def _is_registry(container: Container) -> bool:
    """As every image of a registry keeps its folder in a volume."""
    return any(mount.get("Destination") == REGISTRY_ROOT for mount in container.mounts)


def _row(event: Event) -> Row:
    went = [f"↑ {size(event.sent)}"] if event.sent else []
    came = [f"↓ {size(event.received)}"] if event.received else []
    milliseconds = "" if event.milliseconds is None else f"{event.milliseconds:.1f}"
    method, path, means = event.method, _LONG.sub(r"\1…", event.path), str(meaning(event))
    numbers = str(event.status), " ".join(went + came), milliseconds
    return Row(_plain(method), _plain(path), *numbers, _plain(means))


def _plain(text: str) -> str:
    """Whatever somebody asked for stays on its line."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
