"""Connections that read a lot at a time, and may go elsewhere than their name says.

httpcore asks the system for 64 KiB at most and copies each piece three times, and that takes
longer than the network does: a pull from this machine needs half the time without it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator

import httpcore
import httpx

READ = 256 * 1024  # bytes
_LARGE = 1024 * 1024  # bytes; a body of more than that is worth a connection of its own
Route = Callable[[str, int], str]  # the host to connect to, for a host and a port; or OSError


class Transport(httpx.HTTPTransport):
    """httpx's own transport, over such connections."""

    def __init__(self, trust: ssl.SSLContext, route: Route | None = None) -> None:
        super().__init__(verify=trust)
        self._pool = httpcore.ConnectionPool(ssl_context=trust, network_backend=_Backend(route))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; what its body has beyond the first piece comes straight from the socket."""
        response = super().handle_request(request)
        connection = response.extensions.get("network_stream")
        length = response.headers.get("content-length", "")
        large = request.method == "GET" and length.isdecimal() and int(length) > _LARGE
        if large and isinstance(connection, _Stream):
            assert isinstance(response.stream, httpx.SyncByteStream)
            timeout = request.extensions.get("timeout", {}).get("read")
            response.stream = _Body(response.stream, connection, int(length), timeout)
        return response


class _Body(httpx.SyncByteStream):
    """`length` bytes; httpcore, which does not see them all, closes the connection then."""

    def __init__(
        self, stream: httpx.SyncByteStream, source: _Stream, length: int, timeout: float | None
    ) -> None:
        self._stream, self._source = stream, source
        self._length, self._timeout = length, timeout

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._stream)  # kept: letting go of it would close the connection
        first = next(pieces, b"")
        yield first
        rest = self._length - len(first)
        while rest > 0:
            try:
                piece = self._source.read(min(rest, _LARGE), self._timeout)
            except httpcore.TimeoutException as error:
                raise httpx.ReadTimeout(str(error)) from error
            except httpcore.NetworkError as error:
                raise httpx.ReadError(str(error)) from error
            if not piece:
                raise httpx.RemoteProtocolError("peer closed connection")
            yield piece
            rest -= len(piece)

    def close(self) -> None:
        self._stream.close()


class _Backend(httpcore.SyncBackend):
    def __init__(self, route: Route | None) -> None:
        self._route = route

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            host = self._route(host, port) if self._route else host
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")
        self.close = stream.close  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, READ), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(error) from error
        except OSError as error:
            raise httpcore.WriteError(error) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))
