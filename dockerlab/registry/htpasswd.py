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
from collections.abc import Callable
from pathlib import Path

from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.journal import log

_SETTING = "auth.htpasswd.path"
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}")  # 17 is htpasswd's limit
_KINDS = {"$apr1$": "MD5", "{SHA}": "SHA-1", "$5$": "SHA-256", "$6$": "SHA-512"}
_SECRET = 72  # bytes of a password that bcrypt looks at
_USUAL_COST = 10
_AT_ONCE = 2  # checks; each keeps a core busy
_REMEMBERED = 1000  # passwords that were right
_YOUNG = 2_000_000_000  # nanoseconds in which a file may change again without a newer date

Signature = tuple[int, ...]
Verify = Callable[[bytes, bytes], bool]  # whether a password fits a hash of bcrypt


def _verify(password: bytes, crypted: bytes) -> bool:
    import bcrypt

    return bcrypt.checkpw(password, crypted)


def add(path: Path, user: str, password: str, cost: int = _USUAL_COST) -> None:
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
    known = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    kept = [line for line in known.splitlines() if line.partition(":")[0].strip() != user]
    made = bcrypt.hashpw(secret, bcrypt.gensalt(cost)).decode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".htpasswd-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(f"{line}\n" for line in [*kept, f"{user}:{made}"]))
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


class Htpasswd:
    """The users of the file at `path`, and whether a password is right.

    Names and passwords are text in UTF-8, or whatever other bytes, as `surrogateescape` has them.
    """

    def __init__(self, path: Path, verify: Verify = _verify) -> None:
        try:
            self._content = path.read_bytes()
        except OSError as error:
            raise SettingsError(_SETTING, _not_there(path, error)) from None
        self._path, self._verify = path, verify
        self._signature: Signature | None = None
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
            entry = self._users.get(user, "")
            fits = await asyncio.to_thread(self._fits, _bytes(password), entry, self._cost)
            if not fits or self._users.get(user) != entry:
                return False
            self._right[self._mark(user, password)] = None
            while len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
            return True

    def _fits(self, password: bytes, entry: str, highest: int) -> bool:
        """The work is that of the highest cost, whatever the user's own: each one doubles it."""
        cost = int(entry[4:6]) if entry else highest
        hashes = [entry or _nobody(cost), *map(_nobody, range(cost, highest))]
        fits = [self._verify(password[:_SECRET], crypted.encode()) for crypted in hashes]
        return bool(entry) and fits[0]

    def _mark(self, user: str, password: str) -> bytes:
        """What stands for both: nobody without our key gets anything out of it."""
        return hmac.digest(self._key, _bytes(f"{len(user)}:{user}{password}"), "sha256")

    def _look(self) -> None:
        """Read the file again if it is another one; while it is gone, nobody may enter."""
        fault, signature, content = "", None, b""
        try:
            about = self._path.stat()
            dates = (about.st_mtime_ns, about.st_ctime_ns)
            if time.time_ns() - max(dates) > _YOUNG:
                signature = (*dates, about.st_size, about.st_ino)
            if signature and signature == self._signature:
                return
            content = self._path.read_bytes()
        except OSError as error:
            fault = _not_there(self._path, error)
        self._signature = signature if not fault else None
        if content != self._content:
            if fault:
                log("error", f"htpasswd: {fault}; nobody may enter")
            self._content = content
            self._right.clear()
            self._understand()

    def _understand(self) -> None:
        self._users: dict[str, str] = {}
        text = self._content.decode("utf-8", "surrogateescape")
        for number, line in enumerate(text.split("\n"), 1):
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
        self._cost = max(costs, default=_USUAL_COST)


def _not_there(path: Path, error: OSError) -> str:
    return f"open {path}: {os.strerror(error.errno or 0).lower()}"


def _fault(entry: str) -> str:
    user, colon, crypted = entry.partition(":")
    if not colon or not user:
        return "not USER:HASH"
    kind = next((name for start, name in _KINDS.items() if crypted.startswith(start)), "")
    found = f"a hash of {kind}" if kind else "something else"
    if crypted.startswith("$2"):
        found = "a bcrypt hash that is not whole, or whose cost is not from 4 to 17"
    return f'user "{user[:100]}" may not enter: bcrypt is needed (htpasswd -B), this is {found}'


def _nobody(cost: int) -> str:
    """A hash that takes as long as others of that cost, and that no password fits."""
    return f"$2b${cost:02}${'.' * 53}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
