"""`docker context`: the docker hosts of this lab; each has a folder of its own."""

from __future__ import annotations

import re

from dockerlab.engine.base import Engine
from dockerlab.engine.commands.format import show
from dockerlab.engine.commands.parse import TABLE_FORMAT, Session, command, flag, text
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.home import private
from dockerlab.errors import EngineError, NeedsEngine

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")
_DEFAULT = "default"
_HEADERS = {
    "Current": "CURRENT",
    "Description": "DESCRIPTION",
    "DockerEndpoint": "DOCKER ENDPOINT",
    "Error": "ERROR",
    "Name": "NAME",
}


def exists(engine: Engine, name: str) -> bool:
    """Whether there is a docker host of that name."""
    return name in _names(engine)


@command(
    "context ls",
    "context list",
    summary="List contexts",
    options=(TABLE_FORMAT, flag("quiet", "q", "Only show context names")),
)
def ls(session: Session, *, format: str, quiet: bool) -> None:
    """`docker context ls`."""
    engine = session.engine
    rows = [
        {
            "Current": name == engine.host,
            "Description": "dockerlab's own engine" if engine.name == "embedded" else "",
            "DockerEndpoint": engine.neighbour(name).place,
            "Error": "",
            "Name": f"{name} *" if name == engine.host and not (format or quiet) else name,
        }
        for name in _names(engine)
    ]
    columns = r"{{.Name}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"
    template = "{{.Name}}" if quiet else format
    show(session.out, rows, _HEADERS, columns, template, "*formatter.clientContextContext")


@command("context show", summary="Print the name of the current context")
def current(session: Session) -> None:
    """`docker context show`."""
    session.print(session.engine.host)


@command(
    "context create",
    summary="Create a context",
    usage="CONTEXT",
    options=(
        text("description", "", "Description of the context", support="harmless"),
        text("docker", "", "set the docker endpoint (default [])", kind="stringToString"),
        text("from", "", "create context from a named context", support="engine"),
    ),
    arguments=(1, 1),
)
def create(session: Session, name: str, *, docker: str | None) -> None:
    """`docker context create`: another docker host, with nothing in it yet."""
    if name == _DEFAULT:
        raise EngineError('"default" is a reserved context name')
    if not _NAME.fullmatch(name):
        raise EngineError(
            f'context name "{name}" is invalid, names are validated against regexp '
            f'"^{_NAME.pattern}$"'
        )
    if exists(session.engine, name):
        raise EngineError(f'context "{name}" already exists')
    if not isinstance(session.engine, Embedded):
        raise NeedsEngine("docker context create")
    private(session.engine.neighbour(name).path)
    session.print(name)
    session.complain(f'Successfully created context "{name}"')


@command(
    "context rm",
    "context remove",
    summary="Remove one or more contexts",
    usage="CONTEXT [CONTEXT...]",
    options=(flag("force", "f", "Force the removal of a context in use"),),
    arguments=(1, None),
)
def rm(session: Session, *names: str, force: bool) -> int:
    """`docker context rm`: the host goes with all that it has."""

    def remove(name: str) -> str:
        if name == _DEFAULT:
            raise EngineError('context "default" cannot be removed')
        if not exists(session.engine, name):
            raise EngineError(f'context "{name}" does not exist')
        if name == session.engine.host and not force:
            raise EngineError(f'context "{name}" is in use, set -f flag to force remove')
        if not isinstance(session.engine, Embedded):
            raise NeedsEngine("docker context rm")
        session.engine.neighbour(name).reset()
        return name

    return session.each(names, remove)


def _names(engine: Engine) -> list[str]:
    return [each.host for each in engine.hosts()]
