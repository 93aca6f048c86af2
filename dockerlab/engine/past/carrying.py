"""What goes on from a state that was put aside into the next one: all but what lessons make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dockerlab.engine import container as records
from dockerlab.engine import state
from dockerlab.engine.volumes import Volumes

_UNFINISHED = {".lock", ".partial", "busy"}  # of a layout


@dataclass(frozen=True)
class Left:
    """What does not go on: `containers` and `volumes` by name, and whole `hosts`."""

    containers: Collection[str] = ()
    volumes: Collection[str] = ()
    hosts: Collection[str] = ()


def carry(source: Path, target: Path, left: Left) -> None:
    """Copy the docker hosts in `source` to `target`; blobs, which never change, become links."""
    for host in sorted(source.iterdir()) if source.is_dir() else ():
        if host.is_dir() and host.name not in left.hosts:
            _carry(host, target / host.name, left)


def _carry(host: Path, target: Path, left: Left) -> None:
    containers, volumes = _left(host, left)

    def ignore(folder: str, names: list[str]) -> set[str]:
        path = Path(folder)
        return gone.get(path, set()) & set(names)

    images = host / "images"
    gone = {host / "containers": containers, host / "volumes": volumes, images: _UNFINISHED}
    for part in sorted(host.iterdir()):
        if part.is_dir():
            copy = _link if part == images else shutil.copy2
            shutil.copytree(part, target / part.name, True, ignore, copy)
        elif not part.name.endswith(".lock"):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(part, target / part.name)


def _link(source: str, target: str) -> None:
    """A second name for a blob; a copy of what is no blob, or where the disk knows no links."""
    if Path(source).parent.parent.name == "blobs":
        try:
            return os.link(source, target)
        except OSError:
            pass
    shutil.copy2(source, target)


def _left(host: Path, left: Left) -> tuple[set[str], set[str]]:
    """The folders of the containers and volumes of a host that stay behind."""
    containers, volumes = set(), set(left.volumes)
    anonymous = {volume.name for volume in Volumes(host).list() if volume.anonymous}
    folders = (host / "containers").iterdir() if (host / "containers").is_dir() else ()
    for folder in folders:
        try:
            found = records.load(folder)
        except (OSError, state.Damaged):
            continue  # it goes on as it is
        if found.name in left.containers:
            containers.add(folder.name)
            volumes |= anonymous & {str(mount.get("Name")) for mount in found.mounts}
    return containers, volumes
