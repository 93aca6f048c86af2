"""A way to a real Docker Engine that tests can open and close, by another socket or with TLS."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

REAL = "unix:///var/run/docker.sock"
_PIECE = 1 << 16  # bytes


def real_socket() -> str:
    """The Unix socket of the engine that DOCKER_HOST names."""
    return os.environ.get("DOCKER_HOST", REAL).removeprefix("unix://")


class Relay:
    """Passes what comes to a listening socket on to the engine at `target`, until it is closed.

    Without a `target` it takes connections and stays silent.
    """

    def __init__(
        self, server: socket.socket, target: str = "", secure: ssl.SSLContext | None = None
    ) -> None:
        self._server, self._target, self._secure = server, target, secure
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more connections; the file of the socket stays, as when a daemon is killed."""
        with suppress(OSError):  # closed already
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        kept = ExitStack()  # connections that get no answer
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return kept.close()
            if not self._target:
                kept.enter_context(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            near = self._secure.wrap_socket(client, server_side=True) if self._secure else client
        except OSError:
            client.close()
            return
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._target)
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()
        near.close()
        far.close()


def at(path: Path, target: str = "") -> Relay:
    """A relay at a Unix socket."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(50)
    return Relay(server, target)


def behind_tls(folder: Path, target: str) -> tuple[Relay, int]:
    """A relay on a port of localhost that wants a certificate, as dockerd --tlsverify does.

    `folder` gets the ca.pem, cert.pem and key.pem with which it can be reached.
    """
    folder.mkdir(parents=True)
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    shutil.copyfile(folder / "cert.pem", folder / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = socket.create_server(("127.0.0.1", 0))
    return Relay(server, target, context), server.getsockname()[1]


class Narrow:
    """A port of localhost that leads to `target`, another one, and lets bytes wait.

    After `free` bytes, either way, each small piece waits for `pause` seconds; None: for `open`.
    """

    def __init__(self, target: int, free: int = 0, pause: float | None = None) -> None:
        self._target, self._free, self._pause = target, free, pause
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
        self._server.bind(("127.0.0.1", 0))
        self._server.listen(50)
        self.port = int(self._server.getsockname()[1])
        self.open = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Narrow:
        return self

    def __exit__(self, *_error: object) -> None:
        self.open.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=self._pass, args=(far, near), daemon=True)
            back.start()
            self._pass(near, far)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(_PIECE):
                self._free -= len(content)
                if self._free < 0:
                    self.open.wait(self._pause)
                target.sendall(content)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := source.recv(1 << 16):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
