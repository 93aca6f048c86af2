"""From what `docker run` was told to a container's record."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from dockerlab.engine.container import Container, kind_of, now
from dockerlab.engine.mounts import Mount
from dockerlab.engine.ports import Binding
from dockerlab.errors import EngineError, NeedsEngine

if TYPE_CHECKING:
    from dockerlab.engine.images import Image
    from dockerlab.engine.volumes import Volumes

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_HOW = "brave calm clever eager gentle happy kind lively merry patient quick quiet sunny wise"
_WHO = "begum bose dutta hasan hossain islam khatun mitra noether rahman roy sen turing ullah"
_POLICIES = ("", "no", "always", "unless-stopped", "on-failure")
_RUNTIME = (
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: exec: "
)


@dataclass
class Settings:
    """What `docker run` was told about a container."""

    image_name: str
    name: str = ""
    command: Sequence[str] = ()
    entrypoint: str | None = None
    env: Sequence[str] = ()
    ports: Sequence[Binding] = ()
    exposed: Sequence[str] = ()
    publish_all: bool = False
    volumes: Sequence[str] = ()
    mounts: Sequence[Mount] = ()
    labels: dict[str, str] = field(default_factory=dict)
    restart: tuple[str, int] = ("no", 0)
    auto_remove: bool = False
    hostname: str = ""
    user: str = ""
    workdir: str = ""
    network: str = "default"
    platform: str = ""
    tty: bool = False
    stdin: bool = False
    attached: bool = False
    cid_file: str = ""


def check_name(name: str) -> None:
    """EngineError unless `name` may be a container's."""
    if not _NAME.fullmatch(name.removeprefix("/")):
        raise EngineError(
            f"Error response from daemon: Invalid container name ({name}), "
            "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        )


def invent_name() -> str:
    """A name in docker's manner."""
    return f"{secrets.choice(_HOW.split())}_{secrets.choice(_WHO.split())}"


def check(settings: Settings) -> None:
    """EngineError in docker's words if such a container cannot be."""
    policy, count = settings.restart
    if policy not in _POLICIES:
        raise EngineError(f"Error response from daemon: invalid restart policy '{policy}'")
    if count < 0:
        raise EngineError("Error response from daemon: maximum retry count cannot be negative")
    if count and policy != "on-failure":
        raise EngineError(
            "Error response from daemon: maximum retry count cannot be used with restart policy "
            f"'{policy}'"
        )
    if settings.name:
        check_name(settings.name)


def build(
    settings: Settings, made_from: Image, identity: str, name: str, volumes: Volumes
) -> Container:
    """The record of a new container; its volumes are made."""
    image = made_from.config.get("config") or {}
    entrypoint, command = _program(settings, image)
    words = [*(entrypoint or []), *(command or [])]
    targets = {mount.target for mount in settings.mounts}
    anonymous = [
        Mount("", target) for target in image.get("Volumes") or {} if target not in targets
    ]
    labels = (image.get("Labels") or {}) | settings.labels
    return Container(
        id=identity,
        name=name,
        created=now(),
        kind=kind_of(settings.image_name, made_from.config),
        image_id=made_from.id,
        image_name=settings.image_name,
        path=words[0],
        args=words[1:],
        config={
            "Hostname": settings.hostname or identity[:12],
            "Domainname": "",
            "User": settings.user or image.get("User") or "",
            "AttachStdin": settings.attached and settings.stdin,
            "AttachStdout": settings.attached,
            "AttachStderr": settings.attached,
            **({"ExposedPorts": exposed} if (exposed := _exposed(settings, image)) else {}),
            "Tty": settings.tty,
            "OpenStdin": settings.stdin,
            "StdinOnce": settings.attached and settings.stdin,
            "Env": _environment(settings.env, image.get("Env") or []),
            "Cmd": command or None,
            "Image": settings.image_name,
            "Volumes": image.get("Volumes") or None,
            "WorkingDir": settings.workdir or image.get("WorkingDir") or "",
            "Entrypoint": entrypoint or None,
            "OnBuild": None,
            "Labels": dict(sorted(labels.items())),
        },
        host=_host(settings),
        mounts=[mount.attach(volumes) for mount in [*settings.mounts, *anonymous]],
    )


def refusal(container: Container, image: dict[str, Any]) -> str:
    """What runc says if the image has no such program; "" if it has."""
    settings = image.get("config") or {}
    known = [*(settings.get("Entrypoint") or []), *(settings.get("Cmd") or [])][:1]
    wanted = container.path
    if wanted in known:
        return ""
    if "/" in wanted:
        return f'{_RUNTIME}"{wanted}": stat {wanted}: no such file or directory: unknown'
    path = next((entry[5:] for entry in container.config["Env"] if entry.startswith("PATH=")), "")
    if any(PurePosixPath(folder, wanted) == PurePosixPath(*known) for folder in path.split(":")):
        return ""
    return f'{_RUNTIME}"{wanted}": executable file not found in $PATH: unknown'


def check_registry(container: Container) -> None:
    """A registry container can serve, in one place, and nothing else."""
    words = container.args[1:] if container.args[:1] == ["serve"] else container.args
    if not all(word.endswith((".yml", ".yaml")) for word in words):
        raise NeedsEngine(f"docker run {container.image_name} {' '.join(words)}", 125)
    for port, entries in container.host["PortBindings"].items():
        if len(entries) > 1:
            hosts = " ".join(f"-p {entry['HostPort']}:{port}" for entry in entries)
            raise NeedsEngine(f"docker run {hosts}", 125)


def _program(
    settings: Settings, image: dict[str, Any]
) -> tuple[list[str] | None, list[str] | None]:
    """Entrypoint and command: another entrypoint drops the image's command too."""
    if settings.entrypoint is not None:
        entrypoint = [settings.entrypoint] if settings.entrypoint else []
        command = list(settings.command)
    else:
        entrypoint = image.get("Entrypoint") or []
        command = list(settings.command) or image.get("Cmd") or []
    if not entrypoint and not command:
        raise EngineError("Error response from daemon: No command specified")
    return entrypoint, command


def _exposed(settings: Settings, image: dict[str, Any]) -> dict[str, dict[str, Any]]:
    published = (binding.container for binding in settings.ports)
    ports = {*(image.get("ExposedPorts") or {}), *settings.exposed, *published}
    return {port: {} for port in sorted(ports)}


def _environment(given: Sequence[str], of_image: Sequence[str]) -> list[str]:
    own = {entry.partition("=")[0]: entry for entry in given}
    rest = [entry for entry in of_image if entry.partition("=")[0] not in own]
    return [*own.values(), *rest]


def _host(settings: Settings) -> dict[str, Any]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for binding in settings.ports:
        entry = {"HostIp": binding.ip, "HostPort": binding.host}
        bindings.setdefault(binding.container, []).append(entry)
    policy, count = settings.restart
    return {
        "Binds": list(settings.volumes) or None,
        "ContainerIDFile": settings.cid_file,
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": settings.network,
        "PortBindings": bindings,
        "RestartPolicy": {"Name": policy or "no", "MaximumRetryCount": count},
        "AutoRemove": settings.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": None,
        "CapAdd": None,
        "CapDrop": None,
        "Dns": [],
        "Links": None,
        "PidMode": "",
        "Privileged": False,
        "PublishAllPorts": settings.publish_all,
        "ReadonlyRootfs": False,
        "ShmSize": 67108864,
        "Memory": 0,
        "NanoCpus": 0,
    }
