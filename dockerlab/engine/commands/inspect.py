"""`docker inspect`, and what it says of a container."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dockerlab.engine.base import Json
from dockerlab.engine.commands.format import go_json
from dockerlab.engine.commands.parse import FORMAT, Session, command, flag, text
from dockerlab.engine.commands.template import ExecuteError, ParseError, Template
from dockerlab.errors import DockerlabError, EngineError, Unreachable

_TYPES = (
    *("config", "container", "image", "network", "node", "plugin", "secret", "service", "task"),
    "volume",
)


@command(
    "inspect",
    summary="Return low-level information on Docker objects",
    usage="NAME|ID [NAME|ID...]",
    options=(
        FORMAT,
        flag("size", "s", "Display total file sizes if the type is container"),
        text("type", "", "Only inspect objects of the given type"),
    ),
    arguments=(1, None),
    completes="containers",
)
def inspect(session: Session, *names: str, format: str, size: bool, type: str) -> int:
    """`docker inspect`."""
    from dockerlab.engine.commands import image_inspect

    engine = session.engine
    ways: dict[str, Callable[[str], Json]] = {
        "container": lambda name: engine.inspect("container", name, size=size),
        "image": lambda name: image_inspect.look_up(session, name),
        "volume": lambda name: engine.inspect("volume", name),
    }
    if type and type not in _TYPES:
        known = ", ".join(f'"{known}"' for known in _TYPES)
        raise EngineError(f'unknown type: "{type}": must be one of {known}')
    if type:
        return inspect_each(session, names, format, ways.get(type, _nothing))

    def look(name: str) -> Json:
        for way in ways.values():
            try:
                return way(name)
            except Unreachable:
                raise
            except EngineError:
                continue
        raise _nothing(name)

    return inspect_each(session, names, format, look)


def inspect_each(
    session: Session, names: Sequence[str], format: str, look: Callable[[str], Json]
) -> int:
    """Show what `look` finds for each name, as JSON or by a template; mistakes come last."""
    template = _template(format)
    found, failures = [], []
    for name in names:
        try:
            found.append(look(name))
        except DockerlabError as error:
            failures.append(str(error))
    if template is None:
        session.print(go_json(found, indent=4 if not format else None))
    for item in found if template else ():
        try:
            session.print(template.render(item) if template else "")
        except ExecuteError as error:
            session.print()
            raise EngineError(f"template parsing error: {error}") from None
    if template and not found:
        session.print()
    for failure in failures:
        session.complain(failure)
    return int(bool(failures))


def _template(format: str) -> Template | None:
    if format in ("", "json"):
        return None
    try:
        return Template(format)
    except ParseError as error:
        raise EngineError(f"template parsing error: {error}", 64) from None


def _nothing(name: str) -> Any:
    raise EngineError(f"Error: No such object: {name}")
