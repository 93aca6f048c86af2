"""Where a Docker Engine is, and how one speaks to it."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from docker import APIClient

SCHEMES = ("npipe" if os.name == "nt" else "unix", "tcp", "http", "https", "ssh")
LOCAL = "unix:///var/run/docker.sock"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class TLS:
    """What an engine behind TLS wants: PEM files, or none; whether its own name is verified."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True

    @classmethod
    def of(cls, folder: Path, verify: bool) -> TLS:
        """The files that docker looks for in a folder, those that are there."""
        names = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
        return cls(**{n: path for n, path in names.items() if path.is_file()}, verify=verify)


@dataclass(frozen=True)
class Address:
    """`url` (unix, npipe, tcp, ssh), and who named it: an environment variable, a context, or
    nobody, if it is one of the places where engines usually are (`origin` is "socket" then)."""

    url: str
    origin: str
    tls: TLS | None = None

    @property
    def context(self) -> str:
        """The docker context that names it, or ""."""
        return self.origin.removeprefix("context ") if self.origin.startswith("context ") else ""

    @property
    def scheme(self) -> str:
        """`unix`, `npipe`, `tcp`, `ssh` …"""
        return self.url.partition("://")[0]

    @property
    def path(self) -> str:
        """The file of a Unix socket."""
        return self.url.partition("://")[2]

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, so that localhost is the same for both."""
        return self.scheme in ("unix", "npipe") or urlsplit(self.url).hostname in _LOOPBACK

    def client(self, timeout: float = 60) -> APIClient:
        """docker's SDK on this engine, with the lab's logins; asks at once for the API version."""
        with closing(self._opened("1.24", timeout)) as first:
            version = first.version(api_version=False)["ApiVersion"]
        return self._opened(version, timeout)

    def _opened(self, version: str, timeout: float) -> APIClient:
        from docker import APIClient
        from docker.tls import TLSConfig

        from dockerlab.engine.docker.config import prepare

        tls = self.tls and TLSConfig(
            client_cert=(str(self.tls.cert), str(self.tls.key)) if self.tls.cert else None,
            ca_cert=str(self.tls.ca) if self.tls.ca else None,
            verify=self.tls.verify,
        )
        ssh = self.scheme == "ssh"
        client = APIClient(
            self.url, version=version, timeout=timeout, tls=tls or False, use_ssh_client=ssh
        )
        client.trust_env = False  # REQUESTS_CA_BUNDLE would go before the engine's own CA
        client.reload_config(str(prepare() / "config.json"))
        return client
