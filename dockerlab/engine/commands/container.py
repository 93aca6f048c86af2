"""docker's commands for containers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from dockerlab.engine.commands import format as shown
from dockerlab.engine.commands.filters import pairs
from dockerlab.engine.commands.parse import (
    FORMAT,
    TABLE_FORMAT,
    Session,
    command,
    flag,
    many,
    number,
)
from dockerlab.engine.container import Container
from dockerlab.errors import EngineError

_HEADERS = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Status": "STATUS",
    "State": "STATE",
    "Ports": "PORTS",
    "Names": "NAMES",
    "Size": "SIZE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Networks": "NETWORKS",
    "Platform": "PLATFORM",
}
DAEMON = "Error response from daemon: "
_COLUMNS = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"]

_MANY: dict[str, Any] = {"usage": "CONTAINER [CONTAINER...]", "arguments": (1, None)}


@command(
    "container ls",
    "container list",
    "container ps",
    "ps",
    summary="List containers",
    options=(
        flag("all", "a", "Show all containers (default shows just running)"),
        many("filter", "f", "Filter output based on conditions provided", kind="filter"),
        TABLE_FORMAT,
        number("last", "n", "Show n last created containers (includes all states)", default=-1),
        flag("latest", "l", "Show the latest created container (includes all states)"),
        flag("no-trunc", "", "Don't truncate output"),
        flag("quiet", "q", "Only display container IDs"),
        flag("size", "s", "Display total file sizes"),
    ),
)
def ps(
    session: Session,
    *,
    all: bool,
    filter: list[str],
    format: str,
    last: int,
    latest: bool,
    no_trunc: bool,
    quiet: bool,
    size: bool,
) -> None:
    """`docker ps`."""
    last = 1 if latest else last
    wanted = pairs(filter)
    found = session.engine.ps(wanted)
    for error in session.engine.containers.damaged:
        session.complain(str(error))
    if not (all or last >= 0 or {"status", "exited"} & wanted.keys()):
        found = [container for container in found if container.running]
    found = found[:last] if last >= 0 else found
    if quiet:
        if format:
            session.complain(
                "WARNING: Ignoring custom format, because both --format and --quiet are set."
            )
        format = "{{.ID}}"
    shown.show(
        session.out,
        [row(container, no_trunc) for container in found],
        _HEADERS,
        r"\t".join(f"{{{{.{column}}}}}" for column in [*_COLUMNS, *["Size"] * size]),
        format,
        "*formatter.ContainerContext",
    )


def row(container: Container, whole: bool = False) -> shown.Row:
    """What `docker ps --format` can show of a container."""
    mounts = [mount.get("Name") or mount["Source"] for mount in container.mounts]
    labels = container.config["Labels"]
    words = container.command if whole else _cut(container.command, 20)
    return {
        "Command": shown.go_json(words),
        "CreatedAt": shown.parse_time(container.created).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
        "ID": container.id if whole else container.short,
        "Image": container.image_name,
        "Labels": ",".join(f"{key}={value}" for key, value in labels.items()),
        "LocalVolumes": str(sum(mount["Type"] == "volume" for mount in container.mounts)),
        "Mounts": ",".join(mounts if whole else [_cut(mount, 15) for mount in mounts]),
        "Names": container.name,
        "Networks": container.host["NetworkMode"] if container.told else "bridge",
        "Platform": None,
        "Ports": ", ".join(_ports(container)),
        "RunningFor": shown.ago(container.created),
        "Size": "0B",
        "State": container.state.status,
        "Status": status(container),
        "Label": labels.get,
    }


def status(container: Container) -> str:
    """`Up 2 minutes`, `Exited (2) 5 seconds ago` or `Created`."""
    if container.told:
        return str(container.told["Status"])
    state, now = container.state, datetime.now(timezone.utc)
    if state.status == "created":
        return "Created"
    moment = state.started if container.running else state.finished
    length = shown.duration((now - shown.parse_time(moment)).total_seconds())
    return f"Up {length}" if container.running else f"Exited ({state.exit_code}) {length} ago"


@command(
    "container rename",
    "rename",
    summary="Rename a container",
    usage="CONTAINER NEW_NAME",
    arguments=(2, 2),
    completes="containers",
)
def rename(session: Session, old: str, new: str) -> None:
    """`docker rename`."""
    from dockerlab.engine.creation import check_name

    if not old.strip() or not new.strip():
        raise EngineError("Error: Neither old nor new names may be empty")
    containers = session.engine.containers
    try:
        container = containers.find(old)
        if container.name == new.removeprefix("/"):
            raise EngineError(
                "Error response from daemon: "
                "Renaming a container with the same name as its current name"
            )
        try:
            check_name("/" + new.removeprefix("/"))
            containers.rename(container, new.removeprefix("/"))
        except EngineError as error:
            raise behind("Error when allocating new name: ", error) from None
    except EngineError as error:
        raise EngineError(f"{error.text}\nError: failed to rename container named {old}") from None


@command(
    "container port",
    "port",
    summary="List port mappings or a specific mapping for the container",
    usage="CONTAINER [PRIVATE_PORT[/PROTO]]",
    arguments=(1, 2),
    completes="running",
)
def port(session: Session, name: str, wanted: str = "") -> None:
    """`docker port`."""
    container = session.engine.containers.find(name)
    inside, _, protocol = wanted.partition("/")
    if wanted and not (inside.isascii() and inside.isdigit()):
        raise EngineError(
            f'Error: invalid port ({inside}): strconv.ParseUint: parsing "{inside}": invalid syntax'
        )
    exact = f"{inside}/{protocol or 'tcp'}"
    entries = container.state.ports
    if wanted:
        if not entries.get(exact):
            raise EngineError(f"Error: No public port '{wanted}' published for {name}")
        for entry in entries[exact]:
            session.print(_join(entry))
        return
    for published in sorted(entries):
        for entry in entries[published]:
            session.print(f"{published} -> {_join(entry)}")


@command(
    "container inspect",
    summary="Display detailed information on one or more containers",
    options=(FORMAT, flag("size", "s", "Display total file sizes")),
    completes="containers",
    **_MANY,
)
def inspect(session: Session, *names: str, format: str, size: bool) -> int:
    """`docker container inspect`."""
    from dockerlab.engine.commands.inspect import inspect_each

    engine = session.engine
    return inspect_each(
        session, names, format, lambda name: engine.inspect("container", name, size=size)
    )


@command(
    "container prune",
    summary="Remove all stopped containers",
    options=(
        many("filter", "", 'Provide filter values (e.g. "until=<timestamp>")', kind="filter"),
        flag("force", "f", "Do not prompt for confirmation"),
    ),
)
def prune(session: Session, *, filter: list[str], force: bool) -> None:
    """`docker container prune`."""
    if force or session.confirm("WARNING! This will remove all stopped containers."):
        freed = prune_containers(session, filter)
        session.print(f"Total reclaimed space: {shown.size(freed, 4)}")


def prune_containers(session: Session, filters: list[str]) -> int:
    """Remove all stopped containers that the filters let through, list them, count their bytes."""
    gone, freed = session.engine.prune("containers", pairs(filters))
    if gone:
        session.print("\n".join(["Deleted Containers:", *gone, ""]))
    return freed


def behind(words: str, error: EngineError) -> EngineError:
    """The error with these words before its reason, unless docker has put them there."""
    reason = error.text.removeprefix(f"{DAEMON}{words}").removeprefix(DAEMON)
    return EngineError(f"{DAEMON}{words}{reason}")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _ports(container: Container) -> list[str]:
    shown_ports = []
    for inside in sorted(container.state.ports):
        entries = container.state.ports[inside]
        shown_ports += [f"{_join(entry)}->{inside}" for entry in entries] or [inside]
    return shown_ports


def _join(entry: dict[str, str]) -> str:
    ip = f"[{entry['HostIp']}]" if ":" in entry["HostIp"] else entry["HostIp"]
    return f"{ip}:{entry['HostPort']}"
