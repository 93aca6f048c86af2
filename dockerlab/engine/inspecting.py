"""What `docker inspect` shows of what the embedded engine has."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dockerlab.engine.base import Json, Usage
from dockerlab.engine.container import Container
from dockerlab.engine.containers import Containers
from dockerlab.engine.image import Image

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

ENGINE = "dockerlab embedded engine"
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}

# Go's fields of a container's config in their order: always there, or only if they are set.
_ALWAYS: dict[str, Any] = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "ExposedPorts": None,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Healthcheck": None,
    "ArgsEscaped": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": None,
    "StopSignal": None,
    "StopTimeout": None,
    "Shell": None,
}
_IF_SET = {"ExposedPorts", "Healthcheck", "ArgsEscaped", "StopSignal", "StopTimeout", "Shell"}


def of_container(containers: Containers, container: Container, size: bool) -> Json:
    """What docker says of a container."""
    state, log = container.state, containers.log(container)
    process = container.process
    return {
        "Id": container.id,
        "Created": container.created,
        "Path": container.path,
        "Args": container.args,
        "State": {
            "Status": state.status,
            "Running": container.running,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": process.pid if process else 0,
            "ExitCode": state.exit_code,
            "Error": state.error,
            "StartedAt": state.started,
            "FinishedAt": state.finished,
        },
        "Image": container.image_id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": str(log),
        "Name": f"/{container.name}",
        "RestartCount": state.restarts,
        "Driver": "dockerlab",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": None,
        "HostConfig": container.host,
        "GraphDriver": {"Data": None, "Name": "dockerlab"},
        **({"SizeRw": 0, "SizeRootFs": 0} if size else {}),
        "Mounts": container.mounts,
        "Config": container.config,
        "NetworkSettings": _network(container),
    }


def _network(container: Container) -> Json:
    """Published ports; an exposed port that is not published is null, as in docker."""
    address: Json = {"Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "MacAddress": ""}
    published = {port: entries or None for port, entries in container.state.ports.items()}
    return {
        "Bridge": "",
        "Ports": dict(sorted(published.items())),
        **address,
        "Networks": {"bridge": {"Links": None, "Aliases": None, **address}},
    }


def of_image(image: Image) -> Json:
    """What docker says of an image."""
    config, history = image.config, image.config.get("history") or [{}]
    told = {
        "Id": image.id,
        "RepoTags": [name.familiar for name in image.names],
        "RepoDigests": [name.familiar for name in image.digests],
        "Parent": "",
        "Comment": config.get("comment") or history[-1].get("comment") or "",
        "Created": image.created,
        "Container": config.get("container") or "",
        "ContainerConfig": _settings(config.get("container_config") or {}),
        "DockerVersion": config.get("docker_version") or "",
        "Author": config.get("author") or "",
        "Config": _settings(image.settings),
        "Architecture": config.get("architecture") or "",
        "Variant": config.get("variant"),
        "Os": config.get("os") or "",
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {"Data": None, "Name": "dockerlab"},
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        "Metadata": {"LastTagTime": image.tagged},
    }
    return {key: value for key, value in told.items() if key != "Variant" or value}


def _settings(given: Json) -> Json:
    return {
        key: given.get(key, default)
        for key, default in _ALWAYS.items()
        if key not in _IF_SET or given.get(key)
    }


def steps(image: Image) -> Iterator[Json]:
    """The history of an image, newest first: the config's lines, with the layers' sizes."""
    sizes = list(image.sizes)
    found: list[Json] = []
    for line in image.config.get("history") or []:
        own = 0 if line.get("empty_layer") or not sizes else sizes.pop(0)
        found.append({**line, "size": own, "id": "<missing>"})
    for number, step in enumerate(reversed(found)):
        yield step | ({"id": image.id} if number == 0 else {})


def machine() -> str:
    """This machine's architecture as Go calls it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def usage(engine: Embedded) -> list[Usage]:
    """What takes how much room."""
    containers = engine.containers.list()
    used = {one.image_id for one in containers}
    mounted = {mount.get("Name") for one in containers for mount in one.mounts}
    return [
        _sum("Images", [(one.size, one.id in used) for one in engine.images.list()]),
        _sum("Containers", [(0, one.running) for one in containers]),
        _sum("Local Volumes", [(one.size(), one.name in mounted) for one in engine.volumes.list()]),
        _sum("Build Cache", []),
    ]


def _sum(kind: str, entries: list[tuple[int, bool]]) -> Usage:
    unused = sum(size for size, used in entries if not used)
    total = sum(size for size, _ in entries)
    return Usage(kind, len(entries), sum(used for _, used in entries), total, unused)


def about(engine: Embedded) -> Json:
    """What `docker version` shows of the server."""
    return {
        "Platform": {"Name": ENGINE},
        "Version": engine.version,
        "ApiVersion": "1.41",
        "MinAPIVersion": "1.41",
        "Os": "linux",
        "Arch": machine(),
    }


def info(engine: Embedded) -> Json:
    """What `docker info` shows of the server."""
    import psutil

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
        "RegistryConfig": {
            "IndexConfigs": {
                host: {"Name": host, "Mirrors": [], "Secure": False, "Official": False}
                for host in engine.daemon.settings().get("insecure-registries", ())
            },
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "Mirrors": ["Mini Hub (dockerlab)"],
        },
        "LiveRestoreEnabled": True,
    }
