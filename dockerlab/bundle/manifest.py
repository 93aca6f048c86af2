"""What a bundle holds, and for which machines."""

from __future__ import annotations

import json
import platform
import sys
import sysconfig
from dataclasses import asdict, dataclass
from typing import Any

NAME = "MANIFEST.json"
FORMAT = 1
TRAVELLERS = (
    "__init__.py",
    "errors.py",
    "i18n.py",
    "bundle/__init__.py",
    "bundle/alone.py",
    "bundle/installing.py",
    "bundle/manifest.py",
    "bundle/mistakes.py",
    "bundle/opening.py",
    "bundle/setup.py",
)
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """What wheels depend on: Python `3.11`; `Linux`, `Darwin` or `Windows`; `x86_64` or `arm64`."""

    python: str
    system: str
    machine: str

    def __str__(self) -> str:
        system = {"Darwin": "macOS"}.get(self.system, self.system)
        return f"Python {self.python} ({system} {self.machine})"


@dataclass(frozen=True)
class Wheels:
    """The files in `wheels/` that a machine needs, and their bytes when they are installed."""

    machine: Machine
    files: tuple[str, ...]
    unpacked: int


@dataclass(frozen=True)
class Carried:
    """A file of images in the bundle; each has a name, and is known by its layers' diff IDs."""

    file: str
    architecture: str
    images: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Manifest:
    """All of it; `files` maps each file's name to its SHA-256 and its bytes."""

    version: str
    wheels: tuple[Wheels, ...]
    images: tuple[Carried, ...]
    files: dict[str, tuple[str, int]]

    def encode(self) -> bytes:
        """As it stands in the bundle: the same content gives the same bytes."""
        data = {"format": FORMAT, **asdict(self)}
        return json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"

    def suitable(self, machine: Machine) -> Wheels | None:
        """The wheels for a machine, if there are any."""
        return next((each for each in self.wheels if each.machine == machine), None)


def decode(raw: bytes) -> Manifest | None:
    """A manifest; None if it is of a newer format. ValueError, TypeError or KeyError if broken."""
    data: dict[str, Any] = json.loads(raw)
    if data["format"] > FORMAT:
        return None
    return Manifest(
        data["version"],
        tuple(
            Wheels(Machine(**each["machine"]), tuple(each["files"]), int(each["unpacked"]))
            for each in data["wheels"]
        ),
        tuple(
            Carried(
                each["file"],
                each["architecture"],
                {name: tuple(layers) for name, layers in each["images"].items()},
            )
            for each in data["images"]
        ),
        {name: (digest, size) for name, (digest, size) in data["files"].items()},
    )


def here() -> Machine:
    """This machine, with the Python that runs."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.implementation.name != "cpython":
        python = f"{sys.implementation.name} {python}"
    elif sysconfig.get_config_var("Py_GIL_DISABLED"):
        python += "t"
    return Machine(python, platform.system(), architecture(platform.machine()))


def architecture(name: str) -> str:
    """One name for each: what Linux, macOS and Windows call differently."""
    return _MACHINES.get(name.lower(), name.lower())
