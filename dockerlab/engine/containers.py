"""What can be done with the containers of one docker host."""

from __future__ import annotations

import hashlib
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from dockerlab.engine import container as records
from dockerlab.engine.base import Chunk
from dockerlab.engine.container import LOG, Container
from dockerlab.engine.home import private
from dockerlab.engine.launch import unconnected
from dockerlab.engine.output import dated, show
from dockerlab.engine.parking import PATIENCE, Parking
from dockerlab.engine.ports import are_open
from dockerlab.engine.watching import KILLED, STOPPED, daemon, missing
from dockerlab.errors import EngineError

if TYPE_CHECKING:
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.images import Image

_START = 15  # seconds that a registry may take to answer
_SILENCE = 1.5  # seconds after which it need not say so in its log
_PAUSE = 0.01
_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no other


class Containers(Parking):
    """All containers of one docker host."""

    def find(self, text: str) -> Container:
        """The container with that id, name, or beginning of an id; EngineError if none has."""
        known = self.list()
        name = text.removeprefix("/")
        for container in known:
            if text == container.id or name == container.name:
                return container
        similar = [container for container in known if text and container.id.startswith(text)]
        if len(similar) > 1:
            raise daemon(f"Multiple IDs found with provided prefix: {text}")
        if similar:
            return similar[0]
        for error in self.damaged:
            if len(text) >= 3 and error.path.parent.name.startswith(text):
                raise error
        raise missing(text)

    def using(self, image: str) -> Sequence[Container]:
        """The containers, running or not, that were made from the image with that id."""
        return [container for container in self.list() if container.image_id == image]

    def attached(self, volume: str) -> Sequence[Container]:
        """The containers, running or not, that mount that volume."""
        return [
            container
            for container in self.list()
            if any(mount.get("Name") == volume for mount in container.mounts)
        ]

    def create(self, settings: Settings, image: Image, greeting: str = "") -> Container:
        """A new container, not started yet."""
        from dockerlab.engine import creation

        creation.check(settings)
        private(self.path)
        with self._lock:
            name = settings.name.removeprefix("/") or self._unused_name()
            self._check_free(name)
            container = creation.build(settings, image, self._new_id(name), name, self._volumes)
            container.refusal = creation.refusal(container, image.config)
            if container.kind == "registry" and not container.refusal:
                creation.check_registry(container)
            container.greeting = greeting
            folder = private(self.path / container.id)
            try:
                (folder / LOG).touch(mode=0o600)
                self._write(container)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return container

    def _new_id(self, name: str) -> str:
        """The same for a name each time, so that a lesson shows the same on every machine."""
        wanted = hashlib.sha256(name.encode()).hexdigest()
        return records.new_id() if (self.path / wanted).exists() else wanted

    def start(self, container: Container) -> Container:
        """Start it, and come back when it answers; EngineError in docker's words if it cannot."""
        with self._lock:
            fresh = self._reload(container)
            if fresh.running:
                return fresh
            begin = self.log(fresh).stat().st_size
            self._launch(fresh)
            if fresh.auto_remove and not fresh.running:
                self._delete(fresh, volumes=True)
        if fresh.running:
            self._await(fresh, begin)
        return fresh

    def play(self, container: Container, out: TextIO, err: TextIO) -> int:
        """Start it and show what it writes until it ends; Ctrl-C stops it. Its exit status."""
        begin = self.log(container).stat().st_size
        started = self.start(container)
        if not started.running:
            out.write(started.greeting)
            out.flush()
            return started.state.exit_code
        try:
            show(self._follow(started, begin), out, err)
        except KeyboardInterrupt:
            self.stop(started)
        return self.wait(started)

    def output(
        self,
        container: Container,
        *,
        follow: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        tail: int | None = None,
        timestamps: bool = False,
    ) -> Iterator[Chunk]:
        """What it has written since the moment `since`; with `follow` on to its end."""
        is_error = container.kind == "registry"
        content = self.log(container).read_bytes()
        chosen = [
            (moment, line)
            for moment, line in dated(content, container)
            if (since is None or moment >= since) and (until is None or moment < until)
        ]
        skipped = 0 if tail is None else max(0, len(chosen) - tail)
        for moment, line in chosen[skipped:]:
            stamp = f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%f000Z')} " if timestamps else ""
            yield is_error, (stamp + line).encode()
        if follow:
            yield from self._follow(container, len(content))

    def stop(
        self, container: Container, seconds: int | None = None, number: int | None = None
    ) -> None:
        """Ask it to end by that signal, and end it if it takes longer than that."""
        running = self._signal(container, number or signal.SIGTERM, STOPPED)
        seconds = PATIENCE if seconds is None else seconds
        if running and not running.wait(seconds if seconds >= 0 else None):
            self._signal(container, _KILL, KILLED)
            running.wait(None)
        self._look(container)

    def kill(self, container: Container, number: int) -> None:
        """Send it a signal."""
        if not container.running:
            raise daemon(f"Container {container.id} is not running")
        running = self._signal(container, number, 128 + number)
        if running and number in (_KILL, signal.SIGTERM, signal.SIGINT):
            running.wait(PATIENCE)
        self._look(container)

    def wait(self, container: Container) -> int:
        """Come back when it has ended, with its exit status."""
        running = container.process
        if container.running and running:
            running.wait(None)
        after = self._look(container)
        return after.state.exit_code if after else (running and running.exit_code) or 0

    def remove(self, container: Container, *, force: bool = False, volumes: bool = False) -> None:
        """Delete it; `volumes`: and its anonymous volumes."""
        if container.running and not force:
            raise daemon(
                f"You cannot remove a running container {container.id}. "
                "Stop the container before attempting removal or force remove"
            )
        running = self._signal(container, _KILL, KILLED) if container.running else None
        if running:
            running.wait(PATIENCE)
        with self._lock, suppress(EngineError):  # --rm may have removed it meanwhile
            self._delete(self._reload(container), volumes)

    def remove_damaged(self, text: str) -> str:
        """Delete a container whose record cannot be read, and end its process; its id."""
        for error in self.damaged:
            folder = error.path.parent
            if len(text) >= 3 and folder.name.startswith(text):
                self._end_marked(folder)
                shutil.rmtree(folder)
                return folder.name
        raise missing(text)

    def rename(self, container: Container, name: str) -> None:
        """Give it another name."""
        with self._lock:
            fresh = self._reload(container)
            self._check_free(name)
            fresh.name = name
            self._write(fresh)

    def _follow(self, container: Container, begin: int) -> Iterator[Chunk]:
        """What it has written since byte `begin`, and what it writes until it ends."""
        running, is_error = container.process, container.kind == "registry"
        with self.log(container).open("rb") as file:
            file.seek(begin)
            while True:
                alive = container.running and running is not None and running.alive
                yield from ((is_error, part) for part in iter(lambda: file.read(65536), b""))
                if not alive:
                    return
                time.sleep(_PAUSE * 5)

    def stop_all(self) -> None:
        """End every process of this host; the containers stay."""
        running = [container for container in self.list() if container.running]
        waiting = [self._signal(container, signal.SIGTERM, STOPPED) for container in running]
        deadline = time.monotonic() + PATIENCE
        for one in filter(None, waiting):
            one.wait(max(0.0, deadline - time.monotonic()))
        self._end_marked(self.path)
        for container in running:
            self._look(container)

    def reset(self) -> None:
        """End every process of this host and forget all containers."""
        for container in self.list():
            self._signal(container, _KILL, KILLED)
        self._end_marked(self.path)
        if self.path.is_dir():
            with self._lock:
                shutil.rmtree(self.path)

    def _await(self, container: Container, begin: int) -> None:
        """Come back when the registry answers, or has ended."""
        running, log = container.process, self.log(container)
        began = time.monotonic()
        while running and running.alive and (waited := time.monotonic() - began) < _START:
            with log.open("rb") as file:
                file.seek(begin)
                if b"listening on" in file.read():
                    return
            if waited > _SILENCE and are_open(container.state.ports):  # by a log that is quiet
                return
            time.sleep(_PAUSE)
        if b": bind: " in self._last_line(container):
            self._port_lost(container)

    def _port_lost(self, container: Container) -> None:
        """Somebody took the port between our look at it and the registry's."""
        said = self._last_line(container).decode(errors="replace")
        reason = said.partition("listen tcp ")[2].rstrip('"')
        with self._lock:
            fresh = self._reload(container)
            fresh.state.error = unconnected(
                fresh.name, f"Error starting userland proxy: listen tcp4 {reason}"
            )
            fresh.state.exit_code = 128
            self._write(fresh)
        raise daemon(fresh.state.error)

    def _check_free(self, name: str) -> None:
        for other in self.list():
            if other.name == name:
                raise daemon(
                    f'Conflict. The container name "/{name}" is already in use by container '
                    f'"{other.id}". You have to remove (or rename) that container to be able to '
                    "reuse that name."
                )

    def _unused_name(self) -> str:
        from dockerlab.engine.creation import invent_name

        used, name = {container.name for container in self.list()}, invent_name()
        while name in used:
            name = f"{invent_name()}{len(used)}"
        return name
