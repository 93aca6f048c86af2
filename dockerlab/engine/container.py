"""What is known of one container: how it was made, and how it is."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from dockerlab.engine import state
from dockerlab.engine.process import Process
from dockerlab.errors import NeedsEngine

NEVER = "0001-01-01T00:00:00Z"  # Go's time zero
FILE, LOG = "container.json", "log"
REGISTRY_ROOT = "/var/lib/registry"
Kind = Literal["registry", "sample", ""]  # "": a Docker Engine runs anything


@dataclass
class State:
    """How a container is at the moment."""

    status: str = "created"  # created, running, exited
    process: tuple[int, float] | None = None  # id, time of birth
    exit_code: int = 0
    error: str = ""
    started: str = NEVER
    finished: str = NEVER
    ports: dict[str, list[dict[str, str]]] = field(default_factory=dict)  # what is published
    restarts: int = 0
    stopping: bool = False  # somebody has asked it to end
    expected: int = 0  # the exit status that its end will have then


@dataclass
class Container:
    """A container; `config`, `host` and `mounts` are what `docker inspect` shows of it."""

    id: str
    name: str
    created: str
    kind: Kind
    image_id: str
    image_name: str  # as it was typed
    path: str
    args: list[str]
    config: dict[str, Any]
    host: dict[str, Any]
    mounts: list[dict[str, Any]]
    state: State = field(default_factory=State)
    greeting: str = ""  # what a sample prints
    refusal: str = ""  # why its program cannot be started, in runc's words
    told: dict[str, Any] = field(default_factory=dict)  # by a Docker Engine

    @property
    def short(self) -> str:
        """The twelve digits that docker shows."""
        return self.id[:12]

    @property
    def running(self) -> bool:
        """Whether it was running when this was read."""
        return self.state.status == "running"

    @property
    def published(self) -> set[str]:
        """The ports of the docker host that lead to it."""
        return {line["HostPort"] for lines in self.state.ports.values() for line in lines}

    @property
    def process(self) -> Process | None:
        """Its process, if it has one."""
        return Process(*self.state.process) if self.state.process else None

    @property
    def auto_remove(self) -> bool:
        """Whether it goes when it ends (`--rm`)."""
        return bool(self.host["AutoRemove"])

    @property
    def command(self) -> str:
        """Program and arguments, as `docker ps` shows them."""
        return " ".join([self.path, *self.args])

    def to_json(self) -> dict[str, Any]:
        """As it is written to its file."""
        return {key: value for key, value in asdict(self).items() if key != "told"}


def load(folder: Path) -> Container:
    """The container in `folder`; Damaged if its file cannot be understood."""
    path = folder / FILE
    data = state.read(path)
    try:
        known = State(**data.pop("state"))
        known.process = (int(known.process[0]), float(known.process[1])) if known.process else None
        found = Container(**data, state=known)
        if found.id != folder.name or not isinstance(found.host["RestartPolicy"]["Name"], str):
            raise state.Damaged(path)
        return found
    except (TypeError, ValueError, KeyError, IndexError):
        raise state.Damaged(path) from None


def new_id() -> str:
    """64 hex digits that nothing else has."""
    return secrets.token_hex(32)


def now() -> str:
    """This moment as docker writes it: UTC, nanoseconds without trailing zeros."""
    seconds, nanos = divmod(time.time_ns(), 10**9)
    moment = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanos:09d}".rstrip("0").rstrip(".")
    return f"{moment}{fraction}Z"


def kind_of(name: str, config: dict[str, Any]) -> Kind:
    """What a container of an image with this config would be; NeedsEngine if it cannot run."""
    settings = config.get("config") or {}
    if REGISTRY_ROOT in (settings.get("Volumes") or {}):
        return "registry"
    if "dockerlab.sample" in (settings.get("Labels") or {}):
        return "sample"
    raise NeedsEngine(f"docker run {name}", 125)
