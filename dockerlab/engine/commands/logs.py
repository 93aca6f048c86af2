"""`docker logs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from dockerlab.engine.commands.format import parse_time
from dockerlab.engine.commands.parse import Session, command, flag, text
from dockerlab.engine.container import Container
from dockerlab.errors import EngineError

_TIME = re.compile(r'time="([^"]+)"')
_WHEN = 'timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'


@command(
    "container logs",
    "logs",
    summary="Fetch the logs of a container",
    usage="CONTAINER",
    options=(
        flag("details", "", "Show extra details provided to logs", support="harmless"),
        flag("follow", "f", "Follow log output"),
        text("since", "", f"Show logs since {_WHEN}"),
        text("tail", "n", "Number of lines to show from the end of the logs", default="all"),
        flag("timestamps", "t", "Show timestamps"),
        text("until", "", f"Show logs before a {_WHEN}"),
    ),
    arguments=(1, 1),
    completes="containers",
)
def logs(
    session: Session,
    name: str,
    *,
    follow: bool,
    since: str,
    tail: str,
    timestamps: bool,
    until: str,
) -> int:
    """`docker logs`; what a registry says is on standard error, as it is in docker."""
    from dockerlab.engine.commands.running import write_all

    containers = session.engine.containers
    container = containers.find(name)
    out = session.err if container.kind == "registry" else session.out
    begin, end = _moment(since), _moment(until)
    path = containers.log(container)
    content = path.read_bytes()
    entries = list(_entries(content.decode(errors="replace"), container))
    chosen = [
        (moment, line)
        for moment, line in entries
        if (begin is None or moment >= begin) and (end is None or moment < end)
    ]
    count = int(tail) if tail.isdigit() else len(chosen)
    for moment, line in chosen[len(chosen) - min(count, len(chosen)) :]:
        stamp = f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%f000Z')} " if timestamps else ""
        out.write(stamp + line)
    out.flush()
    try:
        if follow:
            write_all(containers.follow(container, len(content)), out)
    except KeyboardInterrupt:
        return 130
    return 0


def _entries(content: str, container: Container) -> Iterator[tuple[datetime, str]]:
    """The lines with the time they carry, else with the time of the line before."""
    last = parse_time(
        container.created if container.state.status == "created" else container.state.started
    )
    for line in content.splitlines(keepends=True):
        found = _TIME.search(line)
        with suppress(ValueError):
            last = parse_time(found[1]) if found else last
        yield last, line


def _moment(given: str) -> datetime | None:
    from dockerlab.engine.commands.filters import moment

    try:
        return moment(given) if given else None
    except EngineError:
        raise EngineError(
            f'invalid value for "since": failed to parse value as time or duration: "{given}"'
        ) from None
