"""The containers of a Docker Engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from dockerlab.engine.base import Chunk, Json
from dockerlab.engine.container import Container, State
from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.images import moment
from dockerlab.engine.docker.labels import LAB_LABEL
from dockerlab.engine.output import show
from dockerlab.engine.words import Refused
from dockerlab.image import digest as digests

if TYPE_CHECKING:
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.mounts import Mount

_STATUS = {  # what docker's CLI reads in the engine's words
    "executable file not found": 127,
    "no such file or directory": 127,
    "permission denied": 126,
    "is a directory": 126,
}
_EXITED = re.compile(r"Exited \((\d+)\)")


class Containers:
    """All containers of one Docker Engine."""

    damaged: Sequence[Any] = ()  # a Docker Engine looks after its own

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, filters: Mapping[str, Sequence[str]] | None = None) -> list[Container]:
        """All containers, or those that the filters let through, the newest first."""
        found = self._client.containers(all=True, filters=dict(filters or {}))
        return [_listed(entry) for entry in found]

    def find(self, text: str) -> Container:
        """The container with that id, name, or beginning of an id; EngineError if none has."""
        return _inspected(self._client.inspect_container(text))

    def attached(self, volume: str) -> Sequence[Container]:
        """The containers, running or not, that mount that volume."""
        return [one for one in self.list() if any(m.get("Name") == volume for m in one.mounts)]

    def create(self, settings: Settings) -> Container:
        """A new container, not started yet; what docker warns of is in `told["Warnings"]`."""
        made = self._client.create_container_from_config(
            _request(settings), settings.name or None, settings.platform or None
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
            return int(ended.json()["StatusCode"])

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


def _request(settings: Settings) -> Json:
    """What docker is asked for, in the words of its API."""
    bindings: dict[str, list[Json]] = {}
    for binding in settings.ports:
        entry = {"HostIp": binding.ip, "HostPort": binding.host}
        bindings.setdefault(binding.container, []).append(entry)
    short, long = (
        settings.mounts[: len(settings.volumes)],
        settings.mounts[len(settings.volumes) :],
    )
    policy, count = settings.restart
    return {
        "Image": settings.image_name,
        "Cmd": list(settings.command) or None,
        "Entrypoint": [settings.entrypoint] if settings.entrypoint else None,
        "Env": list(settings.env),
        "ExposedPorts": {port: {} for port in (*settings.exposed, *bindings)},
        "Labels": {**settings.labels, LAB_LABEL: "1"},
        "Hostname": settings.hostname,
        "User": settings.user,
        "WorkingDir": settings.workdir,
        "Tty": settings.tty,
        "OpenStdin": settings.stdin and not settings.attached,  # nothing would ever come
        "AttachStdout": settings.attached,
        "AttachStderr": settings.attached,
        "Volumes": {mount.target: {} for mount in short if not mount.source},
        "HostConfig": {
            "Binds": [":".join(filter(None, _place(mount))) for mount in short if mount.source],
            "Mounts": [
                {
                    "Type": "bind" if mount.is_folder else "volume",
                    "Source": mount.source,
                    "Target": mount.target,
                    "ReadOnly": not mount.writable,
                }
                for mount in long
            ],
            "PortBindings": bindings,
            "PublishAllPorts": settings.publish_all,
            "RestartPolicy": {"Name": policy, "MaximumRetryCount": count},
            "AutoRemove": settings.auto_remove,
            "NetworkMode": settings.network,
            "ContainerIDFile": settings.cid_file,
        },
    }


def _place(mount: Mount) -> tuple[str, str, str]:
    return mount.source, mount.target, mount.mode


def _listed(entry: Json) -> Container:
    """A container of docker's list; what the list does not tell is left out."""
    names = [name[1:] for name in entry["Names"] or () if "/" not in name[1:]]  # others are links
    ports: dict[str, list[dict[str, str]]] = {}
    for port in entry["Ports"] or ():
        entries = ports.setdefault(f"{port['PrivatePort']}/{port['Type']}", [])
        if "PublicPort" in port:
            entries.append({"HostIp": port.get("IP", ""), "HostPort": str(port["PublicPort"])})
    code = _EXITED.match(entry["Status"])
    image = entry["Image"]
    return Container(
        id=entry["Id"],
        name=names[0] if names else "",
        created=moment(entry["Created"]),
        kind="",
        image_id=entry["ImageID"],
        image_name=digests.short(image) if image == entry["ImageID"] else image,
        path=entry["Command"],
        args=[],
        config={"Labels": entry.get("Labels") or {}, "ExposedPorts": dict.fromkeys(ports)},
        host={"NetworkMode": ",".join(sorted(entry["NetworkSettings"]["Networks"] or ()))},
        mounts=entry.get("Mounts") or [],
        state=State(entry["State"], exit_code=int(code[1]) if code else 0, ports=ports),
        told=entry,
    )


def _inspected(told: Json) -> Container:
    """A container that docker was asked for."""
    state, config = told["State"], told["Config"]
    published = told["NetworkSettings"].get("Ports") or {}
    return Container(
        id=told["Id"],
        name=told["Name"].removeprefix("/"),
        created=told["Created"],
        kind="",
        image_id=told["Image"],
        image_name=config["Image"],
        path=told["Path"],
        args=told["Args"],
        config={**config, "Labels": config.get("Labels") or {}},
        host=told["HostConfig"],
        mounts=told["Mounts"],
        state=State(
            state["Status"],
            exit_code=state["ExitCode"],
            error=state.get("Error", ""),
            started=state["StartedAt"],
            finished=state["FinishedAt"],
            ports={port: entries or [] for port, entries in published.items()},
        ),
        told=told,
    )
