"""The registry:2 image, packed from the real registry that this machine has (`docker-registry`).

As in the real image, a system with a shell comes first, then the program, then how it is started.
The layers stay uncompressed: the same files make the same image, and they do not travel far.
"""

from __future__ import annotations

import re
import shutil
import ssl
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dockerlab.image import digest as digests
from dockerlab.image import layer
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import OCI_LAYER, Descriptor, Platform
from dockerlab.image.sample import OS_RELEASE, REGISTRY_SETTINGS, assemble, describe, index

PROGRAM = "docker-registry"  # the command, and the package of Debian and Ubuntu
Files = dict[str, tuple[bytes, int]]

_TOOLS = ("sh", "cat", "cp", "du", "env", "find", "grep", "head", "id", "ls", "mkdir", "rm")
_ARCHITECTURES = {62: "amd64", 183: "arm64"}  # ELF's numbers of the machine
_LIBRARY = re.compile(r"(/\S+) \(0x")
_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+")
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# https://github.com/distribution/distribution-library-image
_ENTRYPOINT = b"""\
#!/bin/sh
set -e
case "$1" in
    *.yaml|*.yml) set -- registry serve "$@" ;;
    serve|garbage-collect|help|-*) set -- registry "$@" ;;
esac
exec "$@"
"""


@dataclass(frozen=True)
class Program:
    """A real registry on this machine."""

    path: Path
    version: str
    architecture: str

    @property
    def tags(self) -> tuple[str, ...]:
        """What its image is called: 2 at any rate, which the course asks for."""
        major, minor = self.version.split(".")[:2]
        return tuple(dict.fromkeys(("2", major, f"{major}.{minor}", self.version, "latest")))


def find() -> Program | None:
    """The machine's own registry, if it is a Linux program that can be packed."""
    path = shutil.which(PROGRAM)
    if not path:
        return None
    with open(path, "rb") as file:
        head = file.read(20)
    said = _VERSION.search(_output(path, "--version"))
    if len(head) < 20 or head[:4] != b"\x7fELF" or not said:
        return None
    architecture = _ARCHITECTURES.get(struct.unpack_from("<H", head, 18)[0])
    return Program(Path(path), said[0], architecture) if architecture else None


def pack(layout: Layout, program: Program) -> Descriptor:
    """Put the image into `layout`, where it gets no name yet, and return its index."""
    platform = Platform("linux", program.architecture, "v8" * (program.architecture == "arm64"))
    steps = {
        "COPY system /": _system(program),
        f"COPY {PROGRAM} /bin/registry": {"bin/registry": (program.path.read_bytes(), 0o755)},
        "COPY config.yml entrypoint.sh /": {
            "entrypoint.sh": (_ENTRYPOINT, 0o755),
            "etc/docker/registry/config.yml": (REGISTRY_SETTINGS, 0o644),
        },
    }
    tars = [layer.tree(files) for files in steps.values()]
    layers = [(digests.of(tar), layout.add(tar, OCI_LAYER)) for tar in tars]
    # A day older than the course's samples: docker lists images of one age in any order.
    config = describe("registry", platform, tuple(steps), version=0)
    return index(layout, [assemble(layout, config, layers, platform)])


def _system(program: Program) -> Files:
    """What the program needs around it: libraries, a shell and its tools, certificates."""
    tools = {f"/bin/{name}": found for name in _TOOLS if (found := shutil.which(name))}
    wanted = [str(program.path), *tools.values()]
    libraries = {path for name in wanted for path in _LIBRARY.findall(_output("ldd", name))}
    files = {**tools, **{path: path for path in libraries}}
    packed = {path.lstrip("/"): (Path(real).read_bytes(), 0o755) for path, real in files.items()}
    packed["etc/os-release"] = (OS_RELEASE, 0o644)
    if trusted := ssl.get_default_verify_paths().cafile:
        packed[_CERTIFICATES] = (Path(trusted).read_bytes(), 0o644)
    return packed


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
