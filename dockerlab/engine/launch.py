"""How a container starts: a registry as a process of its own, a sample by printing its greeting."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dockerlab.engine import ports, process
from dockerlab.engine.container import LOG, NEVER, REGISTRY_ROOT, Container, new_id, now
from dockerlab.engine.mounts import on_host
from dockerlab.engine.ports import Binding
from dockerlab.errors import EngineError

_ADDRESS = "REGISTRY_HTTP_ADDR"
_ROOT = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"


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
    env = dict(entry.partition("=")[::2] for entry in container.config["Env"])
    inner = f"{env.pop(_ADDRESS, ':5000').rpartition(':')[2]}/tcp"
    published = _publish(container, taken)
    address = (published.get(inner) or [{"HostIp": ports.LOOPBACK, "HostPort": "0"}])[0]
    root = on_host(env.pop(_ROOT, REGISTRY_ROOT), container.mounts, folder / "files")
    arguments = ["-m", "dockerlab.registry.serve", "--root", str(root)]
    arguments += ["--host", address["HostIp"], "--port", address["HostPort"]]
    arguments += ["--hub", str(hub)]
    running = process.start(
        arguments, _environment(env, container, folder), folder, folder / LOG, str(folder)
    )
    state = container.state
    state.status, state.exit_code, state.finished = "running", 0, NEVER
    state.started, state.process = now(), (running.pid, running.born)
    state.ports = published


def unconnected(name: str, reason: str) -> str:
    """What docker says when a container's ports cannot be published."""
    return (
        f"driver failed programming external connectivity on endpoint {name} ({new_id()}): {reason}"
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


def _environment(env: dict[str, str], container: Container, folder: Path) -> dict[str, Any]:
    """The surroundings of the process: this machine's, and the container's own settings.

    A path in a setting is one inside the container; the process sees the machine's.
    """
    outer = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    inner = {key: value for key, value in env.items() if key.startswith("REGISTRY_")}
    for key, value in inner.items():
        if value.startswith("/"):
            inner[key] = str(on_host(value, container.mounts, folder / "files"))
    return outer | inner
