"""A class from its start to Ctrl-C: the registry, the instructor's page and the mirror."""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockerlab.classroom import addresses, pages, telling
from dockerlab.classroom.access import Access
from dockerlab.classroom.images import lend
from dockerlab.classroom.quotas import Metered
from dockerlab.classroom.room import FOLDER, Room
from dockerlab.classroom.telling import Ports
from dockerlab.engine.home import home, private
from dockerlab.errors import DockerlabError, PortTaken
from dockerlab.hub.mirror import mirror
from dockerlab.hub.stock import gather
from dockerlab.i18n import _
from dockerlab.registry import journal
from dockerlab.registry.certificates import issue
from dockerlab.registry.chores import purging, regularly
from dockerlab.registry.gate import Gate
from dockerlab.registry.htpasswd import Htpasswd
from dockerlab.registry.journal import Journal, log
from dockerlab.registry.process import ServeError, Site, listen, run_all
from dockerlab.registry.server import application
from dockerlab.registry.settings import Limits, Seconds, UploadPurging
from dockerlab.registry.storage import Storage
from dockerlab.registry.tls import Secure
from dockerlab.registry.wrappers import attentive, bounded, polite

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_OPTIONS = {"registry": "--port", "page": "--page-port", "mirror": "--mirror-port"}
_REALM = "dockerlab classroom"
_LIMITS = Limits()
_LOOK = 3  # seconds between two looks at this machine's addresses
_TIDY = 5  # seconds until what was deleted makes room
_LEFT = UploadPurging(age=Seconds(3600), interval=Seconds(600))
Say = Callable[[str], object]


class ClassPortTaken(PortTaken):
    """Another program listens on the port that `option` names."""

    def __init__(self, port: int, option: str) -> None:
        super().__init__(port)
        self.option = option

    def message(self) -> str:
        return _(
            "Port {port} is taken, maybe by another class on this machine. Nothing was started. "
            "End that one, or choose another port with {option}."
        ).format(port=self.port, option=self.option)


