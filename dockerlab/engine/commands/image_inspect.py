"""`docker image inspect`, and what `docker inspect` says of an image."""

from __future__ import annotations

from typing import Any

from dockerlab.engine.commands.format import go_json
from dockerlab.engine.commands.parse import FORMAT, Session, command
from dockerlab.engine.commands.template import ExecuteError, ParseError, Template
from dockerlab.engine.images import Image
from dockerlab.engine.words import Refused
from dockerlab.errors import DockerlabError, EngineError

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
    template = None
    if format not in ("", "json"):
        try:
            template = Template(format)
        except ParseError as error:
            raise EngineError(f"template parsing error: {error}", 64) from None
    found, failures = [], []
    for name in images:
        try:
            found.append(describe(look_up(session, name)))
        except DockerlabError as error:
            failures.append(str(error))
    if template:
        for image in found:
            try:
                session.print(template.render(image))
            except ExecuteError as error:
                session.print()
                raise EngineError(f"template parsing error: {error}") from None
        if not found:
            session.print()
    else:
        session.print(go_json(found, indent=4 if not format else None, html=bool(format)))
    if failures:
        session.complain("\n".join(failures))
    return int(bool(failures))


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
