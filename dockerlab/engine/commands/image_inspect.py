"""`docker image inspect`, and what `docker inspect` says of an image."""

from __future__ import annotations

from typing import Any

from dockerlab.engine.commands.inspect import inspect_each
from dockerlab.engine.commands.parse import FORMAT, Session, command
from dockerlab.engine.images import Image
from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError

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


@command(
    "image inspect",
    usage="IMAGE [IMAGE...]",
    summary="Display detailed information on one or more images",
    options=[FORMAT],
    arguments=(1, None),
    completes="images",
)
def inspect(session: Session, *images: str, format: str) -> int:
    """`docker image inspect`."""
    return inspect_each(session, images, format, lambda name: describe(look_up(session, name)))


def look_up(session: Session, name: str) -> Image:
    """The image to inspect; EngineError in docker's words."""
    if not name:
        raise EngineError("Error: No such image: ")
    try:
        return session.engine.images.find(name)
    except Refused as error:
        raise Refused(f"no such image: {name}: {error.reason}") from None


def describe(image: Image) -> dict[str, Any]:
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


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    return {
        key: given.get(key, default)
        for key, default in _ALWAYS.items()
        if key not in _IF_SET or given.get(key)
    }
