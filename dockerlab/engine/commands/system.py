"""docker's commands about the engine itself."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from dockerlab import __version__
from dockerlab.engine.base import Usage
from dockerlab.engine.commands import container, volume
from dockerlab.engine.commands import format as shown
from dockerlab.engine.commands.inspect import inspect_each
from dockerlab.engine.commands.parse import FORMAT, TABLE_FORMAT, Session, command, flag, many
from dockerlab.engine.inspecting import ENGINE, machine

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
    server = session.engine.about()
    python = f"Python {platform.python_version()}"
    here = f"{platform.system().lower()}/{machine()}"
    client = {
        "Version": "28.2.2",
        "ApiVersion": "1.41",
        "Implementation": f"dockerlab {__version__}",
        "Os": platform.system().lower(),
        "Arch": machine(),
        "Context": session.engine.host,
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
        (" OS/Arch:", here),
        (" Context:", session.engine.host),
        ("", ""),
        (f"Server: {server.get('Platform', {}).get('Name', '')}".rstrip(), ""),
        (" Engine:", ""),
        ("  Version:", server["Version"]),
        ("  API version:", f"{server['ApiVersion']} (minimum version {server['MinAPIVersion']})"),
        ("  Made with:", server.get("GoVersion") or python),
        ("  OS/Arch:", f"{server['Os']}/{server['Arch']}"),
        ("  Experimental:", str(bool(server.get("Experimental"))).lower()),
    ]
    for name, value in rows:
        session.print(f"{name:<20}{value}" if value else name)
    return 0


def _insecure(registries: Mapping[str, Any]) -> list[str]:
    named = (registries.get("IndexConfigs") or {}).values()
    return [
        *(one["Name"] for one in named if not one["Secure"]),
        *(registries.get("InsecureRegistryCIDRs") or ()),
    ]


@command("system info", "info", summary="Display system-wide information", options=(FORMAT,))
def info(session: Session, *, format: str) -> int:
    """`docker info`."""
    facts = session.engine.info()
    if format:
        return inspect_each(session, ["info"], _unlisted(format), lambda _: facts)
    session.print(
        f"Client:\n Version:    28.2.2\n Context:    {session.engine.host}\n Debug Mode: false\n\n"
        "Server:"
    )
    registries = facts.get("RegistryConfig") or {}
    made_by = f" ({ENGINE})" if facts["Driver"] == "dockerlab" else ""
    lines = {
        "Containers": facts["Containers"],
        " Running": facts["ContainersRunning"],
        " Paused": facts["ContainersPaused"],
        " Stopped": facts["ContainersStopped"],
        "Images": facts["Images"],
        "Server Version": facts["ServerVersion"] + made_by,
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
        "Insecure Registries": "".join(f"\n  {each}" for each in _insecure(registries)),
        "Registry Mirrors": "".join(f"\n  {url}" for url in registries.get("Mirrors") or ()),
        "Live Restore Enabled": str(bool(facts.get("LiveRestoreEnabled"))).lower(),
    }
    for name, value in lines.items():
        if value != "":
            session.print(f" {name}:{'' if str(value).startswith(chr(10)) else ' '}{value}")
    session.print()
    return 0


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
    rows = [_usage(one) for one in session.engine.usage()]
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


def _usage(used: Usage) -> dict[str, str]:
    share = f" ({used.free * 100 // used.size}%)" if used.size else ""
    return {
        "Type": used.kind,
        "TotalCount": str(used.total),
        "Active": str(used.active),
        "Size": shown.size(used.size, 4),
        "Reclaimable": shown.size(used.free, 4) + share,
    }


def _unlisted(format: str) -> str:
    return "{{json .}}" if format == "json" else format
