"""What `-v` says: a volume or a folder of this machine, and where the container sees it.

volume = [ source ":" ] target [ ":" mode { "," mode } ]
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dockerlab.engine.volumes import Volumes, check_name
from dockerlab.errors import EngineError, NeedsEngine

_DRIVE = re.compile(r"[a-zA-Z]:[\\/]")
_KEYS = {"type", "source", "target", "readonly", "volume-nocopy", "bind-propagation"}
_ALSO = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
_TRUE, _FALSE = {None, "1", "true"}, {"0", "false"}
_MODES = {"ro", "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent", "rprivate"}


@dataclass(frozen=True)
class Mount:
    """`source` is a volume's name, a folder, or "" for an anonymous volume."""

    source: str
    target: str
    mode: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether the source is a folder of this machine."""
        return self.source.startswith("/") or os.path.isabs(self.source)

    @property
    def writable(self) -> bool:
        """Whether the container may write to it."""
        return "ro" not in self.mode.split(",")

    def _make_folder(self) -> None:
        if os.path.exists(self.source):
            return
        try:
            Path(self.source).mkdir(parents=True)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise _invalid(
                f"error while creating mount source path '{self.source}': "
                f"mkdir {error.filename}: {reason}."
            ) from None

    def attach(self, volumes: Volumes) -> dict[str, Any]:
        """Make the source if it is missing, and say what `docker inspect` shows."""
        if self.is_folder:
            self._make_folder()
            about: dict[str, Any] = {
                "Type": "bind",
                "Source": self.source,
                "Propagation": "rprivate",
            }
        else:
            volume = volumes.create(self.source)
            about = {
                "Type": "volume",
                "Name": volume.name,
                "Source": str(volume.folder),
                "Driver": "local",
                "Propagation": "",
            }
        mode = self.mode or ("z" if self.source and not self.is_folder else "")
        about |= {"Destination": self.target, "Mode": mode, "RW": self.writable}
        order = ("Type", "Name", "Source", "Destination", "Driver", "Mode", "RW", "Propagation")
        return {key: about[key] for key in order if key in about}


def parse(spec: str) -> Mount:
    """The mount of one `-v`; EngineError in docker's words."""
    drive = spec[:2] if os.name == "nt" and _DRIVE.match(spec) else ""
    parts = spec[len(drive) :].split(":")
    parts[0] = drive + parts[0]
    if "" in parts:
        raise EngineError(f"invalid spec: {spec}: empty section between colons")
    if len(parts) > 3:
        raise _invalid(f"invalid volume specification: '{spec}'")
    if len(parts) == 1:
        return Mount("", _target(spec, spec, "volume"))
    source, target, mode = [*parts, ""][:3]
    if source.startswith("."):
        source = os.path.abspath(source)
    unknown = [word for word in mode.split(",") if word and word not in _MODES]
    if unknown:
        raise _invalid(f"invalid mode: {mode}")
    mount = Mount(source, target, mode)
    _target(target, spec, "bind" if mount.is_folder else "volume")
    if not mount.is_folder:
        check_name(source)
    return mount


def parse_long(spec: str) -> Mount:
    """The mount of one `--mount` that has no `complaint`; EngineError in docker's words."""
    values = {_ALSO.get(key, key): value for key, value in _pairs(spec)}
    kind, source = values.get("type", "volume"), values.get("source", "")
    if kind not in ("volume", "bind"):
        raise NeedsEngine(f"docker run --mount type={kind}", 125)
    if kind == "bind" and not os.path.exists(source):
        raise _invalid(
            f'invalid mount config for type "bind": bind source path does not exist: {source}'
        )
    target = _target(values["target"], "", kind)
    if kind == "volume" and source:
        check_name(source)
    return Mount(source, target, "ro" if values.get("readonly") in _TRUE else "")


def complaint(spec: str) -> str:
    """What docker's CLI finds wrong with a `--mount`; "" if nothing."""
    if not spec:
        return "EOF"
    keys = set()
    for key, value in _pairs(spec):
        known = _ALSO.get(key, key)
        if known != "readonly" and value is None:
            return f"invalid field '{key}' must be a key=value pair"
        if known not in _KEYS:
            return f"unexpected key '{key}' in '{key}={value}'"
        if known == "readonly" and value not in _TRUE | _FALSE:
            return f"invalid value for {key}: {value}"
        keys.add(known)
    return "" if "target" in keys else "target is required"


def _pairs(spec: str) -> list[tuple[str, Any]]:
    parts = (part.strip().partition("=") for part in spec.split(","))
    return [(key.lower(), value if equals else None) for key, equals, value in parts]


def _target(target: str, spec: str, kind: str) -> str:
    before = f"invalid volume specification: '{spec}': " if spec else ""
    before += f'invalid mount config for type "{kind}": '
    if not target.startswith("/"):
        raise _invalid(f"{before}invalid mount path: '{target}' mount path must be absolute")
    if PurePosixPath(target) == PurePosixPath("/"):
        raise _invalid(f"{before}invalid specification: destination can't be '/'")
    return target


def _invalid(text: str) -> EngineError:
    return EngineError(f"Error response from daemon: {text}")


def on_host(path: str, mounts: list[dict[str, Any]], own: Path) -> Path:
    """Where a container's `path` really lies: in a mount, else in its `own` folder."""
    wanted = PurePosixPath(path)
    inside = [mount for mount in mounts if wanted.is_relative_to(mount["Destination"])]
    if not inside:
        return own.joinpath(*wanted.parts[1:])
    nearest = max(inside, key=lambda mount: len(PurePosixPath(mount["Destination"]).parts))
    return Path(nearest["Source"]).joinpath(*wanted.relative_to(nearest["Destination"]).parts)
