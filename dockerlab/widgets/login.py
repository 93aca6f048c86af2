"""A form for `docker login`: what travels, where the login is kept, and what logging out removes.

The password goes to docker's standard input and nowhere else. Whoever wants to see what became of
it reads docker's own file again, and the answer is whispered to the page.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dockerlab.course.causes import explained
from dockerlab.course.explain import Meaning
from dockerlab.course.requests import meaning
from dockerlab.engine import second, serving, trust
from dockerlab.engine.credentials import FILE, FOLDER, HUB, HUB_KEY, Login, key
from dockerlab.engine.observing import observing
from dockerlab.errors import DockerlabError, EngineError
from dockerlab.i18n import _
from dockerlab.registry.events import observed
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.registry.exchange import Exchange

HIDDEN = "••••••"


class Trip(NamedTuple):
    """A request of a login as it is shown: the headers that matter, and what it means."""

    asked: str
    signed: str  # the header with the login, masked
    status: int
    wants: str  # the header that asks for a login
    means: str


class LoginView(View):
    """Log in at a registry, and out again."""

    template = "login"

    def __init__(
        self, engine: Engine, registry: str = "", user: str = "", context: str = ""
    ) -> None:
        self.registry = HUB if registry in ("", HUB, HUB_KEY) else registry
        trust.check(self.registry)
        self.engine, self.user = second.at(engine, context or engine.host), user
        self._host = ("--context", context) if context else ()
        self.refusal = ""  # why nobody can log in there
        self.busy = False
        self.said = ""  # by docker
        self.meaning: Meaning | None = None
        self.exchanges: list[Exchange] = []
        self.again = False  # they were asked again, by the lab, only to be seen
        self.arrived = False  # the last login was let in
        self.removed = ""  # the entry that the last logout took away
        self.told: set[str] = set()  # what has been decoded on the page
        try:
            self.engine.expect_login(self.registry)
        except EngineError as error:
            self.refusal = error.message()

    @property
    def title(self) -> str:
        """What the form is for."""
        return _("Login at {registry}").format(registry=self.registry)

    @property
    def name(self) -> str:
        """Who is logged in there; "" if nobody is."""
        login = self.engine.credentials.find(self.registry)
        return login.username if login else ""

    @property
    def status(self) -> str:
        """Who is logged in, in words."""
        name = self.name
        return _("Logged in as {user}.").format(user=name) if name else _("Not logged in.")

    @property
    def entry(self) -> str:
        """What docker keeps, as in its file, without the secret."""
        kept = {"auths": {key(self.registry): {"auth": HIDDEN}}}
        return json.dumps(kept, indent=2, ensure_ascii=False)

    @property
    def path(self) -> Path:
        """The file that docker keeps it in."""
        return self.engine.credentials.path

    @property
    def file(self) -> str:
        """The file's name, the same on every machine."""
        return f"{FOLDER}/{FILE}"

    @property
    def mode(self) -> str:
        """Who may read that file, as `ls` and `chmod` count; "" where nobody counts so."""
        with suppress(OSError):
            mode = self.path.stat().st_mode & 0o777
            return f"{mode:04o}" if not mode & 0o077 else ""
        return ""

    @property
    def helper(self) -> str:
        """The program that docker gives its logins to instead; "" if there is none."""
        from dockerlab.engine.docker import config

        settings = config.read(self.path.parent)
        helpers = settings.get("credHelpers") or {}
        return str(helpers.get(key(self.registry)) or settings.get("credsStore") or "")

    @property
    def trips(self) -> list[Trip]:
        """The requests of the last login."""
        return [_trip(exchange) for exchange in self.exchanges]

    @property
    def is_open(self) -> bool:
        """Whether the registry asked for no login at all."""
        return bool(self.exchanges) and all(each.status == 200 for each in self.exchanges)

    @property
    def signed(self) -> bool:
        """Whether the login that is kept is the one that travelled."""
        return self.arrived and any(trip.signed.startswith("Basic") for trip in self.trips)

    @property
    def is_plain(self) -> bool:
        """Whether it travelled over HTTP, which anybody on the way can read."""
        asked = zip(self.exchanges, self.trips, strict=True)
        return any(exchange.scheme == "http" and trip.signed for exchange, trip in asked)

    @property
    def token(self) -> bool:
        """Whether the registry took a token, which another address gave for the password."""
        return any(trip.wants.lower().startswith("bearer") for trip in self.trips)

    def __repr__(self) -> str:
        return f"{self.title}\n{self.refusal or self.status}"

    def log_in(self, password: str) -> None:
        """Log in now, as `docker login --password-stdin` does; EngineError in docker's words."""
        if self.refusal:
            raise EngineError(self.refusal)
        self._begin()
        if self._log_in(self.user, password.encode()):
            raise EngineError(self.said)

    def on_log_in(self, value: Any) -> None:
        """Log in as `docker login` does, with what was typed."""
        typed = str(value.pop("password", "")).encode()
        user = self.user = str(value.get("user", "")).strip()
        if self.busy or self.refusal:
            return
        if not user or not typed:
            raise EngineError(_("Type a user name and a password."))
        if ":" in user or not user.isprintable():
            raise EngineError(
                _(
                    "A user name has no colon in it: what travels is user:password, and everything "
                    "after the first colon counts as the password."
                )
            )
        self._begin()
        self.in_background(lambda: self._log_in(user, typed))

    def on_log_out(self, value: Any) -> None:
        """Log out as `docker logout` does."""
        if self.busy:
            return
        before, entry = self.name, self.entry
        self._begin()
        self._docker("logout")
        self.removed = entry if before and not self.name else ""
        self.busy = False

    def on_look(self, value: Any) -> None:
        """Ask the registry again with the login that is kept, to see what travels."""
        if not self.busy:
            self._begin()
            self.in_background(self._look)

    def on_decode(self, value: Any) -> None:
        """Whisper what is hidden; a second time, take it away again."""
        which = str(value)
        if which in self.told:
            self._whisper(which, "", "")
            self.told.discard(which)
        elif login := self.engine.credentials.find(self.registry):
            plain, packed = _packed(login)
            shown = f"Authorization: Basic {packed}" if which == "header" else f'"auth": "{packed}"'
            self._whisper(which, shown, plain)
            self.told.add(which)

    def _begin(self) -> None:
        for which in self.told:
            self._whisper(which, "", "")
        self.told.clear()
        self.busy, self.said, self.meaning, self.removed = True, "", None, ""
        self.exchanges, self.again, self.arrived = [], False, False

    def _whisper(self, which: str, shown: str, plain: str) -> None:
        self.whisper(which, shown)
        self.whisper(f"{which}-plain", plain)

    def _log_in(self, user: str, typed: bytes) -> int:
        try:
            with observing(self.exchanges.append):
                status = self._docker(
                    "login", f"--username={user}", "--password-stdin", typed=typed
                )
            self.arrived = status == 0
            if self.arrived and not self.exchanges:
                self._look()
            return status
        finally:
            self.busy = False

    def _look(self) -> None:
        """A Docker Engine does not say what it sends; so the same is asked once more from here."""
        try:
            with (
                suppress(DockerlabError),
                observing(self.exchanges.append),
                self.engine.connect(self.registry) as client,
            ):
                client.ping()
            self.again = True
            self.arrived = bool(self.exchanges) and self.exchanges[-1].status == 200
        finally:
            self.busy = False

    def _docker(self, command: str, *options: str, typed: bytes = b"") -> int:
        server = () if self.registry == HUB else (self.registry,)
        words, out = [*self._host, command, *options, *server], StringIO()
        status = serving.serve_typed(words, out, typed)
        self.said = out.getvalue().strip()
        self.meaning = explained(self.said, words, self.engine) if status else None
        return status


def _trip(exchange: Exchange) -> Trip:
    asked = {name.lower(): value for name, value in exchange.request.headers}
    answered = {name.lower(): value for name, value in exchange.response.headers}
    refused = exchange.status == 401 and "authorization" in asked
    where = exchange.path + ("?" + exchange.query if exchange.query else "")
    return Trip(
        f"{exchange.method} {exchange.scheme}://{exchange.host}{where}",
        asked.get("authorization", ""),
        exchange.status,
        answered.get("www-authenticate", "") if exchange.status == 401 else "",
        _("No, this user name or this password is not right.")
        if refused
        else str(meaning(observed(exchange))),
    )


def _packed(login: Login) -> tuple[str, str]:
    """`user:password`, and as it travels."""
    plain = f"{login.username}:{login.password}"
    return plain, base64.b64encode(plain.encode()).decode()
