"""A registry that docker has just started needs a moment before it answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from dockerlab.engine.docker import asking
from dockerlab.engine.docker.marking import command_at
from dockerlab.errors import DockerlabError

if TYPE_CHECKING:
    from dockerlab.engine.docker.address import Address

_STARTING = {"run", "start", "restart"}
_HERE = "127.0.0.1"
_PORT = 5000  # where a registry listens inside its container
_PATIENCE, _PAUSE = 5.0, 0.02  # seconds


def settle(words: Sequence[str], address: Address) -> None:
    """After `docker run`, `start` or `restart`, come back when the new registries answer.

    docker itself comes back earlier; the next cell of a lesson would then find nobody at the port.
    """
    at = command_at(words)
    named = words[at + 1 : at + 2] if words[at : at + 1] == ["container"] else words[at : at + 1]
    if not _STARTING.intersection(named) or not address.is_here:
        return
    deadline = time.monotonic() + _PATIENCE
    with suppress(DockerlabError):
        for container in asking.get(address, "/containers/json", _PATIENCE):
            for port in container["Ports"] if "second" in container["Status"] else ():
                if port["PrivatePort"] == _PORT and "PublicPort" in port:
                    _wait(int(port["PublicPort"]), deadline)


def _wait(port: int, deadline: float) -> None:
    while time.monotonic() < deadline:
        with (
            suppress(OSError, HTTPException),
            closing(HTTPConnection(_HERE, port, timeout=1)) as http,
        ):
            http.request("GET", "/v2/")
            http.getresponse()
            return
        time.sleep(_PAUSE)