class NotHere(DockerlabError):
    """`host` is no address of this machine."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def message(self) -> str:
        return _("{host} is no address of this machine. It has: {addresses}.").format(
            host=self.host, addresses=", ".join(["127.0.0.1", *addresses.found()])
        )


class InSession(DockerlabError):
    """Another process holds this class."""

    def message(self) -> str:
        return _("This class is open already, in another terminal; who is new may come in now.")


@dataclass(frozen=True)
class Plan:
    """How a class is to be served; `mirror` is None where there is to be none."""

    host: str
    registry: int
    page: int
    mirror: int | None
    quota: int


class _Sockets(NamedTuple):
    registry: socket.socket
    page: socket.socket
    mirror: socket.socket | None

    def ports(self) -> Ports:
        """Where they are; to be asked before they are served."""
        registry, page = (each.getsockname()[1] for each in (self.registry, self.page))
        return Ports(registry, page, self.mirror.getsockname()[1] if self.mirror else None)


def hold(room: Room, plan: Plan, say: Say) -> None:
    """Serve until SIGINT or SIGTERM; `say` is told what is where, and when that changes.

    ClassPortTaken, NotHere, InSession, or ServeError: then nothing was started.
    """
    with ExitStack() as stack:
        storage = Metered(private(room.folder / "registry"), plan.quota)
        if not storage.claim(resume=True):
            raise InSession
        stack.callback(storage.release)
        sockets = _listen(stack, plan)
        room.port = sockets.ports().registry
        room.save()
        stack.enter_context(_journal(room.log))
        stock = stack.enter_context(_stock(room.folder / "mirror"))
        stack.enter_context(purging(storage, _LEFT))
        stack.enter_context(regularly(_TIDY, storage.tidy, "tidying"))
        sites = [_registry(room, plan, storage, sockets, say), _page(room, storage, sockets.page)]
        if sockets.mirror:
            sites.append(Site(_App(mirror(stock)), sockets.mirror))
        text = telling.opening(room, plan.host, sockets.ports(), plan.quota)

        def ready(_port: int) -> None:
            say(text)
            threading.Thread(target=_lend, args=(stock, storage.root), daemon=True).start()

        run_all(sites, ready)


def remove() -> None:
    """Remove the class with all that belongs to it; InSession while it is open."""
    folder = home() / FOLDER
    storage = Storage(folder / "registry")
    if not storage.claim():
        raise InSession
    storage.release()
    shutil.rmtree(folder)


def _listen(stack: ExitStack, plan: Plan) -> _Sockets:
    wanted = {
        "registry": (plan.host, plan.registry),
        "page": ("127.0.0.1", plan.page),
        "mirror": (plan.host, plan.mirror),
    }
    sockets: dict[str, socket.socket | None] = {}
    for name, (host, port) in wanted.items():
        if port is None:
            sockets[name] = None
            continue
        try:
            sockets[name] = stack.enter_context(listen(host, port))
        except ServeError as error:
            if error.errno == errno.EADDRINUSE:
                raise ClassPortTaken(port, _OPTIONS[name]) from None
            if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
                raise NotHere(host) from None
            raise
    return _Sockets(**sockets)  # type: ignore[arg-type]


def _registry(room: Room, plan: Plan, storage: Metered, sockets: _Sockets, say: Say) -> Site:
    users = room.folder / "htpasswd"
    users.touch(0o600)
    registry = Access(application(storage, limits=_LIMITS))
    app = _split(Gate(registry, Htpasswd(users), _REALM), pages.learners(room))
    app = polite(bounded(attentive(app, _LIMITS.silence), _LIMITS.requests))
    ports = sockets.ports()
    certified = _Certified(room, plan.host, lambda: say(telling.moved(room, plan.host, ports)))
    renewed = certified.renewed if addresses.is_open(plan.host) else None
    return Site(Journal(app), sockets.registry, certified.secure(), renewed=renewed)


def _page(room: Room, storage: Metered, listener: socket.socket) -> Site:
    return Site(_App(pages.instructor(room, storage)), listener)


class _Certified:
    """The registry's certificate, which knows this machine by all its addresses."""

    def __init__(self, room: Room, host: str, moved: Callable[[], object]) -> None:
        self._folder, self._host, self._moved = room.folder, host, moved
        self._names: list[str] = []

    def secure(self) -> Secure:
        """One that holds now."""
        names = addresses.names(self._host)
        made = issue(self._folder / "tls", *names, authority=self._folder / "authority")
        self._names = names
        return Secure(made.certificate, made.key)

    async def renewed(self) -> Secure:
        """Another one, as soon as this machine has an address that is not in the present one."""
        here = addresses.found()
        while True:
            await asyncio.sleep(_LOOK)
            there = addresses.found()
            if not there or there == here:
                continue
            here = there
            try:
                if set(here) <= set(self._names):
                    self._moved()
                    continue
                made = await asyncio.to_thread(self.secure)
            except OSError as error:
                log("error", f"certificate: {error}")
                here = []
                continue
            self._moved()
            return made


def _split(registry: ASGIApp, page: ASGIApp) -> ASGIApp:
    """What begins with /v2 is the registry's, all else the page's."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_registrys = scope["path"] == "/v2" or scope["path"].startswith("/v2/")
        await (registry if is_registrys else page)(scope, receive, send)

    return answer


class _App:
    """An application that needs no journal."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _lend(stock: Storage, root: Path) -> None:
    """The course's images in the class's registry; the first time that takes its time."""
    try:
        lend(stock, Storage(root))
    except OSError as error:
        log("error", f"the course's images: {error}")


@contextmanager
def _journal(path: Path) -> Iterator[None]:
    """Meanwhile, the registry's log goes to a file, which begins anew; the old one is kept."""
    if path.exists():
        path.replace(path.with_suffix(".log.1"))
    with path.open("w", encoding="utf-8") as file:
        journal.configure(file=file)
        try:
            yield
        finally:
            journal.configure()


@contextmanager
def _stock(folder: Path) -> Iterator[Storage]:
    """The course's images as the mirror has them, which learners' never get into."""
    shutil.rmtree(folder, ignore_errors=True)  # of a class that was killed
    try:
        yield gather(folder).storage
    finally:
        shutil.rmtree(folder, ignore_errors=True)
