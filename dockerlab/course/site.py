"""HTTPS with the site of a class, believed by the class's own authority and nobody else's."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_MOST = 256 * 1024  # bytes of an answer; who says more is no class


@dataclass(frozen=True)
class Site:
    """The site at `address` (HOST:PORT), asked as `login`; any certificate will do without `ca`."""

    address: str
    ca: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    patience: float = 10  # seconds for each step

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """The status and the body of its answer; OSError or HTTPException without one."""
        where = urlsplit(f"//{self.address}")
        if self.ca:
            context = ssl.create_default_context(cadata=self.ca)
        else:
            context = ssl._create_unverified_context()
        host = where.hostname or ""
        link = http.client.HTTPSConnection(host, where.port, timeout=self.patience, context=context)
        with closing(link):
            content = None if body is None else json.dumps(body).encode()
            link.request(method, path, content, self._headers())
            with link.getresponse() as answer:
                return answer.status, answer.read(_MOST)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.login:
            packed = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {packed}"
        return headers
