"""The requests that a registry got, what was answered, and what that means, out of its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.engine.base import Engine
from dockerlab.engine.container import Container
from dockerlab.engine.registries import is_registry
from dockerlab.errors import NoRegistry
from dockerlab.i18n import _, digits, ngettext
from dockerlab.registry.events import Event, parse
from dockerlab.widgets.lines import Line
from dockerlab.widgets.traffic import Traffic, table

LIMIT = 50  # requests shown, the last ones


@dataclass(frozen=True)
class Row:
    """One request as it is shown."""

    method: str
    path: str
    status: str
    bytes: str
    milliseconds: str
    meaning: str


class RequestsView(Traffic):
    """What the registry in container `name` was asked; `events` has all, `rows` the last ones."""

    is_timed = is_log = True

    def __init__(
        self,
        name: str,
        events: Sequence[Event],
        engine: Engine | None = None,
        address: str = "",
        scheme: str = "",
    ) -> None:
        shown = events[-LIMIT:]
        super().__init__([Line(event, address=address, scheme=scheme) for event in shown])
        self.name, self.events, self.engine = name, tuple(events), engine

    @property
    def rows(self) -> list[Row]:
        """The last requests, in the learner's language."""
        return [_row(line) for _number, line in self.lines]

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
    def empty(self) -> str:
        """What is said instead, when there is nothing; or ""."""
        return "" if self.events else _("No requests yet. A push or a pull will show here.")

    def __repr__(self) -> str:
        if self.empty:
            return f"{self.title}\n{self.empty}"
        titles = _("method"), _("path"), _("status"), _("bytes"), _("ms"), _("meaning")
        lines = table([titles, *(tuple(vars(row).values()) for row in self.rows)])
        return "\n".join(filter(None, [self.title, self.earlier, *lines]))


def look(engine: Engine, name: str = "") -> RequestsView:
    """What a registry's log tells: of the container `name`, else of the newest that runs.

    NoRegistry if there is none.
    """
    known = registries(engine)
    fitting = [one for one in known if not name or name == one.name]
    fitting += [one for one in known if one.id.startswith(name)]
    if not fitting:
        raise NoRegistry(name, [one.name for one in known])
    found = fitting[0]
    return RequestsView(found.name, events(engine, found), engine, _address(found), _scheme(found))


def registries(engine: Engine) -> list[Container]:
    """The containers that are registries, those that run first."""
    known = [one for one in engine.containers.list() if is_registry(one)]
    known.sort(key=lambda one: not one.running)
    return known


def events(engine: Engine, container: Container) -> list[Event]:
    """What the log of a registry's container tells so far."""
    written = b"".join(piece for _is_error, piece in engine.containers.output(container))
    return parse(written.decode(errors="replace").split("\n"))


def logs(engine: Engine) -> dict[str, list[Line]]:
    """The requests in the logs of all registries that run, by the containers' ids."""
    return {
        one.id: [
            Line(event, address=_address(one), scheme=_scheme(one)) for event in events(engine, one)
        ]
        for one in registries(engine)
        if one.running
    }


def _address(container: Container) -> str:
    """Where it can be asked from here; "" if nowhere."""
    ports = sorted(container.published, key=lambda port: (len(port), port))
    return f"localhost:{ports[0]}" if container.running and ports else ""


def _scheme(container: Container) -> str:
    """What it speaks; "" if a file of the learner's says so."""
    if any(str(mount.get("Destination", "")).startswith("/etc/") for mount in container.mounts):
        return ""
    variables = container.config.get("Env") or []
    secure = any(each.startswith("REGISTRY_HTTP_TLS_CERTIFICATE=") for each in variables)
    return "https" if secure else "http"


def _row(line: Line) -> Row:
    return Row(line.method, line.path, line.status, line.bytes, line.milliseconds, line.meaning)
