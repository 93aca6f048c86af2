"""Slips of paper, one for each learner: who she is, her password, and the line that she types.

The QR code leads to the class's page with her login in it. The password is not in it: what a
telephone scans goes into its history, and often to whoever made the scanning program, and what
asks for a page stands in logs; the paper alone is seen by her only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from urllib.parse import quote

from dockerlab.classroom import addresses
from dockerlab.classroom.room import Login, Room
from dockerlab.classroom.telling import where
from dockerlab.classroom.ticket import Ticket
from dockerlab.engine import trust
from dockerlab.errors import CannotWrite, DockerlabError
from dockerlab.i18n import LANGUAGES, _, language, speaking
from dockerlab.widgets.html import render

FILE = "slips.html"


class SlipsThere(DockerlabError):
    """At `path` there is a file already, maybe with the only slips of others."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path

    def message(self) -> str:
        return _(
            "{path} is there already, and maybe some passwords stand nowhere else. No password "
            "was changed; choose another name with -o."
        ).format(path=self.path)


class NoAddress(DockerlabError):
    """It cannot be found out at which address this machine is in its network."""

    def message(self) -> str:
        return _(
            "The address of this machine cannot be found out: it is in no network now. Say it with "
            "--address HOST:PORT."
        )


def place(room: Room, text: str | None) -> str:
    """HOST:PORT for slips: what `text` says, else this machine's own address in its network."""
    if text:
        address = text if re.search(r":\d+$", text) else f"{text}:{room.port}"
        trust.check(address)
        return address
    if not addresses.found():
        raise NoAddress
    return where("0.0.0.0", room.port)


def renew(room: Room, logins: Sequence[str], address: str, path: Path) -> Path:
    """New passwords for these learners, on slips at `path`, which must not be there yet."""
    return write(room, (room.renew(login) for login in logins), address, path)


def write(room: Room, made: Iterable[Login], address: str, path: Path) -> Path:
    """A file of slips that only its owner may read.

    `made` is looked at when the file is there: no password changes for slips that cannot be.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SlipsThere(path) from None
    except OSError as error:
        raise CannotWrite(path, error.errno) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page(room, list(made), address))
    except BaseException:
        path.unlink()
        raise
    return path


def free(path: Path) -> Path:
    """`path`, or the first of slips-2.html, slips-3.html … that is not there."""
    others = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(one for one in others if not one.exists())


def page(room: Room, made: Sequence[Login], address: str) -> str:
    """The slips as one page in HTML, for paper of A4."""
    own = language()
    languages = [own, *(code for code in LANGUAGES if code != own)]
    slips = [(login, ticket(room, login.login, address)) for login in made]
    return render(
        "slips",
        "dockerlab.classroom",
        room=room,
        slips=slips,
        words={code: _words(code) for code in languages},
        qr=_qr,
    )


def ticket(room: Room, login: str, address: str) -> Ticket:
    """What this learner types to join."""
    return Ticket(login, address, room.seal)


def _words(code: str) -> Mapping[str, str]:
    with speaking(code):
        return {
            "login": _("Login"),
            "password": _("Password"),
            "address": _("Address"),
            "seal": _("Seal of the class"),
            "type": _("Type this line in a terminal, then the password:"),
            "keep": _("Nobody but you needs this slip."),
            "code": _("Where to read how"),
        }


def _qr(ticket: Ticket) -> str:
    """The code as an SVG; it leads to the class's page."""
    import segno

    where = f"https://{ticket.address}/?login={quote(ticket.login)}"
    code = segno.make_qr(where, error="m")
    return str(code.svg_inline(omitsize=True, border=3, light="#fff", title=where))
