"""Bearer tokens that this registry gives to itself, so that docker can also read without a login.

docker sends a password only to a registry that asks for one at /v2/, and reads nothing from a
registry that asks for one and gets none. With tokens it asks at /token first, with its password
or without one. https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timezone

_LIFE = 300  # seconds
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
PATH = "/token"


class Tokens:
    """Makes tokens for users ("" is everybody), and reads them.

    `entry(user)` is what the password file says: a token ends when that changes.
    """

    def __init__(self, entry: Callable[[str], str]) -> None:
        self._entry, self._key = entry, secrets.token_bytes(32)

    def issue(self, user: str) -> bytes:
        """The answer of a token server."""
        now = int(time.time())
        facts = json.dumps([user, now + _LIFE]).encode()
        token = f"{_text(facts)}.{_text(self._sign(facts, user))}"
        issued = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = {"token": token, "access_token": token, "expires_in": _LIFE, "issued_at": issued}
        return json.dumps(answer).encode()

    def user(self, token: str) -> str | None:
        """Whose token it is; None if it is not ours, or no longer good."""
        text, _, signature = token.partition(".")
        try:
            facts = base64.urlsafe_b64decode(text)
            user, end = json.loads(facts)
            right = self._sign(facts, user)
            signed = base64.urlsafe_b64decode(signature)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        good = hmac.compare_digest(right, signed) and time.time() < end
        return user if good and (user == "" or self._entry(user)) else None

    def _sign(self, facts: bytes, user: str) -> bytes:
        entry = self._entry(user) if user else ""
        return hmac.digest(self._key, facts + b"\0" + entry.encode(), "sha256")


def challenge(origin: str, service: str, scope: str) -> str:
    """`WWW-Authenticate` that sends a client to `origin`/token."""
    wanted = f",scope={quoted(scope)}" if scope else ""
    return f"Bearer realm={quoted(origin + PATH)},service={quoted(service)}{wanted}"


def quoted(text: str) -> str:
    """A quoted-string of RFC 9110."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_host(text: str) -> bool:
    """Whether a Host header can be a part of a URL."""
    return bool(_HOST.fullmatch(text))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
