"""The class itself: what it is called, who is in it, and where the instructor's machine keeps that.

    room.json    {"version": 1, "name": NAME, "port": PORT, "learners": {LOGIN: FULL NAME}}
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
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dockerlab.engine import state
from dockerlab.engine.home import home, private
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _
from dockerlab.registry import certificates

FOLDER = "classroom"
REGISTRY_PORT, PAGE_PORT, MIRROR_PORT = 5443, 5480, 5999
_FILE = "room.json"
_VERSION = 1
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is easily taken for another one
_PARTS, _PART = 3, 4  # of a password: 59 bits
_SEAL = 10  # bytes of a digest
_LONGEST = 40  # characters of a login
_TAKEN = ("library",)  # by the course's images


class NoRoom(DockerlabError):
    """No class has been made here."""

    def message(self) -> str:
        return _("There is no class yet; “dockerlab classroom” makes one.")


class NoLearner(DockerlabError):
    """Nobody in the class has this `login`; `near` are some that somebody has."""

    def __init__(self, login: str, near: Iterable[str] = ()) -> None:
        super().__init__(login, *near)
        self.login, self.near = login, list(near)

    def message(self) -> str:
        said = _("Nobody in the class has the login “{login}”.").format(login=self.login)
        near = _("Did you mean {logins}?").format(logins=", ".join(self.near))
        return f"{said} {near}" if self.near else said


class DamagedRoom(state.Damaged):
    """The file that says who is in the class cannot be read."""

    def message(self) -> str:
        return _(
            "The file {path} is damaged, so nobody knows who is in the class. What was pushed is "
            "still in the folder beside it. “dockerlab classroom forget” removes all of it."
        ).format(path=self.path)


@dataclass(frozen=True)
class Login:
    """A learner's way in, as it is on her slip: the names of her images begin with `login`."""

    login: str
    name: str
    password: str = field(repr=False)


@dataclass
class Room:
    """A class whose data is in `folder`; `learners` maps logins to full names.

    `port` is where its registry was last.
    """

    folder: Path
    name: str
    learners: dict[str, str] = field(default_factory=dict)
    port: int = REGISTRY_PORT

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
        about: dict[str, Any] = {"version": _VERSION, "name": self.name, "port": self.port}
        data = {**about, "learners": self.learners}
        state.write(private(self.folder) / _FILE, data, indent=" ")

    @property
    def log(self) -> Path:
        """Where the registry writes what it is asked for."""
        return self.folder / "registry.log"

    @property
    def seal(self) -> str:
        """A short fingerprint of the authority, by which a learner knows that it is this class."""
        return seal((self.folder / "authority" / "ca.crt").read_text("ascii"))


def find(folder: Path | None = None) -> Room | None:
    """The class that was held here before, if any; Damaged if its file cannot be read."""
    folder = folder or home() / FOLDER
    try:
        data = state.read(folder / _FILE)
        port = int(data.get("port", REGISTRY_PORT))
        return Room(folder, str(data["name"]), dict(data["learners"]), port)
    except FileNotFoundError:
        return None
    except (state.Damaged, KeyError, TypeError, ValueError):
        raise DamagedRoom(folder / _FILE) from None


def present(login: str = "") -> Room:
    """The class that there is, with `login` in it; NoRoom, NoLearner."""
    room = find()
    if room is None:
        raise NoRoom
    if login and login not in room.learners:
        raise NoLearner(login, get_close_matches(login, room.learners))
    return room


def opened(name: str, learners: Iterable[str] = ()) -> Room:
    """The class that there is, else a new one; with this name, and these learners in it, too.

    Who is in it already keeps her password.
    """
    room = find()
    if room is None or (name and name != room.name):
        room = room or Room(home() / FOLDER, _("Docker class"))
        room.name = name or room.name
        room.save()
    certificates.authority(room.folder / "authority")
    there = set(room.learners.values())
    room.add(each for each in learners if each not in there)
    return room


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
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST].strip("-")
    is_latin = bool(re.search("[a-z]", stem))
    stem, number = (stem, 2) if is_latin else ("learner", 1)
    free = stem if is_latin else f"{stem}-1"
    while free in taken or free in _TAKEN:
        free, number = f"{stem}-{number}", number + 1
    return free
