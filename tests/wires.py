"""Bad connections and bad registries for tests, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """Passes bytes on to `port`, and cuts the connection each time that `every` have passed.

    It counts those that go `up` to the server or `down` from it, and cuts at most `cuts` times.
    """

    def __init__(self, port: int, direction: str, every: int, cuts: int) -> None:
        self._target, self._direction, self._every = port, direction, every
        self._left, self._lock = cuts, threading.Lock()
        self.cuts = 0
        self.passed = {"up": 0, "down": 0}
        self._since = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Take no more connections and wait for those that are open to end."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._start(self._pass, client, server, "up")
                self._start(self._pass, server, client, "down")

    def _pass(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with source, suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                if self._cuts_now(direction, len(data)):
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _cuts_now(self, direction: str, size: int) -> bool:
        with self._lock:
            self.passed[direction] += size
            if direction != self._direction or not self._left:
                return False
            self._since += size
            if self._since < self._every:
                return False
            self._since, self._left, self.cuts = 0, self._left - 1, self.cuts + 1
            return True


@contextmanager
def proxy(port: int, direction: str, every: int, cuts: int) -> Iterator[Proxy]:
    """A Proxy that is gone afterwards."""
    running = Proxy(port, direction, every, cuts)
    try:
        yield running
    finally:
        running.close()


@dataclass
class Reply:
    """What a Liar answers; `hang_up` breaks the connection off instead of the body's last part."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    hang_up: bool = False


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Script = Callable[[Asked], Reply]


class Liar:
    """A web server whose answers are the test's; /v2/ is answered as a registry should."""

    def __init__(self, script: Script, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # A header's name in small letters, as the tests look for it.
                headers = {name.lower(): text for name, text in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                liar.asked.append(asked)
                self.reply(Reply(200, b"{}") if self.path == "/v2/" else script(asked))

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def reply(self, reply: Reply) -> None:
                if reply.hang_up and not reply.body:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, text in reply.headers.items():
                    self.send_header(name, text)
                length = len(reply.body) if reply.length is None else reply.length
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)
                self.close_connection = self.close_connection or reply.hang_up

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self.port = self._server.server_port
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def liar(script: Script | Mapping[str, Reply], host: str = "127.0.0.1") -> Iterator[Liar]:
    """A Liar that is gone afterwards; a mapping gives its replies by the path's ending."""
    if not callable(script):
        replies = script

        def script(asked: Asked) -> Reply:
            found = (reply for end, reply in replies.items() if asked.path.endswith(end))
            return next(found, Reply(404))

    running = Liar(script, host)
    try:
        yield running
    finally:
        running.close()
