"""Who may enter: an htpasswd file, with bcrypt's hashes only, read again when it changes."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import secrets
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.journal import log

_SETTING = "auth.htpasswd.path"
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_KINDS = {"$apr1$": "MD5", "{SHA}": "SHA-1", "$5$": "SHA-256", "$6$": "SHA-512"}
_SECRET = 72  # bytes of a password that bcrypt looks at
_USUAL_COST = 10
_AT_ONCE = 2  # checks; each keeps a core busy
_REMEMBERED = 1000  # passwords that were right
_YOUNG = 2_000_000_000  # nanoseconds in which a file may change again without a newer date

Signature = tuple[int, int, int]


def add(path: Path, user: str, password: str) -> None:
    """Let a user in with this password, whatever the file at `path` said of her before.

    Only the file's owner may read it, and a container's root, as which a registry runs. ValueError
    if no such login can be in the file.
    """
    import bcrypt

    secret = password.encode()
    if not user or not user.isprintable() or ":" in user or user != user.strip() or user[0] == "#":
        raise ValueError(user)
    if not 0 < len(secret) <= _SECRET or b"\0" in secret:
        raise ValueError(user)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition(":")[0].strip() != user]
    made = bcrypt.hashpw(secret, bcrypt.gensalt(_USUAL_COST)).decode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".htpasswd-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in [*kept, f"{user}:{made}"]))
    os.replace(name, path)


class Htpasswd:
    """The users of the file at `path`, and whether a password is right."""

    def __init__(self, path: Path) -> None:
        try:
            self._content = path.read_bytes()
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise SettingsError(_SETTING, f"open {path}: {reason}") from None
        self._path = path
        self._signature: Signature | None = None
        self._is_missing = False
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._understand()

    def entry(self, user: str) -> str:
        """What the file now says of a user, "" if nothing."""
        self._look()
        return self._users.get(user, "")

    def knows(self, user: str, password: str) -> bool:
        """Whether this password was right before; bcrypt is spared then."""
        self._look()
        mark = self._mark(user, password)
        if mark in self._right:
            self._right.move_to_end(mark)
            return True
        return False

    async def check(self, user: str, password: str) -> bool:
        """Whether the password is right; a user who is not there takes as long as one who is."""
        async with self._turn:
            if self.knows(user, password):
                return True
            entry, mark = self._users.get(user), self._mark(user, password)
            fits = await asyncio.to_thread(_fits, password, entry or self._nobody)
            if not entry or not fits or self._users.get(user) != entry:
                return False
            self._right[mark] = None
            while len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
            return True

    def _mark(self, user: str, password: str) -> bytes:
        """What stands for both: nobody without our key gets anything out of it."""
        return hmac.digest(self._key, f"{len(user)}:{user}{password}".encode(), "sha256")

    def _look(self) -> None:
        """Read the file again if it is another one; one that is gone counts until it is back."""
        try:
            about = self._path.stat()
            signature = (about.st_mtime_ns, about.st_size, about.st_ino)
            if signature == self._signature:
                return
            content = self._path.read_bytes()
        except OSError as error:
            if not self._is_missing:
                reason = os.strerror(error.errno or 0).lower()
                log("warning", f"htpasswd: open {self._path}: {reason}; its last users stay")
            self._is_missing = True
            return
        is_old = time.time_ns() - about.st_mtime_ns > _YOUNG
        self._signature, self._is_missing = (signature if is_old else None), False
        if content != self._content:
            self._content = content
            self._right.clear()
            self._understand()

    def _understand(self) -> None:
        self._users: dict[str, str] = {}
        for number, line in enumerate(self._content.decode("utf-8", "replace").splitlines(), 1):
            entry = line.strip()
            if not entry or entry.startswith("#"):
                continue
            user, colon, crypted = entry.partition(":")
            if colon and user and _BCRYPT.fullmatch(crypted):
                self._users[user] = crypted
            else:
                self._users.pop(user, None)
                log("error", f"htpasswd: line {number} of {self._path}: {_fault(entry)}")
        costs = [int(crypted[4:6]) for crypted in self._users.values()]
        self._nobody = _hash_of_nobody(max(costs, default=_USUAL_COST))


def _fault(entry: str) -> str:
    user, colon, crypted = entry.partition(":")
    if not colon or not user:
        return "not USER:HASH"
    kind = next((name for start, name in _KINDS.items() if crypted.startswith(start)), "")
    found = f"a hash of {kind}" if kind else "something else"
    if crypted.startswith("$2"):
        found = "a bcrypt hash that is not whole"
    return f'user "{user[:100]}" may not enter: bcrypt is needed (htpasswd -B), this is {found}'


def _hash_of_nobody(cost: int) -> str:
    """A hash that takes as long as others, and that no password fits."""
    import bcrypt

    return bcrypt.gensalt(cost).decode() + "." * 31


def _fits(password: str, crypted: str) -> bool:
    import bcrypt

    try:
        return bcrypt.checkpw(password.encode()[:_SECRET], crypted.encode())
    except ValueError:
        return False
