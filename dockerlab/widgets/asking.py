"""How the registry browser asks its registry, logs in there, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dockerlab.errors import CannotWrite, DockerlabError, Unauthorized, Unavailable
from dockerlab.i18n import _
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.registry.client import Registry


class Asking(View):
    """The part of the registry browser that asks the registry at `address`.

    `problem` says why nothing is known of it now, `locked` whether a login would help, `user` who
    was not let in; `notice` and `alert` what came of the last thing that the learner did.
    """

    address: str
    engine: Engine | None
    warnings: tuple[str, ...] = ()
    problem = notice = alert = user = ""
    locked = asking = False
    _tried = 0

    def look(self) -> None:
        """Ask for what there is."""
        raise NotImplementedError

    @property
    def may_be_let_in(self) -> bool:
        """Whether asking again may help; a login that was refused is not sent twice."""
        return not self.locked or self._login_file() != self._tried

    def on_login(self, value: Any) -> None:
        """Log in as docker does: the registry is asked, then the lab's docker config keeps it."""
        from dockerlab.engine.credentials import Login

        engine = self.engine
        login = Login(str(value.get("user", "")).strip(), str(value.get("password", "")).strip())
        if not login.username or not login.password or engine is None:
            self.alert = _("A login needs both a user and a password.")
            return
        self.asking = True

        def work() -> None:
            try:
                engine.authenticate(self.address, login)
                engine.credentials.store(self.address, login)
            except (DockerlabError, OSError) as error:
                if isinstance(error, OSError):
                    error = CannotWrite(engine.credentials.path, error.errno)
                self.asking, self.user = False, login.username
                said = _("You were not let in. Docker says: {reason}")
                self.alert = said.format(reason=error.message())
                return
            self.notice, self.user = _("You are logged in."), ""
            self.look()

        self.in_background(work)

    def ask(self, work: Callable[[Registry], None]) -> None:
        """Ask the registry for something, beside the kernel."""

        def run() -> None:
            with self.client() as registry:
                work(registry)

        self.in_background(run)

    @contextmanager
    def client(self) -> Iterator[Registry]:
        """A client of the registry; what goes wrong is the registry's problem, and is shown."""
        from dockerlab.registry.client import Registry

        connect = self.engine.connect if self.engine else Registry
        self._tried = self._login_file()
        try:
            with connect(self.address) as registry:
                yield registry
        except DockerlabError as error:
            self.locked = isinstance(error, Unauthorized) and self.engine is not None
            self.problem = problem(self.address, error)

    def _login_file(self) -> int:
        """When the logins of the lab were last changed."""
        try:
            return self.engine.credentials.path.stat().st_mtime_ns if self.engine else 0
        except OSError:
            return 0


def problem(address: str, error: DockerlabError) -> str:
    """Why it is not known what a registry holds."""
    if isinstance(error, Unavailable):
        said = _("Nobody answers at {address} ({detail}). Is the registry running?")
        if error.detail.startswith("x509: "):
            said = _("The certificate of {address} is not to be trusted: {detail}.")
        return said.format(address=address, detail=error.detail)
    if isinstance(error, Unauthorized):
        return _("The registry at {address} wants a login first.").format(address=address)
    said = _("What answers at {address} does not behave like a registry. {error}")
    return said.format(address=address, error=error)
