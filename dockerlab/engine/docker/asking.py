"""Ask one address whether a Docker Engine is there: `GET /version`, with the standard library."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from dockerlab.engine.docker import problems
from dockerlab.engine.docker.address import TLS, Address

OLDEST = (1, 24)  # the API that docker's SDK still speaks
_REFUSALS = (
    (PermissionError, problems.NoPermission),
    ((FileNotFoundError, NotADirectoryError), problems.Absent),
    (TimeoutError, problems.Silent),
    (OSError, problems.NotStarted),
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Version:
    """What an engine says of itself: `20.10.24`, `1.41`, `linux`, `amd64`, `Docker Engine`."""

    number: str
    api: str
    os: str
    arch: str
    product: str

    def __str__(self) -> str:
        return f"{self.product} {self.number}"


def ask(address: Address, patience: float) -> Version:
    """What the engine says of itself, within `patience` seconds; a Problem if it is of no use."""
    said = get(address, "/version", patience)
    try:
        version = _version(said)
        api = tuple(map(int, version.api.split(".")))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise problems.NotDocker(address.origin, address.url, "GET /version") from None
    if version.os != "linux":
        raise problems.WindowsContainers(address.origin, address.url, version.os)
    if api < OLDEST:
        raise problems.TooOld(address.origin, address.url, version.api)
    return version


def _version(said: Any) -> Version:
    names = [part["Name"] for part in said.get("Components") or ()]
    product = "Podman" if "Podman Engine" in names else "Docker Engine"
    return Version(said["Version"], said["ApiVersion"], said["Os"], said["Arch"], product)


def get(address: Address, path: str, patience: float) -> Any:
    """The engine's answer to `GET path`; a Problem if there is none."""
    where = (address.origin, address.url)
    if address.scheme in ("npipe", "ssh"):
        return _by_sdk(address, path, patience)
    try:
        with _connection(address, patience) as connection:
            return _get(connection, path)
    except TimeoutError:
        raise problems.Silent(*where) from None
    except (HTTPException, ValueError) as error:
        raise problems.NotDocker(*where, str(error)) from None
    except OSError as error:
        raise problems.Silent(*where, str(error)) from None


def _get(connection: socket.socket, path: str) -> Any:
    http = HTTPConnection("docker")
    http.sock = connection
    http.request("GET", path, headers={"Connection": "close"})
    with http.getresponse() as answer:
        content = answer.read()
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}: {content[:80].decode('utf-8', 'replace').strip()}")
    return json.loads(content)


def _connection(address: Address, patience: float) -> socket.socket:
    """An open connection; the Problem that keeps it from opening."""
    where = (address.origin, address.url)
    if address.scheme == "unix":
        return _unix(address, patience)
    parts = urlsplit(address.url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 2375)
        plain = socket.create_connection((parts.hostname, port), patience)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise problems.Unreachable(*where, reason) from None
    tls = address.tls or (TLS() if address.scheme == "https" else None)
    return _secure(plain, tls, address) if tls else plain


def _unix(address: Address, patience: float) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):  # Python on Windows
        raise problems.Absent(address.origin, address.url, "no Unix sockets")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    try:
        connection.connect(address.path)
    except OSError as error:
        connection.close()
        kind = next(kind for errors, kind in _REFUSALS if isinstance(error, errors))
        raise kind(address.origin, address.url, str(error)) from None
    return connection


def _secure(plain: socket.socket, tls: TLS, address: Address) -> socket.socket:
    import ssl

    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if not tls.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if tls.cert and tls.key:
            context.load_cert_chain(tls.cert, tls.key)
        return context.wrap_socket(plain, server_hostname=urlsplit(address.url).hostname)
    except TimeoutError:
        raise problems.Silent(address.origin, address.url) from None
    except OSError as error:  # SSLError is one
        plain.close()
        raise problems.Untrusted(address.origin, address.url, str(error)) from None


def _by_sdk(address: Address, path: str, patience: float) -> Any:
    """Named pipes and ssh are the SDK's business."""
    from docker.errors import DockerException

    try:
        client = address.client(patience)
        answer = client.get(client.base_url + path)
        answer.raise_for_status()
        return answer.json()
    except (DockerException, OSError) as error:  # an error of requests is an OSError
        if address.scheme == "npipe":
            raise problems.Absent(address.origin, address.url, str(error)) from None
        raise problems.Unreachable(address.origin, address.url, str(error)) from None
