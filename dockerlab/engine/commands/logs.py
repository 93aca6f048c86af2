"""`docker logs`."""

from __future__ import annotations

from datetime import datetime

from dockerlab.engine.commands.parse import Session, command, flag, text
from dockerlab.engine.output import show
from dockerlab.errors import EngineError

_WHEN = 'timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'


@command(
    "container logs",
    "logs",
    summary="Fetch the logs of a container",
    usage="CONTAINER",
    options=(
        flag("details", "", "Show extra details provided to logs", support="idle"),
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
    containers = session.engine.containers
    lines = containers.output(
        containers.find(name),
        follow=follow,
        since=_moment(since),
        until=_moment(until),
        tail=int(tail) if tail.isdigit() else None,
        timestamps=timestamps,
    )
    try:
        show(lines, session.out, session.err)
    except KeyboardInterrupt:
        return 130
    return 0


def _moment(given: str) -> datetime | None:
    from dockerlab.engine.commands.filters import moment

    try:
        return moment(given) if given else None
    except EngineError:
        raise EngineError(
            f'invalid value for "since": failed to parse value as time or duration: "{given}"'
        ) from None
