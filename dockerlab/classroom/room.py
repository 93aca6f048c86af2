"""The class itself: what it is called, who is in it, and where the instructor's machine keeps that.

    room.json    {"version": 1, "name": NAME, "learners": {LOGIN: FULL NAME}}
    htpasswd     the registry's users: hashes of their passwords
    authority/   the class's own certificate authority, ca.crt and ca.key
    registry/    what is pushed, as a registry keeps it
    reports/     what learners share of their progress, LOGIN.json

A password is known only when it is made, and stands on the learner's slip and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerlab.engine import state
from dockerlab.engine.home import home, private

FOLDER = "classroom"
REGISTRY_PORT, PAGE_PORT, MIRROR_PORT = 5443, 5480, 5999
_FILE = "room.json"
_VERSION = 1
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is easily taken for another one
_PARTS, _PART = 3, 4  # of a password: 59 bits
_SEAL = 10  # bytes of a digest


@dataclass(frozen=True)
class Login:
    """A learner's way in, as it is on her slip: the names of her images begin with `login`."""

    login: str
    name: str
    password: str = field(repr=False)


@dataclass
class Room:
    """A class whose data is in `folder`; `learners` maps logins to full names."""

    folder: Path
    name: str
    learners: dict[str, str] = field(default_factory=dict)

    def add(self, names: Iterable[str]) -> list[Login]:
        """Let learners in; one who is there already gets a new password, the old one ends."""
        made = []
        for name in names:
            known = {full: login for login, full in self.learners.items()}
            login = known.get(name) or _free(name, self.learners)
            made.append(self.renew(login, name))
        return made

    def renew(self, login: str, name: str = "") -> Login:
        """A new password for one learner."""
        from dockerlab.registry import htpasswd

        made = Login(login, name or self.learners[login], _password())
        htpasswd.add(self.folder / "htpasswd", made.login, made.password)
        self.learners[login] = made.name
        self.save()
        return made

    def save(self) -> None:
        """Write what is to be kept."""
        data: dict[str, Any] = {"version": _VERSION, "name": self.name, "learners": self.learners}
        state.write(private(self.folder) / _FILE, data, indent=" ")

    @property
    def seal(self) -> str:
        """A short fingerprint of the authority, by which a learner knows that it is this class."""
        return seal((self.folder / "authority" / "ca.crt").read_text("ascii"))


def find(folder: Path | None = None) -> Room | None:
    """The class that was held here before, if any; Damaged if its file cannot be read."""
    folder = folder or home() / FOLDER
    try:
        data = state.read(folder / _FILE)
    except FileNotFoundError:
        return None
    return Room(folder, str(data["name"]), dict(data["learners"]))


def seal(certificate: str) -> str:
    """The fingerprint of a certificate (PEM) as people read it: `k7p2-9xq4-…`, 80 bits."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest()[:_SEAL]
    text = base64.b32encode(digest).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _password() -> str:
    parts = ("".join(secrets.choice(_LETTERS) for _ in range(_PART)) for _ in range(_PARTS))
    return "-".join(parts)


def _free(name: str, taken: Iterable[str]) -> str:
    """A login for somebody of that name, which a repository's name may have as a part."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "learner"
    free, number = stem, 2
    while free in taken:
        free, number = f"{stem}-{number}", number + 1
    return free
