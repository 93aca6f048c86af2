"""What stands between docker and a registry, and does it harm: proxies, and bad certificates."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Proxy(BaseHTTPRequestHandler):
    """Passes each request on to a backend, or refuses it with a status."""

    backends: dict[str, str]
    refused: dict[str, int]
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body = self._body()
        if status := self.refused.get(self.command, self.refused.get("*", 0)):
            return self._answer(status, {}, b"")
        connection = http.client.HTTPConnection(
            self.backends.get(self.command, self.backends.get("*", "")), timeout=30
        )
        try:
            given = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
            connection.request(self.command, self.path, body, given)
            answer = connection.getresponse()
            self._answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        length = str(len(body))
        for name, value in headers.items():
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("date", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Docker hangs up on a certificate that it does not like."""


@contextmanager
def proxy(
    *,
    backends: dict[str, str] | None = None,
    refused: dict[str, int] | None = None,
    certificate: Path | None = None,
) -> Iterator[int]:
    """A proxy on all addresses; its port.

    `backends` are HOST:PORT for a method, `refused` a status; "*" is for all other methods. A
    `certificate` (with its key) makes it speak HTTPS.
    """
    handler = type("Proxy", (_Proxy,), {"backends": backends or {}, "refused": refused or {}})
    server = _Server(("0.0.0.0", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def certificate(path: Path, name: str, *alternative: str) -> Path:
    """A file with a self-signed certificate for a common name and its key.

    `alternative` are its subjectAltNames, such as `IP:192.168.56.100`.
    """
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", f"/CN={name}", "-keyout", f"{path}.key", "-out", str(path)]
    if alternative:
        made += ["-addext", f"subjectAltName={','.join(alternative)}"]
    subprocess.run(made, check=True, capture_output=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(Path(f"{path}.key").read_text(encoding="utf-8"))
    return path
