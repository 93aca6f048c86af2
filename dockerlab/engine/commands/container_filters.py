"""`--filter` of the commands for containers and volumes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dockerlab.engine.commands.filters import labelled, moment, sift
from dockerlab.engine.commands.format import parse_time
from dockerlab.engine.container import Container
from dockerlab.errors import EngineError

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Volume

_STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
_TRUE = ("1", "t", "true")


def container_test(
    values: Mapping[str, Sequence[str]], engine: Engine
) -> Callable[[Container], bool]:
    """Whether a container passes the filters."""
    tests: dict[str, Callable[[Container, str], bool]] = {
        "id": lambda one, value: one.id.startswith(value),
        "name": lambda one, value: _matches(value, one.name),
        "label": lambda one, value: labelled(one.config["Labels"], [value]),
        "status": lambda one, value: one.state.status == value,
        "exited": _exited,
        "ancestor": lambda one, value: _made_from(one, value, engine),
        "volume": _mounts,
        "publish": _publishes,
        "expose": lambda one, value: _full(value) in (one.config.get("ExposedPorts") or {}),
        "network": lambda one, value: value in ("bridge", one.host["NetworkMode"]),
        "before": lambda one, value: one.created < engine.containers.find(value).created,
        "since": lambda one, value: one.created > engine.containers.find(value).created,
        "until": lambda one, value: parse_time(one.created) < moment(value),
    }
    sift(values, tests)
    for state in values.get("status", ()):
        if state not in _STATES:
            raise EngineError(f"Error response from daemon: Invalid filter 'status={state}'")
    for code in values.get("exited", ()):
        _whole(code)

    def test(container: Container) -> bool:
        # Labels must all be there; of any other filter, one value is enough.
        return all(
            (all if name == "label" else any)(tests[name](container, value) for value in wanted)
            for name, wanted in values.items()
        )

    return test


def volume_test(
    values: Mapping[str, Sequence[str]], used: Callable[[str], bool]
) -> Callable[[Volume], bool]:
    """Whether a volume passes the filters; `used` says whether a container has it."""
    tests: dict[str, Callable[[Volume, str], bool]] = {
        "name": lambda one, value: value in one.name,
        "label": lambda one, value: labelled(one.labels or {}, [value]),
        "driver": lambda one, value: value == "local",
        "dangling": lambda one, value: used(one.name) is not (value.lower() in _TRUE),
    }
    sift(values, tests)
    return lambda volume: all(
        any(tests[name](volume, value) for value in wanted) for name, wanted in values.items()
    )


def _matches(pattern: str, name: str) -> bool:
    try:
        return any(re.search(pattern, text) for text in (name, f"/{name}"))
    except re.error:
        return False


def _exited(container: Container, code: str) -> bool:
    return container.state.status == "exited" and container.state.exit_code == _whole(code)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise EngineError(
            f'Error response from daemon: strconv.Atoi: parsing "{text}": invalid syntax'
        ) from None


def _made_from(container: Container, name: str, engine: Engine) -> bool:
    try:
        return container.image_id == engine.images.find(name).id
    except EngineError:
        return False


def _mounts(container: Container, wanted: str) -> bool:
    return any(wanted in (mount.get("Name"), mount["Destination"]) for mount in container.mounts)


def _publishes(container: Container, wanted: str) -> bool:
    port, _, protocol = wanted.partition("/")
    return any(
        inside.endswith("/" + (protocol or "tcp")) and entry["HostPort"] == port
        for inside, entries in container.state.ports.items()
        for entry in entries
    )


def _full(port: str) -> str:
    return port if "/" in port else f"{port}/tcp"
