"""What every look at the containers does: notice which have ended.

Each has a folder with its record and its log. There is no daemon: a container that has ended is
noticed by the next command that looks, which also brings it back if its restart policy says so.
Every change is made under one lock, which all processes share.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from dockerlab.engine import container as records
from dockerlab.engine import process, state
from dockerlab.engine.container import LOG, Container, now
from dockerlab.engine.launch import launch
from dockerlab.errors import EngineError

if TYPE_CHECKING:
    from dockerlab.engine.volumes import Volumes

STOPPED, KILLED = 2, 137  # how a registry ends after SIGTERM, and anything after SIGKILL


class Watch:
    """The containers in `path`/containers, as they are now; `hub` plays Docker Hub for them."""

    def __init__(self, path: Path, volumes: Volumes, hub: Path) -> None:
        self.path = path / "containers"
        self._volumes, self._hub = volumes, hub
        self._lock = FileLock(path / ".lock", timeout=30, mode=0o600)
        self.damaged: list[state.Damaged] = []  # what the last `list` could not read

    def list(self) -> list[Container]:
        """All containers, the newest first."""
        self.damaged = []
        found = []
        for folder in self._folders():
            try:
                container = self._settled(records.load(folder))
            except state.Damaged as error:
                self.damaged.append(error)
            except (FileNotFoundError, NotADirectoryError):
                continue  # it has just been removed
            else:
                found += [container] if container else []
        return sorted(found, key=lambda one: one.created.rstrip("Z"), reverse=True)

    def taken(self) -> Sequence[tuple[str, int]]:
        """Address and port of all that running containers publish."""
        return [
            (entry["HostIp"], int(entry["HostPort"]))
            for container in self.list()
            if container.running
            for entries in container.state.ports.values()
            for entry in entries or ()
        ]

    def log(self, container: Container) -> Path:
        """The file with what it has written."""
        return self.path / container.id / LOG

    def _folders(self) -> Sequence[Path]:
        try:
            return [self.path / name for name in os.listdir(self.path) if len(name) == 64]
        except FileNotFoundError:
            return []

    def _settled(self, container: Container) -> Container | None:
        """How it is now: one whose process is gone has ended, and may come back or vanish."""
        running = container.process
        if not container.running or (running and running.alive):
            return container
        with self._lock:
            try:
                fresh = records.load(self.path / container.id)
            except FileNotFoundError:
                return None
            if not fresh.running or fresh.state.process != container.state.process:
                return fresh
            return self._ended(fresh)

    def _ended(self, container: Container) -> Container | None:
        wanted = container.state.stopping
        code = container.process.exit_code if container.process else None
        container.state.exit_code = code if code is not None else self._exit_code(container)
        container.state.status, container.state.finished = "exited", now()
        container.state.process, container.state.ports = None, {}
        if container.auto_remove:
            self._delete(container, volumes=True)
            return None
        if not wanted and _comes_back(container):
            container.state.restarts += 1
            self._write(container)  # before anything looks at it again
            with suppress(EngineError):
                self._launch(container)
        self._write(container)
        return container

    def _exit_code(self, container: Container) -> int:
        """The best guess where nobody saw the process end: what was asked of it, or its log."""
        if container.state.expected:
            return container.state.expected
        last = self._last_line(container)
        if b"level=fatal" in last:
            return 1
        return STOPPED if b"stopping" in last else KILLED

    def _launch(self, container: Container) -> None:
        """Start it, and write down how that went."""
        try:
            launch(container, self.path / container.id, self.taken(), self._hub)
        except EngineError as error:
            container.state.error = error.text
            container.state.exit_code = error.status if error.status in (126, 127) else 128
            self._write(container)
            raise EngineError(f"Error response from daemon: {error.text}", error.status) from None
        try:
            self._write(container)
        except OSError:
            if container.process:
                container.process.kill()  # nobody would know of it
            raise

    def _last_line(self, container: Container) -> bytes:
        with self.log(container).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            return file.read().rstrip().rpartition(b"\n")[2]

    def _signal(self, container: Container, number: int, expected: int) -> process.Process | None:
        """Send a signal, and write down that somebody wants the end of it."""
        with self._lock:
            try:
                fresh = self._reload(container)
            except EngineError:
                return None
            running = fresh.process
            if not fresh.running or running is None:
                return None
            fresh.state.stopping, fresh.state.expected = True, expected
            self._write(fresh)
            running.signal(number)
        return running

    def _look(self, container: Container) -> Container | None:
        with suppress(FileNotFoundError):
            return self._settled(records.load(self.path / container.id))
        return None

    def _reload(self, container: Container) -> Container:
        try:
            fresh = self._settled(records.load(self.path / container.id))
        except FileNotFoundError:
            fresh = None
        if fresh is None:
            raise missing(container.name)
        return fresh

    def _write(self, container: Container) -> None:
        state.write(self.path / container.id / records.FILE, container.to_json())

    def _delete(self, container: Container, volumes: bool) -> None:
        folder = self.path / container.id
        (folder / records.FILE).unlink()  # from here on it is gone, whatever happens
        shutil.rmtree(folder, ignore_errors=True)
        for mount in container.mounts if volumes else ():
            with suppress(EngineError):
                if mount["Type"] == "volume" and self._volumes.find(mount["Name"]).anonymous:
                    self._volumes.remove(mount["Name"])


def missing(text: str) -> EngineError:
    """There is no such container, in docker's words."""
    return daemon(f"No such container: {text}")


def daemon(text: str) -> EngineError:
    """What the daemon says, as the CLI shows it."""
    return EngineError(f"Error response from daemon: {text}")


def _comes_back(container: Container) -> bool:
    """Whether the restart policy starts it again."""
    policy = container.host["RestartPolicy"]
    if policy["Name"] == "on-failure":
        most = policy["MaximumRetryCount"]
        return container.state.exit_code != 0 and (not most or container.state.restarts < most)
    return policy["Name"] in ("always", "unless-stopped")
