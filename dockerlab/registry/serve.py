"""A registry as a process: `python -m dockerlab.registry.serve --root DIR --host H --port P`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from dockerlab.registry.journal import Journal, log
from dockerlab.registry.server import application
from dockerlab.registry.storage import Storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_BACKLOG = 1024
_PATIENCE = 3  # seconds that transfers have left when the registry is told to stop
_WORDS = {  # as Go says them, whatever the platform
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
}


class ServeError(OSError):
    """The registry cannot start; `str()` of it is one line, in the real registry's words."""

    def __str__(self) -> str:
        return str(self.strerror)


def serve(
    root: Path,
    host: str = "127.0.0.1",
    port: int = 5000,
    *,
    ready: Callable[[int], None] | None = None,
    delete: bool = True,
) -> None:
    """Serve the directory until SIGINT or SIGTERM; `ready(port)` once connections are answered.

    Port 0 takes a free one. ServeError if the root or the address cannot be used.
    """
    _serve(root, host, port, ready, delete)


def main(argv: Sequence[str] | None = None) -> int:
    """Run with registry:2's settings and defaults; 2 after SIGTERM, as that one exits."""
    options = _options(os.environ).parse_args(argv)
    try:
        ended_by = _serve(options.root, options.host, options.port, None, options.delete)
    except ServeError as error:
        log("fatal", str(error))
        return 1
    return 2 if ended_by == signal.SIGTERM else 0


def run(app: ASGIApp, listener: socket.socket, ready: Callable[[int], None] | None = None) -> int:
    """Serve an application as a registry is served, and give the signal that ended it."""
    return asyncio.run(_run(Journal(app), listener, ready))


def _serve(
    root: Path, host: str, port: int, ready: Callable[[int], None] | None, delete: bool
) -> int:
    storage = _open(root)
    listener = listen(host, port)
    if not storage.claim():
        log("warning", f"{storage.root} is served by another process too")
    try:
        return run(application(storage, delete=delete), listener, ready)
    finally:
        storage.release()


def _open(root: Path) -> Storage:
    try:
        return Storage(root)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise ServeError(error.errno, f"filesystem: {error.filename or root}: {reason}") from None


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; ServeError if the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 <= port <= 65535:
        raise ServeError(errno.EINVAL, f"listen tcp: address {port}: invalid port")
    try:
        socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (socket.gaierror, UnicodeError):
        raise ServeError(errno.EINVAL, f"listen tcp: lookup {host}: no such host") from None
    except OSError as error:
        reason = _WORDS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
        message = f"listen tcp {_address(host, port)}: bind: {reason}"
        raise ServeError(error.errno, message) from None


class _Granian(Server):
    """Granian inside this process, on a socket that is open already.

    Granian's own sockets share their port (SO_REUSEPORT), so that a second registry on a port
    in use would start without a word.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            log_enabled=False,
        )
        self.workers_kill_timeout = _PATIENCE
        holder: Any = SocketHolder  # its type stub lacks the constructor
        self._listener: Any = holder(listener.detach(), False, _BACKLOG)

    def _init_shared_socket(self) -> None:
        self._shd = self._listener


async def _run(app: Journal, listener: socket.socket, ready: Callable[[int], None] | None) -> int:
    host, port = listener.getsockname()[:2]
    server = _Granian(app, listener)
    loop = asyncio.get_running_loop()
    ended_by = 0

    def stop(number: int, _frame: object) -> None:
        nonlocal ended_by
        ended_by = number
        log("info", "stopping; transfers may end")
        signal.signal(number, signal.SIG_DFL)  # asked twice, it ends at once
        loop.call_soon_threadsafe(server.stop)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    serving = asyncio.ensure_future(server.serve())
    answered = asyncio.ensure_future(_answer(host, port))
    await asyncio.wait((serving, answered), return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        app.is_open = True
        log("info", f"listening on {_address(host, port)}")
        if ready:
            ready(port)
    try:
        await serving
    except asyncio.TimeoutError:  # a transfer did not end in time, and Granian trips over it
        loop.set_exception_handler(lambda _loop, _context: None)
    if not ended_by:
        raise ServeError(errno.EIO, "the server stopped by itself")
    return ended_by


async def _answer(host: str, port: int) -> None:
    """Come back when the registry has answered a request."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    reader, writer = await asyncio.open_connection(near, port)
    writer.write(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await reader.readline()
    writer.close()
    await writer.wait_closed()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(env: Mapping[str, str]) -> argparse.ArgumentParser:
    host, _, port = env.get("REGISTRY_HTTP_ADDR", "127.0.0.1:5000").rpartition(":")
    root = env.get("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/var/lib/registry")
    delete = env.get("REGISTRY_STORAGE_DELETE_ENABLED", "").lower() in ("1", "t", "true")
    parser = argparse.ArgumentParser(prog="registry", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(root))
    parser.add_argument("--host", default=host.strip("[]") or "0.0.0.0")
    parser.add_argument("--port", type=int, default=port)
    parser.set_defaults(delete=delete)
    return parser


if __name__ == "__main__":
    sys.exit(main())
