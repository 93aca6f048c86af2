"""Web applications as a process: on a socket each, from start to a graceful end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings, HTTP2Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from dockerlab.registry.journal import Journal, log
from dockerlab.registry.tls import Secure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_BACKLOG = 1024
_CONNECTIONS = 4096  # at once, most of them idle; the next ones wait in the backlog
_FILES = 65536  # each connection and each transfer needs one
_LONG = 3600  # seconds that transfers have to end when only the certificate changes
_PATIENCE = 8  # seconds that transfers have to end; docker stop waits for 10
_HTTP1 = HTTP1Settings(max_buffer_size=128 * 1024)  # bytes of a connection; three are held
_HTTP2 = HTTP2Settings(  # bytes; the usual windows make large blobs slow
    initial_connection_window_size=4 * 1024 * 1024,
    initial_stream_window_size=4 * 1024 * 1024,
    max_frame_size=1024 * 1024,
    max_headers_size=256 * 1024,
)
_WORDS = {  # as Go says them, whatever the platform
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
}


class ServeError(OSError):
    """The registry cannot start; `str()` of it is one line, in the real registry's words."""

    def __str__(self) -> str:
        return str(self.strerror)


class App(Protocol):
    """An ASGI application that is told when all answer."""

    is_open: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""


@dataclass(frozen=True)
class Site:
    """An application and the socket where it answers, over TLS or not; `said` is for the log.

    `renewed` comes back with another certificate each time that the site needs one; connections
    that are there keep the old one until they end.
    """

    app: App
    listener: socket.socket
    secure: Secure | None = None
    said: str = "listening on "
    renewed: Callable[[], Awaitable[Secure]] | None = None


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


def leave(status: int) -> NoReturn:
    """End this program without taking Python down, which Granian's threads may not survive."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def run(app: ASGIApp, listener: socket.socket, ready: Callable[[int], None] | None = None) -> int:
    """Serve an application as a registry is served, and give the signal that ended it."""
    return run_all([Site(Journal(app), listener)], ready)


def run_all(
    sites: Sequence[Site], ready: Callable[[int], None] | None = None, patience: float = 0
) -> int:
    """The same for several; `ready` is told the first one's port when all of them answer.

    When they are told to stop, transfers have `patience` seconds to end.
    """
    _allow_files()
    return asyncio.run(_run(sites, ready, patience or _PATIENCE))


def _allow_files() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows, where it is not needed

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Granian(Server):
    """Granian inside this process, on a socket that is open already.

    Granian's own sockets share their port (SO_REUSEPORT), so that a second registry on a port
    in use would start without a word.
    """

    def __init__(self, site: Site, secure: Secure | None, patience: float) -> None:
        encryption = secure.granian() if secure else {"http": HTTPModes.http1}
        super().__init__(
            site.app,
            interface=Interfaces.ASGINL,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=_CONNECTIONS,
            log_enabled=False,
            http1_settings=_HTTP1,
            http2_settings=_HTTP2,
            **encryption,
        )
        self.workers_kill_timeout: Any = patience
        holder: Any = SocketHolder  # its type stub lacks the constructor
        listener = site.listener.dup() if site.renewed else site.listener
        self._listener: Any = holder(listener.detach(), False, _BACKLOG)

    def _init_shared_socket(self) -> None:
        self._shd = self._listener


async def _run(sites: Sequence[Site], ready: Callable[[int], None] | None, patience: float) -> int:
    addresses = [site.listener.getsockname()[:2] for site in sites]
    servers = [_Granian(site, site.secure, patience) for site in sites]
    loop = asyncio.get_running_loop()
    ended_by = 0

    def stop(number: int, _frame: object) -> None:
        nonlocal ended_by
        ended_by = number
        log("info", "stopping; transfers may end")
        signal.signal(number, signal.SIG_DFL)  # asked twice, it ends at once
        for server in servers:
            loop.call_soon_threadsafe(server.stop)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    pairs = zip(sites, tuple(servers), strict=True)
    each = [_serve(site, server, servers, patience) for site, server in pairs]
    serving = asyncio.gather(*each, return_exceptions=True)
    answered = asyncio.gather(*map(_answer, sites, addresses))
    await asyncio.wait((serving, answered), return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        for site, address in zip(reversed(sites), reversed(addresses), strict=True):
            site.app.is_open = True
            log("info", f"{site.said}{_address(*address)}{', tls' if site.secure else ''}")
        if ready:
            ready(addresses[0][1])
    if any(isinstance(ended, asyncio.TimeoutError) for ended in await serving):
        # a transfer did not end in time, and Granian trips over it
        loop.set_exception_handler(lambda _loop, _context: None)
    if not ended_by:
        raise ServeError(errno.EIO, "the server stopped by itself")
    return ended_by


async def _serve(site: Site, server: _Granian, servers: list[_Granian], patience: float) -> None:
    """Serve until told to stop; each certificate has a server of its own, listed in `servers`."""
    ending: list[asyncio.Task[None]] = []
    while True:
        serving: asyncio.Task[None] = asyncio.ensure_future(server.serve())
        if not site.renewed:
            return await serving
        renewing = asyncio.ensure_future(site.renewed())
        await asyncio.wait((serving, renewing), return_when=asyncio.FIRST_COMPLETED)
        if serving.done() or server.interrupt_signal:
            renewing.cancel()
            await asyncio.wait((serving, *ending), timeout=patience)
            return serving.result()
        server.workers_kill_timeout = _LONG
        asyncio.get_running_loop().call_soon(server.stop)  # its socket stays open in `site`
        ending.append(serving)
        server = _Granian(site, renewing.result(), patience)
        servers.append(server)


async def _answer(site: Site, address: tuple[str, int]) -> None:
    """Come back when the registry has answered a request."""
    host, port = address
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    trust = ssl._create_unverified_context() if site.secure else None  # it is ourselves
    with suppress(ssl.SSLError, ConnectionError):  # it wants a client's certificate
        reader, writer = await asyncio.open_connection(near, port, ssl=trust)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await reader.readline()
        writer.close()
        await writer.wait_closed()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
