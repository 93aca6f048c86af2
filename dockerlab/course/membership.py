"""The class that the learner has joined, kept in two files of the lab's own folder.

    classroom.json   {"address", "login", "seal", "class", "share"}
    classroom.crt    the certificate of the class's authority

Her password is where docker keeps it, with the lab's other logins.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockerlab.course.site import Site
from dockerlab.engine import state
from dockerlab.engine.credentials import FOLDER, Credentials
from dockerlab.engine.home import home, private

_FILE, _AUTHORITY = "classroom.json", "classroom.crt"


@dataclass(frozen=True)
class Membership:
    """Where the class is, who she is there, and whether she shares how far she is."""

    address: str
    login: str
    seal: str
    name: str  # of the class
    share: bool

    def keep(self, ca: str) -> None:
        """Write it down, with the authority's certificate."""
        folder = private(home())
        partial = authority().with_suffix(".partial")
        partial.write_text(ca, "ascii")
        partial.replace(authority())
        data = {"address": self.address, "login": self.login, "seal": self.seal}
        state.write(folder / _FILE, {**data, "class": self.name, "share": self.share}, indent=" ")

    def site(self, patience: float) -> Site | None:
        """The class's site as she may use it; None if her login is gone."""
        known = Credentials(home() / FOLDER).find(self.address)
        if known is None or known.username != self.login:
            return None
        ca = authority().read_text("ascii")
        return Site(self.address, ca, known.username, known.password, patience)


def authority() -> Path:
    """The file with the certificate of the class's authority."""
    return home() / _AUTHORITY


def find() -> Membership | None:
    """The class that she has joined; None if there is none, or its file makes no sense."""
    if not (home() / _FILE).exists():
        return None
    try:
        data = state.read(home() / _FILE)
        address, login, seal, name = (data[key] for key in ("address", "login", "seal", "class"))
    except (OSError, KeyError, RecursionError, state.Damaged):
        return None
    if not all(isinstance(text, str) for text in (address, login, seal, name)):
        return None
    return Membership(address, login, seal, name, data.get("share") is True)


def forget() -> None:
    """Take both files away."""
    for path in (home() / _FILE, authority()):
        with suppress(FileNotFoundError):
            path.unlink()
