"""One container, in the words of docker's API and in ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockerlab.engine.base import Json
from dockerlab.engine.container import Container, State
from dockerlab.engine.docker.images import moment
from dockerlab.engine.docker.labels import LAB_LABEL
from dockerlab.image import digest as digests

if TYPE_CHECKING:
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.mounts import Mount

_EXITED = re.compile(r"Exited \((\d+)\)")


def request(settings: Settings) -> Json:
    """What docker is asked for, in the words of its API."""
    bindings: dict[str, list[Json]] = {}
    for binding in settings.ports:
        entry = {"HostIp": binding.ip, "HostPort": binding.host}
        bindings.setdefault(binding.container, []).append(entry)
    count_short = len(settings.volumes)
    short, long = settings.mounts[:count_short], settings.mounts[count_short:]
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


def listed(entry: Json) -> Container:
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


def inspected(told: Json) -> Container:
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
