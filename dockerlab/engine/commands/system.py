"""docker's commands about the engine itself."""

from __future__ import annotations

import os
import platform
from typing import Any

from dockerlab.engine.commands import container, volume
from dockerlab.engine.commands import format as shown
from dockerlab.engine.commands.inspect import inspect_each
from dockerlab.engine.commands.parse import FORMAT, TABLE_FORMAT, Session, command, flag, many

_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
_ENGINE = "dockerlab embedded engine"
_DF_HEADERS = {
    "Active": "ACTIVE",
    "Reclaimable": "RECLAIMABLE",
    "Size": "SIZE",
    "TotalCount": "TOTAL",
    "Type": "TYPE",
}


@command("version", summary="Show the Docker version information", options=(FORMAT,))
def version(session: Session, *, format: str) -> int:
    """`docker version`."""
    python = f"Python {platform.python_version()}"
    machine = f"{platform.system().lower()}/{_machine()}"
    client = {
        "Version": "28.2.2",
        "ApiVersion": "1.41",
        "Implementation": f"dockerlab {session.engine.version}",
        "Os": platform.system().lower(),
        "Arch": _machine(),
        "Context": session.engine.host,
    }
    server = {
        "Platform": {"Name": _ENGINE},
        "Version": session.engine.version,
        "ApiVersion": "1.41",
        "MinAPIVersion": "1.41",
        "Os": "linux",
        "Arch": _machine(),
    }
    if format:
        return inspect_each(
            session, ["version"], _unlisted(format), lambda _: {"Client": client, "Server": server}
        )
    rows = [
        ("Client: dockerlab, in the manner of docker", ""),
        (" Version:", "28.2.2"),
        (" API version:", "1.41"),
        (" Made with:", python),
        (" OS/Arch:", machine),
        (" Context:", session.engine.host),
        ("", ""),
        (f"Server: {_ENGINE}", ""),
        (" Engine:", ""),
        ("  Version:", session.engine.version),
        ("  API version:", "1.41 (minimum version 1.41)"),
        ("  Made with:", python),
        ("  OS/Arch:", f"linux/{_machine()}"),
        ("  Experimental:", "false"),
    ]
    for name, value in rows:
        session.print(f"{name:<20}{value}" if value else name)
    return 0


@command("system info", "info", summary="Display system-wide information", options=(FORMAT,))
def info(session: Session, *, format: str) -> int:
    """`docker info`."""
    facts = _facts(session)
    if format:
        return inspect_each(session, ["info"], _unlisted(format), lambda _: facts)
    session.print(
        f"Client:\n Version:    28.2.2\n Context:    {session.engine.host}\n Debug Mode: false\n\n"
        "Server:"
    )
    lines = {
        "Containers": facts["Containers"],
        " Running": facts["ContainersRunning"],
        " Paused": 0,
        " Stopped": facts["ContainersStopped"],
        "Images": facts["Images"],
        "Server Version": f"{facts['ServerVersion']} ({_ENGINE})",
        "Storage Driver": facts["Driver"],
        "Logging Driver": facts["LoggingDriver"],
        "Operating System": facts["OperatingSystem"],
        "OSType": facts["OSType"],
        "Architecture": facts["Architecture"],
        "CPUs": facts["NCPU"],
        "Total Memory": f"{facts['MemTotal'] / 2**30:.4g}GiB",
        "Name": facts["Name"],
        "Docker Root Dir": facts["DockerRootDir"],
        "Debug Mode": "false",
        "Experimental": "false",
    }
    for name, value in lines.items():
        session.print(f" {name}: {value}")
    session.print(
        " Insecure Registries:\n  127.0.0.0/8\n Registry Mirrors:\n  Mini Hub (dockerlab)"
    )
    session.print(" Live Restore Enabled: true\n")
    return 0


def _facts(session: Session) -> dict[str, Any]:
    import psutil

    engine = session.engine
    containers = engine.containers.list()
    running = sum(one.running for one in containers)
    return {
        "Containers": len(containers),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": len(containers) - running,
        "Images": len(engine.images.list()),
        "Driver": "dockerlab",
        "LoggingDriver": "json-file",
        "KernelVersion": platform.release(),
        "OperatingSystem": platform.platform(terse=True),
        "OSType": "linux",
        "Architecture": platform.machine(),
        "NCPU": os.cpu_count() or 1,
        "MemTotal": psutil.virtual_memory().total,
        "DockerRootDir": str(engine.path),
        "Name": platform.node(),
        "ServerVersion": engine.version,
    }


@command(
    "system df",
    summary="Show docker disk usage",
    options=(
        TABLE_FORMAT,
        flag("verbose", "v", "Show detailed information on space usage", support="engine"),
    ),
)
def df(session: Session, *, format: str) -> None:
    """`docker system df`."""
    engine = session.engine
    images, containers, volumes = (
        engine.images.list(),
        engine.containers.list(),
        engine.volumes.list(),
    )
    used = {one.image_id for one in containers}
    mounted = {mount.get("Name") for one in containers for mount in one.mounts}
    rows = [
        _usage("Images", [(one.size, one.id in used) for one in images]),
        _usage("Containers", [(0, one.running) for one in containers]),
        _usage("Local Volumes", [(one.size(), one.name in mounted) for one in volumes]),
        _usage("Build Cache", []),
    ]
    columns = r"{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
    shown.show(session.out, rows, _DF_HEADERS, columns, format, "*formatter.diskUsageContext")


@command(
    "system prune",
    summary="Remove unused data",
    options=(
        flag("all", "a", "Remove all unused images not just dangling ones"),
        many("filter", "", 'Provide filter values (e.g. "label=<key>=<value>")', kind="filter"),
        flag("force", "f", "Do not prompt for confirmation"),
        flag("volumes", "", "Prune anonymous volumes"),
    ),
)
def prune(session: Session, *, all: bool, filter: list[str], force: bool, volumes: bool) -> None:
    """`docker system prune`."""
    from dockerlab.engine.commands import image

    images = "all images without at least one container associated to them"
    kinds = [
        "all stopped containers",
        "all networks not used by at least one container",
        *(["all anonymous volumes not used by at least one container"] if volumes else []),
        images if all else "all dangling images",
        "all build cache" if all else "unused build cache",
    ]
    warning = "WARNING! This will remove:\n" + "".join(f"  - {kind}\n" for kind in kinds)
    if not force and not session.confirm(warning):
        return
    container.prune_containers(session, filter)
    freed = volume.prune_volumes(session, filter) if volumes else 0
    image.prune_images(session, all=all, filter=filter, force=True)
    if freed:
        session.print(f"Total reclaimed space: {shown.size(freed, 4)}")


def _usage(kind: str, entries: list[tuple[int, bool]]) -> dict[str, str]:
    total = sum(size for size, _ in entries)
    free = sum(size for size, used in entries if not used)
    share = f" ({free * 100 // total}%)" if total else ""
    return {
        "Type": kind,
        "TotalCount": str(len(entries)),
        "Active": str(sum(used for _, used in entries)),
        "Size": shown.size(total, 4),
        "Reclaimable": shown.size(free, 4) + share,
    }


def _unlisted(format: str) -> str:
    return "{{json .}}" if format == "json" else format


def _machine() -> str:
    return _MACHINES.get(platform.machine(), platform.machine())
