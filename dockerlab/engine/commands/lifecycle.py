"""docker's commands that start, stop and remove containers."""

from __future__ import annotations

import signal
from typing import Any

from dockerlab.engine.commands.container import behind
from dockerlab.engine.commands.parse import Session, command, flag, number, text
from dockerlab.errors import DockerlabError, EngineError

_STOP = (
    text("signal", "s", "Signal to send to the container"),
    number("timeout", "t", "Seconds to wait before killing the container"),
)
_MANY: dict[str, Any] = {"usage": "CONTAINER [CONTAINER...]", "arguments": (1, None)}


@command(
    "container stop",
    "stop",
    summary="Stop one or more running containers",
    options=_STOP,
    completes="running",
    **_MANY,
)
def stop(session: Session, *names: str, signal: str, timeout: int | None) -> int:
    """`docker stop`."""
    return session.each(names, lambda name: _stop(session, name, signal, timeout))


def _stop(session: Session, name: str, signal_name: str, timeout: int | None) -> str:
    containers = session.engine.containers
    number = signal_number(signal_name) if signal_name else None
    containers.stop(containers.find(name), timeout, number)
    return name


@command(
    "container start",
    "start",
    summary="Start one or more stopped containers",
    options=(
        flag("attach", "a", "Attach STDOUT/STDERR and forward signals"),
        text(
            "detach-keys",
            "",
            "Override the key sequence for detaching a container",
            support="harmless",
        ),
        flag("interactive", "i", "Attach container's STDIN", support="harmless"),
    ),
    completes="stopped",
    **_MANY,
)
def start(session: Session, *names: str, attach: bool, **_harmless: object) -> int:
    """`docker start`."""
    containers = session.engine.containers
    if attach and len(names) > 1:
        raise EngineError("you cannot start and attach multiple containers at once")
    if attach:
        return containers.play(containers.find(names[0]), session.out, session.err)
    failed = []
    for name in names:
        try:
            containers.start(containers.find(name))
            session.print(name)
        except DockerlabError as error:
            session.complain(str(error))
            failed.append(name)
    if failed:
        raise EngineError(f"Error: failed to start containers: {', '.join(failed)}")
    return 0


@command(
    "container restart",
    "restart",
    summary="Restart one or more containers",
    options=_STOP,
    completes="containers",
    **_MANY,
)
def restart(session: Session, *names: str, signal: str, timeout: int | None) -> int:
    """`docker restart`."""
    containers = session.engine.containers

    def again(name: str) -> str:
        _stop(session, name, signal, timeout)
        containers.start(containers.find(name))
        return name

    return session.each(names, again)


@command(
    "container kill",
    "kill",
    summary="Kill one or more running containers",
    options=(text("signal", "s", "Signal to send to the container"),),
    completes="running",
    **_MANY,
)
def kill(session: Session, *names: str, signal: str) -> int:
    """`docker kill`."""
    containers, number = session.engine.containers, signal_number(signal or "KILL")

    def end(name: str) -> str:
        try:
            containers.kill(containers.find(name), number)
        except EngineError as error:
            raise behind(f"Cannot kill container: {name}: ", error) from None
        return name

    return session.each(names, end)


@command(
    "container rm",
    "container remove",
    "rm",
    summary="Remove one or more containers",
    options=(
        flag("force", "f", "Force the removal of a running container (uses SIGKILL)"),
        flag("link", "l", "Remove the specified link", support="engine"),
        flag("volumes", "v", "Remove anonymous volumes associated with the container"),
    ),
    completes="containers",
    **_MANY,
)
def rm(session: Session, *names: str, force: bool, volumes: bool, **_unused: object) -> int:
    """`docker rm`."""

    def remove(name: str) -> str:
        session.engine.remove_container(name, force=force, volumes=volumes)
        return name

    result = session.each(names, remove)
    return 0 if force else result


@command(
    "container wait",
    "wait",
    summary="Block until one or more containers stop, then print their exit codes",
    completes="running",
    **_MANY,
)
def wait(session: Session, *names: str) -> int:
    """`docker wait`."""
    containers = session.engine.containers
    return session.each(names, lambda name: str(containers.wait(containers.find(name))))


def signal_number(name: str) -> int:
    """The number of `TERM`, `SIGTERM` or `15`; EngineError if there is no such signal."""
    if name.isdigit() and int(name) in [known.value for known in signal.Signals]:
        return int(name)
    try:
        return signal.Signals["SIG" + name.upper().removeprefix("SIG")].value
    except KeyError:
        raise EngineError(f"Error response from daemon: Invalid signal: {name}") from None
