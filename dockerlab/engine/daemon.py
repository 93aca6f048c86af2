"""What the daemon of one docker host is told in its daemon.json, and how its network looks."""

from __future__ import annotations

import errno
import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dockerlab.engine import state
from dockerlab.engine.home import private
from dockerlab.engine.ports import LOOPBACK
from dockerlab.errors import EngineError
from dockerlab.registry.failures import is_loopback

FILE = "daemon.json"
FIRST = "192.168.56.100"  # where another host of the lab finds the default host, as in the lecture
_KEY = "insecure-registries"
_LOOPBACKS = "127.0.0.0/8"
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?", re.ASCII)
_WHERE = "/etc/docker/daemon.json"  # as docker names it


@dataclass(frozen=True)
class Daemon:
    """The settings in the folder `path`; `published` tells whether the host publishes a port."""

    path: Path
    published: Callable[[int], bool]

    def settings(self) -> dict[str, Any]:
        """What daemon.json says; EngineError in dockerd's words if it is none."""
        try:
            settings = json.loads((self.path / FILE).read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise _refused(str(error)) from None
        return check(settings)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write daemon.json anew; EngineError, and nothing is written, if docker would refuse."""
        checked = check(settings)
        state.write(private(self.path) / FILE, checked)

    def is_insecure(self, registry: str) -> bool:
        """Whether a registry may speak HTTP, or show any certificate; one on this machine may."""
        name = urlsplit(f"//{registry}").hostname or ""
        entries = self.settings().get(_KEY, ())
        if is_loopback(registry) or registry in entries or name in entries:
            return True
        networks = [ip_network(_LOOPBACKS), *filter(None, map(_network, entries))]
        return any(address in network for address in _addresses(name) for network in networks)

    def route(self, host: str, port: int) -> str:
        """Where connections to `host` go: on another host, localhost is that host itself."""
        if host == FIRST:
            return LOOPBACK
        if is_loopback(f"[{host}]" if ":" in host else host) and not self.published(port):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "connection refused")
        return host


def check(settings: object) -> dict[str, Any]:
    """Settings that this engine knows; EngineError in dockerd's words otherwise."""
    if not isinstance(settings, Mapping):
        raise _refused(f"cannot unmarshal {json.dumps(settings)} into an object")
    if unknown := sorted(set(map(str, settings)) - {_KEY}):
        raise _refused(
            f"the following directives don't match any configuration option: {', '.join(unknown)}"
        )
    entries = settings.get(_KEY, [])
    if not isinstance(entries, list | tuple) or not all(isinstance(one, str) for one in entries):
        raise _refused(f"{_KEY}: a list of HOST:PORT is wanted")
    return {_KEY: [_entry(one) for one in entries]} if _KEY in settings else {}


def _entry(text: str) -> str:
    """As dockerd reads it: a scheme of HTTP(S) is let pass, any other is refused."""
    bare = text.removeprefix("http://").removeprefix("https://")
    if "://" in bare:
        raise _refused(f"insecure registry {text} should not contain '://'")
    if not _HOST.fullmatch(bare) and not _network(bare):
        raise _refused(f'insecure registry {text} is not valid: invalid host "{bare}"')
    return bare


def _addresses(name: str) -> list[IPv4Address | IPv6Address]:
    """Those of a host, as far as they are known here."""
    with suppress(OSError, UnicodeError, ValueError):
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [ip_address(entry[4][0]) for entry in found]
    return []


def _network(text: str) -> Any:
    try:
        return ip_network(text) if "/" in text else None
    except ValueError:
        return None


def _refused(reason: str) -> EngineError:
    return EngineError(f"unable to configure the Docker daemon with file {_WHERE}: {reason}")
