"""docker's commands for volumes."""

from __future__ import annotations

from dockerlab.engine.base import Volume
from dockerlab.engine.commands.container_filters import volume_test
from dockerlab.engine.commands.filters import pairs
from dockerlab.engine.commands.format import show, size
from dockerlab.engine.commands.inspect import inspect_each
from dockerlab.engine.commands.parse import (
    FORMAT,
    TABLE_FORMAT,
    Session,
    command,
    flag,
    many,
    text,
)
from dockerlab.errors import NeedsEngine

_HEADERS = {
    "Availability": "AVAILABILITY",
    "Driver": "DRIVER",
    "Group": "GROUP",
    "Labels": "LABELS",
    "Links": "LINKS",
    "Mountpoint": "MOUNTPOINT",
    "Name": "VOLUME NAME",
    "Scope": "SCOPE",
    "Size": "SIZE",
    "Status": "STATUS",
}


@command(
    "volume create",
    summary="Create a volume",
    usage="[VOLUME]",
    options=(
        text("driver", "d", "Specify volume driver name", default="local"),
        many("label", "", "Set metadata for a volume"),
        many(
            "opt", "o", "Set driver specific options (default map[])", kind="map", support="engine"
        ),
    ),
    arguments=(0, 1),
)
def create(session: Session, name: str = "", *, driver: str, label: list[str]) -> None:
    """`docker volume create`."""
    if driver != "local":
        raise NeedsEngine(f"docker volume create --driver {driver}")
    labels = dict(entry.partition("=")[::2] for entry in label)
    session.print(session.engine.volumes.create(name, labels or None).name)


@command(
    "volume ls",
    "volume list",
    summary="List volumes",
    options=(
        many("filter", "f", 'Provide filter values (e.g. "dangling=true")', kind="filter"),
        TABLE_FORMAT,
        flag("quiet", "q", "Only display volume names"),
    ),
)
def ls(session: Session, *, filter: list[str], format: str, quiet: bool) -> None:
    """`docker volume ls`."""
    test = volume_test(pairs(filter), lambda name: bool(session.engine.containers.attached(name)))
    volumes = [volume for volume in session.engine.volumes.list() if test(volume)]
    template = "{{.Name}}" if quiet else format
    columns = r"{{.Driver}}\t{{.Name}}"
    show(
        session.out,
        [_row(volume) for volume in volumes],
        _HEADERS,
        columns,
        template,
        "*formatter.volumeContext",
    )


@command(
    "volume inspect",
    summary="Display detailed information on one or more volumes",
    usage="VOLUME [VOLUME...]",
    options=(FORMAT,),
    arguments=(1, None),
    completes="volumes",
)
def inspect(session: Session, *names: str, format: str) -> int:
    """`docker volume inspect`."""
    engine = session.engine
    return inspect_each(session, names, format, lambda name: engine.inspect("volume", name))


@command(
    "volume rm",
    "volume remove",
    summary="Remove one or more volumes",
    about="Remove one or more volumes. You cannot remove a volume that is in use by a container.",
    usage="VOLUME [VOLUME...]",
    options=(flag("force", "f", "Force the removal of one or more volumes"),),
    arguments=(1, None),
    completes="volumes",
)
def rm(session: Session, *names: str, force: bool) -> int:
    """`docker volume rm`."""

    def remove(name: str) -> str:
        session.engine.remove_volume(name, force=force)
        return name

    return session.each(names, remove)


@command(
    "volume prune",
    summary="Remove unused local volumes",
    options=(
        flag("all", "a", support="unlisted"),  # as always with engine 20.10
        many("filter", "", 'Provide filter values (e.g. "label=<label>")', kind="filter"),
        flag("force", "f", "Do not prompt for confirmation"),
    ),
)
def prune(session: Session, *, filter: list[str], force: bool) -> None:
    """`docker volume prune`."""
    # The words are those for engine 20.10, which takes the named volumes too.
    warning = "WARNING! This will remove all local volumes not used by at least one container."
    if force or session.confirm(warning):
        session.print(f"Total reclaimed space: {size(prune_volumes(session, filter), 4)}")


def prune_volumes(session: Session, filters: list[str]) -> int:
    """Remove the volumes that no container has, list them, and count their bytes."""
    gone, freed = session.engine.prune("volumes", pairs(filters))
    if gone:
        session.print("\n".join(["Deleted Volumes:", *gone, ""]))
    return freed


def _row(volume: Volume) -> dict[str, str]:
    labels = ",".join(f"{key}={value}" for key, value in sorted((volume.labels or {}).items()))
    return dict.fromkeys(_HEADERS, "N/A") | {
        "Driver": "local",
        "Labels": labels,
        "Mountpoint": str(volume.folder),
        "Name": volume.name,
        "Scope": "local",
    }
