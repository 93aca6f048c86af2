"""Volumes: folders with a name, which keep files when a container goes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from dockerlab.engine import state
from dockerlab.engine.container import new_id, now
from dockerlab.engine.home import private
from dockerlab.errors import EngineError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")


@dataclass(frozen=True)
class Volume:
    """A volume: its files are in `folder`."""

    name: str
    created: str
    labels: Mapping[str, str] | None
    folder: Path
    anonymous: bool = False

    def to_json(self) -> dict[str, Any]:
        """What `docker volume inspect` shows."""
        return {
            "CreatedAt": self.created,
            "Driver": "local",
            "Labels": self.labels,
            "Mountpoint": str(self.folder),
            "Name": self.name,
            "Options": None,
            "Scope": "local",
        }

    def size(self) -> int:
        """The bytes of all files in it."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Volumes:
    """All volumes of one docker host, in `path`/volumes."""

    def __init__(self, path: Path) -> None:
        self._folder = path / "volumes"
        self._lock = FileLock(path / ".volumes.lock", timeout=30)

    def create(self, name: str = "", labels: Mapping[str, str] | None = None) -> Volume:
        """The volume of that name, made if there is none; without a name an anonymous one."""
        if name:
            check_name(name)
        private(self._folder)
        with self._lock:
            found = self._load(name) if name else None
            if found:
                return found
            chosen = name or new_id()
            folder = self._folder / chosen
            (folder / "_data").mkdir(mode=0o700, parents=True, exist_ok=True)
            moment = now().partition(".")[0].rstrip("Z") + "Z"
            known = {"created": moment, "labels": labels, "anonymous": not name}
            state.write(folder / "volume.json", known)
            return Volume(chosen, moment, labels, folder / "_data", not name)

    def list(self) -> list[Volume]:
        """All volumes, by name."""
        if not self._folder.is_dir():
            return []
        found = (self._load(folder.name) for folder in sorted(self._folder.iterdir()))
        return [volume for volume in found if volume]

    def find(self, name: str) -> Volume:
        """The volume of that name; EngineError if there is none."""
        found = self._load(name) if _NAME.fullmatch(name) else None
        if found is None:
            raise EngineError(f"Error response from daemon: get {name}: no such volume")
        return found

    def size(self, name: str) -> int:
        """The bytes of all files in the volume of that name; EngineError if there is none."""
        return self.find(name).size()

    def remove(self, name: str) -> int:
        """Delete the volume with all its files, and return how many bytes that were."""
        with self._lock:
            found = self.find(name)
            size = found.size()
            (self._folder / name / "volume.json").unlink()
            shutil.rmtree(self._folder / name)
            return size

    def _load(self, name: str) -> Volume | None:
        folder = self._folder / name
        try:
            known = state.read(folder / "volume.json")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except state.Damaged:
            known = {}  # its files are what counts
        labels, created = known.get("labels"), str(known.get("created") or now())
        return Volume(name, created, labels, folder / "_data", bool(known.get("anonymous")))


def check_name(name: str) -> None:
    """EngineError unless `name` may be a volume's."""
    if not _NAME.fullmatch(name):
        raise EngineError(
            f'Error response from daemon: create {name}: "{name}" includes invalid characters for '
            'a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended '
            "to pass a host directory, use absolute path"
        )
    if len(name) < 2:
        raise EngineError(
            f"Error response from daemon: create {name}: volume name is too short, names should "
            "be at least two alphanumeric characters"
        )
