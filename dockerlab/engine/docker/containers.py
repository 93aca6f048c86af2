"""The containers of a Docker Engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from dockerlab.engine.base import Chunk
from dockerlab.engine.container import Container
from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.container import inspected, listed, request
from dockerlab.engine.output import show
from dockerlab.engine.words import Refused

if TYPE_CHECKING:
    from dockerlab.engine.creation import Settings

_STATUS = {  # what docker's CLI reads in the engine's words
    "executable file not found": 127,
    "no such file or directory": 127,
    "permission denied": 126,
    "is a directory": 126,
}


class Containers:
    """All containers of one Docker Engine."""

    damaged: Sequence[Any] = ()  # a Docker Engine looks after its own

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, filters: Mapping[str, Sequence[str]] | None = None) -> list[Container]:
        """All containers, or those that the filters let through, the newest first."""
        found = self._client.containers(all=True, filters=dict(filters or {}))
        return [listed(entry) for entry in found]

    def find(self, text: str) -> Container:
        """The container with that id, name, or beginning of an id; EngineError if none has."""
        return inspected(self._client.inspect_container(text))

    def attached(self, volume: str) -> Sequence[Container]:
        """The containers, running or not, that mount that volume."""
        return [one for one in self.list() if any(m.get("Name") == volume for m in one.mounts)]

    def create(self, settings: Settings) -> Container:
        """A new container, not started yet; what docker warns of is in `told["Warnings"]`."""
        made = self._client.create_container_from_config(
            request(settings), settings.name or None, settings.platform or None
        )
        container = self.find(made["Id"])
        container.told["Warnings"] = made.get("Warnings") or []
        return container

    def start(self, container: Container) -> Container:
        """Start it; EngineError in docker's words if it cannot."""
        self._start(container)
        with suppress(Missing):  # --rm, and it has ended already
            return self.find(container.id)
        return container

    def _start(self, container: Container) -> None:
        try:
            self._client.start(container.id)
        except Refused as error:
            error.status = next((code for says, code in _STATUS.items() if says in error.text), 1)
            raise

    def play(self, container: Container, out: TextIO, err: TextIO) -> int:
        """Start it and show what it writes until it ends; Ctrl-C stops it. Its exit status."""
        path = f"/containers/{container.id}"
        condition = "removed" if container.auto_remove else "next-exit"
        ask = self._client.ask
        with (
            ask("POST", f"{path}/attach", stream=1, stdout=1, stderr=1) as written,
            ask("POST", f"{path}/wait", condition=condition) as ended,
        ):
            self._start(container)
            try:
                show(self._client.frames(written, container), out, err)
            except KeyboardInterrupt:
                self.stop(container)
            return int(self._client.read(ended)["StatusCode"])

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
        wanted = {
            "stdout": 1,
            "stderr": 1,
            "follow": int(follow),
            "timestamps": int(timestamps),
            **({"since": since.timestamp()} if since else {}),
            **({"until": until.timestamp()} if until else {}),
            **({"tail": tail} if tail is not None else {}),
        }
        with self._client.ask("GET", f"/containers/{container.id}/logs", **wanted) as written:
            yield from self._client.frames(written, container)

    def stop(
        self, container: Container, seconds: int | None = None, number: int | None = None
    ) -> None:
        """Ask it to end, and end it if it takes longer than that."""
        wanted = {"t": seconds, "signal": number}
        given = {key: value for key, value in wanted.items() if value is not None}
        self._client.ask("POST", f"/containers/{container.id}/stop", **given).close()

    def kill(self, container: Container, number: int) -> None:
        """Send it a signal."""
        self._client.kill(container.name, number)

    def wait(self, container: Container) -> int:
        """Come back when it has ended, with its exit status."""
        return int(self._client.wait(container.id)["StatusCode"])

    def rename(self, container: Container, name: str) -> None:
        """Give it another name."""
        self._client.rename(container.id, name)
