"""HTTP/1.1 by the byte, as no client would send it; and what came back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple

PATIENCE = 20  # seconds without an answer are a hang


class Reply(NamedTuple):
    """An answer; `status` 0 if the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of the spec's error body; "" if this is none."""
        try:
            errors: list[dict[str, Any]] = json.loads(self.body)["errors"]
            return str(errors[0]["code"])
        except (ValueError, KeyError, IndexError, TypeError):
            return ""


def request(
    method: str, target: str, headers: Iterable[str] = (), body: bytes = b"", host: str = "x"
) -> bytes:
    """A request's bytes, nothing in it checked or added but a Host; a `host` "" leaves it out."""
    lines = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host else []), *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def sized(method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
    """A request that tells the true length of its body."""
    return request(method, target, [*headers, f"Content-Length: {len(body)}"], body)


def connect(port: int) -> socket.socket:
    """A connection to the server on this port."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def ask(port: int, content: bytes) -> Reply:
    """Send these bytes over a connection of their own and read one answer."""
    with connect(port) as wire:
        with suppress(ConnectionError):  # refused before all of it was read
            wire.sendall(content)
        return answer(wire, content.partition(b" ")[0].decode("latin-1"))


def answer(wire: socket.socket, method: str = "GET") -> Reply:
    """Read one answer to a request that was sent."""
    with HTTPResponse(wire, method=method) as response:
        try:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, headers, response.read())
        except (HTTPException, ConnectionError):
            return Reply(0, {}, b"")
