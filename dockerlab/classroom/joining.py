"""How a learner comes into a class and out again.

The class shows its authority's certificate, which must have the seal that is on the slip; from
there on nobody else is believed. Only then the password is asked for. What is kept is kept at the
end, when all of it is known to be right: the certificate where the lab's docker hosts look for it,
the login as docker keeps it, and what `course.membership` keeps.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from dockerlab.classroom import mistakes
from dockerlab.classroom.room import seal
from dockerlab.classroom.ticket import Ticket, differences, parse
from dockerlab.course import membership, progress, sharing
from dockerlab.course.membership import Membership
from dockerlab.course.site import Site
from dockerlab.engine import trust
from dockerlab.engine.credentials import Login
from dockerlab.engine.home import home

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

_OTHER_NAME = (62, 64)  # OpenSSL's numbers: a host's name, an address
_OTHER_TIME = (9, 10)  # not valid yet, not valid any more
_GONE = 5  # seconds for a class that one leaves
_SLOWED = 40  # seconds; who guesses passwords is made to wait


@dataclass(frozen=True)
class Door:
    """A class that has proved itself: it is called `name`, and knows the login of the ticket."""

    ticket: Ticket
    name: str
    ca: str

    @property
    def before(self) -> Membership | None:
        """Whether she is in this class already, by this login."""
        there = membership.find()
        same = there and (there.address, there.login) == (self.ticket.address, self.ticket.login)
        return there if same else None

    def enter(
        self, password: str, share: bool | None, ask: Callable[[], bool], engine: Engine
    ) -> Membership:
        """Join, and leave the class that she was in, if it is another one.

        WrongPassword, TooOften: all is as before. She shares how far she is if `share` says so;
        where it says nothing, as she did before, or as `ask` says.
        """
        password = _tidy(password)
        self._show(password)
        if share is None:
            share = self.before.share if self.before else ask()
        there = membership.find()
        if there and (not self.before or (there.share and not share)):
            _withdraw(there)
        if there and there.address != self.ticket.address:
            _take_away(there, engine)
        made = Membership(self.ticket.address, self.ticket.login, seal(self.ca), self.name, share)
        self._keep(made, password, engine)
        if share:
            with suppress(OSError, http.client.HTTPException):  # the next time will do
                sharing.send(sharing.summary(progress.load().data))
        return made

    def _show(self, password: str) -> None:
        site = Site(self.ticket.address, self.ca, self.ticket.login, password, _SLOWED)
        status, _body = _asked(site, "/v2/")
        if status == 429:
            raise mistakes.TooOften(self.ticket.login)
        if status != 200:
            raise mistakes.WrongPassword(self.ticket.login, password)

    def _keep(self, made: Membership, password: str, engine: Engine) -> None:
        try:
            trust.believe(home(), made.address, self.ca.encode())
            engine.credentials.store(made.address, Login(made.login, password))
            made.keep(self.ca)
        except BaseException:
            if membership.find() is None:
                with suppress(OSError):
                    _take_away(made, engine)
            raise


def knock(line: str) -> Door:
    """The class that a line from a slip leads to, once it has shown that it is that class."""
    ticket = parse(line)
    address = ticket.address
    stranger = Site(address)
    status, content = _asked(stranger, "/ca.crt")
    try:  # of what was sent, only what the seal is made of is believed
        der = ssl.PEM_cert_to_DER_cert(content.decode("ascii", "replace"))
        ca = ssl.DER_cert_to_PEM_cert(der)
        seen = seal(ca)
    except ValueError:
        raise mistakes.NoClass(address) from None
    if status != 200:
        raise mistakes.NoClass(address)
    if wrong := differences(ticket.seal, seen):
        raise mistakes.OtherClass(address, _about(stranger, ticket.login)[0], wrong == 1)
    name, known = _about(Site(address, ca), ticket.login)
    if not known:
        raise mistakes.UnknownLogin(ticket.login, name)
    return Door(ticket, name, ca)


def leave(engine: Engine) -> tuple[Membership, bool]:
    """Which class was left, and whether it has nothing more of what was shared."""
    there = membership.find()
    if there is None:
        raise mistakes.NotJoined
    withdrawn = _withdraw(there)
    _take_away(there, engine)
    return there, withdrawn


def _withdraw(there: Membership) -> bool:
    """Ask the class to forget what was shared; whether there is nothing of it there."""
    if not there.share:
        return True
    try:
        site = there.site(_GONE)
        return site is not None and site.ask("DELETE", "/progress")[0] == 204
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _take_away(there: Membership, engine: Engine) -> None:
    membership.forget()
    engine.credentials.erase(there.address)
    trust.doubt(home(), there.address)


def _about(site: Site, login: str) -> tuple[str, bool]:
    """What a class says of itself: its name, and whether it knows a login."""
    status, content = _asked(site, f"/about?login={quote(login)}")
    try:
        data = json.loads(content)
        name, known = data["class"], data["known"]
    except (ValueError, KeyError, TypeError):
        raise mistakes.NoClass(site.address) from None
    if status != 200 or not isinstance(name, str) or not isinstance(known, bool):
        raise mistakes.NoClass(site.address)
    return "".join(sign for sign in name if sign.isprintable())[:100], known


def _asked(site: Site, path: str) -> tuple[int, bytes]:
    """The answer to a GET; if there is none, the mistake that it comes of."""
    try:
        return site.ask("GET", path)
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(error.verify_code)(site.address) from None
    except (ssl.SSLError, http.client.HTTPException):
        raise mistakes.NoClass(site.address) from None
    except (OSError, UnicodeError):
        raise mistakes.Silent(site.address) from None


def _untrusted(code: int) -> type[mistakes.Silent]:
    if code in _OTHER_NAME:
        return mistakes.OtherAddress
    return mistakes.WrongClock if code in _OTHER_TIME else mistakes.InBetween


def _tidy(password: str) -> str:
    """As it is on the slip, whether it was typed with blanks, in capitals, or without the -."""
    plain = "".join(sign for sign in password.lower() if sign.isalnum())
    if len(plain) != 12:
        return password.strip()
    return "-".join(plain[at : at + 4] for at in range(0, 12, 4))
