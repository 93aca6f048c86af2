"""The places where a Docker Engine may be: the one that the learner names, and the usual ones."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dockerlab.engine.docker.address import LOCAL, SCHEMES, TLS, Address
from dockerlab.engine.docker.config import folder, learners, read
from dockerlab.engine.docker.problems import BadAddress, Problem, UnknownContext

_MINE = (  # in a learner's own folder: Docker Desktop, colima, Rancher Desktop, OrbStack, podman
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".config/colima/default/docker.sock",
    ".rd/docker.sock",
    ".orbstack/run/docker.sock",
    ".local/share/containers/podman/machine/podman.sock",
)
_PIPES = ("docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default")


def named() -> Address | None:
    """What DOCKER_HOST or DOCKER_CONTEXT names, in docker's order; a Problem if it is nothing."""
    if url := os.environ.get("DOCKER_HOST"):
        return at(url, "DOCKER_HOST")
    if name := os.environ.get("DOCKER_CONTEXT"):
        return context(name)
    return None


def at(url: str, origin: str) -> Address:
    """The engine at `url`, which `origin` names; BadAddress if it is nothing."""
    return Address(_whole(url, origin), origin, _tls())


def usual() -> list[Address]:
    """Where to look if nothing is named: the current context first, podman last."""
    found = []
    current = str(read(learners()).get("currentContext") or "")
    if current and current != "default":
        with suppress(Problem):
            found.append(context(current))
    return found + [Address(url, "socket") for url in dict.fromkeys(_sockets())]


def context(name: str) -> Address:
    """The engine of a docker context, the learner's or the lab's; UnknownContext if none is."""
    origin = f"context {name}"
    if name == "default":
        return Address("npipe:////./pipe/docker_engine" if os.name == "nt" else LOCAL, origin)
    for contexts in (learners() / "contexts", folder() / "contexts"):
        with suppress(OSError, ValueError, TypeError, LookupError, AttributeError):
            return _read(contexts, name, origin)
    raise UnknownContext(origin, name)


def known(name: str) -> Address | None:
    """The engine of the docker context of that name, or None."""
    with suppress(Problem):
        return context(name)
    return None


def _read(contexts: Path, name: str, origin: str) -> Address:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = json.loads((contexts / "meta" / key / "meta.json").read_bytes())
    endpoint = meta["Endpoints"]["docker"]
    verify = not endpoint.get("SkipTLSVerify", False)
    files = contexts / "tls" / key / "docker"
    tls = TLS.of(files, verify) if files.is_dir() or not verify else None
    return Address(_whole(endpoint["Host"], origin), origin, tls)


def _tls() -> TLS | None:
    verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not os.environ.get("DOCKER_TLS"):
        return None
    return TLS.of(Path(os.environ.get("DOCKER_CERT_PATH") or learners()), verify)


def _whole(text: str, origin: str) -> str:
    """An address as docker reads it: tcp if it says nothing else, 2375 if it says no port."""
    url = text.strip()
    url = url if "://" in url else f"tcp://{url}"
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest.strip("/"):
        raise BadAddress(origin, text)
    if scheme == "tcp" and ":" not in rest.rpartition("]")[2]:
        url += ":2375"
    return url


def _sockets() -> Iterator[str]:
    if sys.platform == "win32":
        yield from (f"npipe:////./pipe/{name}" for name in _PIPES)
        return
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    paths = [Path("/var/run/docker.sock"), runtime / "docker.sock"]
    paths += [Path.home() / name for name in _MINE]
    paths += [runtime / "podman/podman.sock", Path("/run/podman/podman.sock")]
    there: dict[str, Path] = {}
    for path in filter(os.path.exists, paths):
        there.setdefault(os.path.realpath(path), path)
    yield from (f"unix://{path}" for path in there.values())
