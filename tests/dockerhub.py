"""Docker Hub as seen from a machine with internet, for tests: registry-1.docker.io and its friends.

It is an HTTPS proxy that plays Docker Hub itself, with its own certificate; a real registry
process keeps what it serves. A daemon started with `Hub.env` takes it for the real one.
As a program: `python -m tests.dockerhub --folder DIR --port PORT`.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import secrets
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push
from tests.servers import start_server

USER, PASSWORD = "rahim", "rongdhonu"
LIMITED = "library/limited"  # always over the rate limit
PRIVATE = "dockerlab/private"  # exists, and is nobody's business
_REGISTRY = "registry-1.docker.io"
_STORE = "production.cloudflare.docker.com"  # where blobs really come from
_AUTH = "auth.docker.io"
_HOSTS = (_REGISTRY, _STORE, _AUTH, "index.docker.io")
_TOO_MANY = (
    "You have reached your pull rate limit. You may increase the limit by authenticating and "
    "upgrading: https://www.docker.com/increase-rate-limit"
)
Grants = dict[str, list[str]]


class Hub:
    """A Docker Hub at `address`; `asked` are the requests that came: method, host, path.

    Repositories in `limited` answer toomanyrequests; while `away`, nothing answers.
    """

    def __init__(self, folder: Path, store: str, port: int = 0) -> None:
        self.store = store
        self.ca = folder / "ca.pem"
        self.asked: list[tuple[str, str, str]] = []
        self.limited = {LIMITED}
        self.away = False
        self.tokens: dict[str, Grants] = {}
        self.context = _context(folder)
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        """What makes a daemon, or any client, take it for Docker Hub."""
        return {"HTTPS_PROXY": f"http://{self.address}", "SSL_CERT_FILE": str(self.ca)}

    def close(self) -> None:
        """Stop answering."""
        self.away = True
        self._server.shutdown()
        self._server.server_close()

    def token(self, scopes: list[str], user: str) -> str:
        """A token for as much of the scopes as that user may have."""
        token = secrets.token_urlsafe(16)
        wanted = [scope.split(":") for scope in " ".join(scopes).split()]
        self.tokens[token] = {
            name: [action for action in actions.split(",") if self._may(user, name, action)]
            for _, name, actions in wanted
        }
        return token

    def _may(self, user: str, name: str, action: str) -> bool:
        if user and name.split("/")[0] == user:
            return True
        return action == "pull" and name != PRIVATE and self._has(name)

    def _has(self, name: str) -> bool:
        return name in self.limited or self.fetch("GET", f"/v2/{name}/tags/list")[0] == 200

    def fetch(
        self, method: str, path: str, headers: Any = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer of the registry behind."""
        connection = http.client.HTTPConnection(self.store, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    host = ""
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        if self.hub.away or self.host not in _HOSTS:
            self.close_connection = True
            return self._answer(502, b"")
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            self.connection = self.hub.context.wrap_socket(self.connection, server_side=True)
        except OSError:
            self.close_connection = True
            return
        self.rfile.close()
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def answer(self) -> None:
        """Play the host that the tunnel leads to."""
        if self.hub.away or not self.host:
            self.close_connection = True
            return
        self.hub.asked.append((self.command, self.host, self.path))
        body = self._body()
        if self.host == _AUTH:
            self._give_token()
        elif self.host == _STORE:
            self._give_blob()
        else:
            self._serve(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _give_token(self) -> None:
        if self.command != "GET":  # as for clients that try OAuth 2 first
            return self._answer(405, b"")
        user = ""
        if login := self.headers.get("Authorization", ""):
            user, _, password = base64.b64decode(login.split()[1]).decode().partition(":")
            if (user, password) != (USER, PASSWORD):
                return self._json(401, {"details": "incorrect username or password"})
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
        token = self.hub.token(scopes, user)
        self._json(200, {"token": token, "access_token": token, "expires_in": 300})

    def _give_blob(self) -> None:
        if self.headers.get("Authorization"):
            return self._answer(400, b"Only one auth mechanism allowed")
        self._forward(b"")

    def _serve(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        name = path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
        name = name.removesuffix("/blobs")  # of an upload
        action = "pull" if self.command in ("GET", "HEAD") else "push"
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        grants = self.hub.tokens.get(given)
        if grants is None or (name and action not in grants.get(name, ())):
            return self._refuse(name, action, bool(given), grants is not None)
        if self.command == "GET" and "/manifests/" in path and name in self.hub.limited:
            return self._error(429, "TOOMANYREQUESTS", _TOO_MANY)
        if self.command == "GET" and "/blobs/sha256:" in path:
            return self._answer(307, b"", {"Location": f"https://{_STORE}{self.path}"})
        self._forward(body)

    def _refuse(self, name: str, action: str, given: bool, known: bool) -> None:
        actions = "pull" if action == "pull" else "pull,push"
        challenge = f'Bearer realm="https://{_AUTH}/token",service="registry.docker.io"'
        challenge += f',scope="repository:{name}:{actions}"' if name else ""
        if given:
            challenge += f',error="{"insufficient_scope" if known else "invalid_token"}"'
        detail = [
            {"Type": "repository", "Class": "", "Name": name, "Action": one}
            for one in actions.split(",")
            if name
        ]
        headers = {"WWW-Authenticate": challenge}
        self._error(401, "UNAUTHORIZED", "authentication required", detail or None, headers)

    def _forward(self, body: bytes) -> None:
        wanted = ("accept", "content-type", "content-range", "range")
        headers = {
            key: ", ".join(self.headers.get_all(key, [])) for key in wanted if key in self.headers
        }
        status, answered, content = self.hub.fetch(self.command, self.path, headers, body or None)
        self._answer(status, content, answered)

    def _error(
        self, status: int, code: str, message: str, detail: Any = None, headers: Any = None
    ) -> None:
        error = {"code": code, "message": message, "detail": detail}
        self._json(status, {"errors": [error]}, headers)

    def _json(self, status: int, data: Any, headers: Any = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._answer(status, json.dumps(data).encode(), {**kind, **(headers or {})})

    def _answer(self, status: int, body: bytes, headers: Any = None) -> None:
        own = {"Docker-Distribution-Api-Version": "registry/2.0", **(headers or {})}
        lengths = {key.lower(): text for key, text in own.items()}
        self.send_response(status)
        for key, text in own.items():
            if key.lower() not in ("content-length", "date", "server"):
                self.send_header(key, text)
        length = lengths.get("content-length") if self.command == "HEAD" else None
        if status != 204:
            self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _context(folder: Path) -> ssl.SSLContext:
    """TLS as Docker Hub, with a certificate that is its own authority: DIR/ca.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ",".join(f"DNS:{name}" for name in _HOSTS)
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=dockerlab tests", "-addext", f"subjectAltName={names}"]
    made += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


@contextmanager
def dockerhub(folder: Path, port: int = 0) -> Iterator[Hub]:
    """A Docker Hub with the course's images in it, its certificate in `folder`."""
    with start_server(folder / "registry") as server:
        _fill(folder / "layout", server.address)
        hub = Hub(folder, server.address, port)
        try:
            yield hub
        finally:
            hub.close()


def _fill(path: Path, address: str) -> None:
    layout = sample.hub(path)
    names = {entry.name or "": entry.descriptor for entry in layout.entries()}
    names[f"docker.io/{PRIVATE}:latest"] = sample.build(Layout(path), "my-image")
    registry = Registry(address)
    try:
        for name, descriptor in names.items():
            push(layout, descriptor, registry, Reference.parse(name))
    finally:
        registry.close()


def main() -> None:
    """Run it until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.dockerhub", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where ca.pem is put")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    ended = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    with dockerhub(options.folder.absolute(), options.port) as hub:
        for name, value in hub.env.items():
            print(f"{name}={value}")
        print(f"listening on {hub.address}", flush=True)
        signal.sigwait(ended)


if __name__ == "__main__":
    main()
