"""How a container starts: a registry as a process of its own, a sample by printing its greeting."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dockerlab.engine import ports, process
from dockerlab.engine.container import LOG, NEVER, Container, now
from dockerlab.engine.mounts import on_host
from dockerlab.engine.ports import Binding
from dockerlab.errors import EngineError
from dockerlab.image.sample import REGISTRY_SETTINGS

# Where the images registry:2 and registry:3 have their settings.
_IN_THE_IMAGE = ("/etc/docker/registry/config.yml", "/etc/distribution/config.yml")


def launch(container: Container, folder: Path, taken: Iterable[tuple[str, int]], hub: Path) -> None:
    """Start it and set its state; EngineError, without "Error response…", if it cannot start.

    `hub` is the layout that plays Docker Hub.
    """
    if container.kind == "registry":
        _registry(container, folder, taken, hub)
    else:
        _sample(container, folder)
    container.state.error, container.state.stopping, container.state.expected = "", False, 0


def _sample(container: Container, folder: Path) -> None:
    if container.refusal:
        raise EngineError(container.refusal, 127)
    container.state.started = now()
    with (folder / LOG).open("ab") as log:
        log.write(container.greeting.encode())
    container.state.status, container.state.exit_code = "exited", 0
    container.state.finished = now()


def _registry(
    container: Container, folder: Path, taken: Iterable[tuple[str, int]], hub: Path
) -> None:
    if container.refusal:
        raise EngineError(container.refusal, 127)
    published = _publish(container, taken)
    running = process.start(
        _arguments(container, folder / "files", published, hub),
        environment(container),
        folder,
        folder / LOG,
        str(folder),
    )
    state = container.state
    state.status, state.exit_code, state.finished = "running", 0, NEVER
    state.started, state.process = now(), (running.pid, running.born)
    state.ports = published


def unconnected(name: str, reason: str) -> str:
    """What docker says when a container's ports cannot be published; the same each time."""
    endpoint = hashlib.sha256(name.encode()).hexdigest()
    return (
        f"driver failed programming external connectivity on endpoint {name} ({endpoint}): {reason}"
    )


def _publish(
    container: Container, taken: Iterable[tuple[str, int]]
) -> dict[str, list[dict[str, str]]]:
    """Find a free port for everything that the container publishes."""
    published: dict[str, list[dict[str, str]]] = {
        port: [] for port in container.config.get("ExposedPorts") or {}
    }
    taken = list(taken)
    for binding in _bindings(container):
        try:
            port = ports.allocate(binding, taken)
        except EngineError as error:
            raise EngineError(unconnected(container.name, error.text)) from None
        taken.append((binding.address, port))
        entry = {"HostIp": binding.address, "HostPort": str(port)}
        published.setdefault(binding.container, []).append(entry)
    return published


def _bindings(container: Container) -> list[Binding]:
    wanted: dict[str, list[dict[str, str]]] = container.host["PortBindings"]
    if container.host["PublishAllPorts"]:
        exposed = container.config.get("ExposedPorts") or {}
        wanted = {port: [{"HostIp": "", "HostPort": ""}] for port in exposed} | wanted
    return [
        Binding(port, entry["HostIp"], entry["HostPort"])
        for port, entries in wanted.items()
        for entry in entries
    ]


def _arguments(
    container: Container, files: Path, published: Mapping[str, list[dict[str, str]]], hub: Path
) -> list[str]:
    """How the registry is started; its settings name paths and ports inside the container."""
    config = [word for word in container.args if word.endswith((".yml", ".yaml"))][-1:]
    provide(config, container, files)
    ports = [
        f"{inner.removesuffix('/tcp')}={entry['HostIp']}:{entry['HostPort']}"
        for inner, entries in published.items()
        for entry in entries
        if inner.endswith("/tcp")
    ]
    where = places(container, files)
    return ["-m", "dockerlab.registry.serve", *config, *where, "--hub", str(hub), "--ports", *ports]


def places(container: Container, files: Path) -> list[str]:
    """The options that say where the container's paths are on this machine."""
    known = [("/", str(files))]
    known += [(mount["Destination"], mount["Source"]) for mount in container.mounts]
    return [word for place in known for word in ("--place", *place)]


def provide(config: Sequence[str], container: Container, files: Path) -> None:
    """The image's own settings, unless the container has others in their place."""
    for path in config:
        there = on_host(path, container.mounts, files)
        if path in _IN_THE_IMAGE and there.is_relative_to(files) and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(REGISTRY_SETTINGS)


def environment(container: Container) -> dict[str, str]:
    """The surroundings of the process: this machine's, and the container's own settings."""
    outer = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    inner = (entry.partition("=") for entry in container.config["Env"])
    return outer | {key: value for key, _, value in inner if key.startswith("REGISTRY_")}
