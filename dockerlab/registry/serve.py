"""A registry as a process: `python -m dockerlab.registry.serve [CONFIG] [--root DIR] …`."""

from __future__ import annotations

import argparse
import os
import posixpath
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dockerlab.registry import journal
from dockerlab.registry.chores import purging
from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.debug import Debug
from dockerlab.registry.gate import Gate
from dockerlab.registry.htpasswd import Htpasswd
from dockerlab.registry.journal import Journal, log
from dockerlab.registry.metrics import Figures
from dockerlab.registry.process import ServeError, Site, leave, listen, run_all
from dockerlab.registry.server import application
from dockerlab.registry.settings import Settings, load
from dockerlab.registry.storage import Storage
from dockerlab.registry.tls import secure
from dockerlab.registry.values import Address
from dockerlab.registry.wrappers import attentive, bounded, polite, read_only, with_headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_CONFIGURATION = "REGISTRY_CONFIGURATION_PATH"
_NOWHERE = Address("127.0.0.1", 0)  # nobody is told which port it is


def main(argv: Sequence[str] | None = None) -> int:
    """Run with registry:2's settings; 2 after SIGTERM, as that one exits."""
    options = _parser().parse_args(argv)
    try:
        given = (options.config, options.root, options.host, options.port)
        settings = configured(*given, place=placing(options.place))
        settings = settings if options.ports is None else _inside(settings, options.ports)
        ended_by = serve(settings, hub=options.hub)
    except SettingsError as error:
        log("fatal", as_inside(str(error.named(os.environ)), options.place))
        return 1
    except ServeError as error:
        log("fatal", as_inside(str(error), options.place))
        return 1
    return 2 if ended_by == signal.SIGTERM else 0


def serve(
    settings: Settings, ready: Callable[[int], None] | None = None, hub: Path | None = None
) -> int:
    """Serve until SIGINT or SIGTERM, and give that; `ready(port)` once requests are answered.

    `hub` is a layout that plays Docker Hub, should the registry be a cache of that one.
    ServeError or SettingsError if the folder, the address or another setting cannot be used.
    """
    journal.configure(settings.level, settings.log.formatter, settings.log.fields)
    http = settings.http
    encrypted = secure(http.tls, http2=not http.http2.disabled)
    users = Htpasswd(path) if (path := settings.auth.htpasswd.path) else None
    storage = _open(settings.storage.filesystem.rootdirectory)
    figures = Figures(storage.root) if http.debug.prometheus.enabled else None
    rule = settings.storage.maintenance.uploadpurging
    with _registry(storage, settings, hub) as registry, purging(storage, rule):
        app = Journal(
            _around(registry, settings, users),
            access=not settings.log.accesslog.disabled,
            metrics=figures,
        )
        sites = [Site(app, listen(http.addr.host or "0.0.0.0", http.addr.port), encrypted)]
        if addr := http.debug.addr:
            debug = Debug(storage, figures, http.debug.prometheus.path)
            listener = listen(addr.host or "127.0.0.1", addr.port)
            sites.append(Site(debug, listener, said="debug server listening "))
        if not storage.claim():
            log("warning", f"{storage.root} is served by another process too")
        try:
            return run_all(sites, ready, http.draintimeout)
        finally:
            storage.release()


def _open(root: Path) -> Storage:
    try:
        return Storage(root)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise ServeError(error.errno, f"filesystem: {error.filename or root}: {reason}") from None


@contextmanager
def _registry(storage: Storage, settings: Settings, hub: Path | None) -> Iterator[ASGIApp]:
    if settings.proxy.remoteurl:
        from dockerlab.registry.proxy import pulling_through

        with pulling_through(storage, settings, hub) as cache:
            yield cache
    else:
        yield application(
            storage,
            delete=settings.storage.delete.enabled,
            limits=settings.limits,
            most=settings.catalog.maxentries,
        )


def _around(app: ASGIApp, settings: Settings, users: Htpasswd | None) -> ASGIApp:
    """Whatever a request has to pass on its way to the registry, the innermost first."""
    if settings.storage.maintenance.readonly.enabled:
        app = read_only(app)
    login = settings.auth.htpasswd
    if users and login.realm:
        anonymous = login.anonymous == "pull"
        app = Gate(app, users, login.realm, anonymous=anonymous, origin=settings.http.host)
    origin = "" if settings.http.relativeurls else settings.http.host
    app = with_headers(app, settings.http.headers, origin)
    app = attentive(app, settings.limits.silence)
    return polite(bounded(app, settings.limits.requests))


def configured(
    config: Path | str | None,
    root: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    *,
    env: Mapping[str, str] = os.environ,
    place: Callable[[str], Path] = Path,
) -> Settings:
    """What the file says, else the environment, else the command line; the last one wins.

    ServeError if the file cannot be read, SettingsError if something in it is wrong.
    """
    config = config or env.get(_CONFIGURATION)
    ours = {name: value for name, value in env.items() if name != _CONFIGURATION}
    try:
        loaded = load(place(str(config)) if config else None, ours, place)
    except OSError as error:
        reason = f"open {config}: {os.strerror(error.errno or 0).lower()}"
        raise ServeError(error.errno, f"configuration error: {reason}") from None
    storage, http = loaded.storage, loaded.http
    if root:
        storage = replace(storage, filesystem=replace(storage.filesystem, rootdirectory=root))
    usual_host, usual_port = http.addr
    addr = Address(usual_host if host is None else host, usual_port if port is None else port)
    return replace(loaded, storage=storage, http=replace(http, addr=addr))


def placing(places: Sequence[tuple[str, str]]) -> Callable[[str], Path]:
    """Where paths inside a container are on this machine; the longest INSIDE that fits counts."""
    known = sorted(((PurePosixPath(inside), Path(out)) for inside, out in places), reverse=True)
    known.sort(key=lambda pair: -len(pair[0].parts))

    def place(path: str) -> Path:
        whole = PurePosixPath(posixpath.normpath(posixpath.join("/", path)))
        for inside, outside in known:
            if whole.is_relative_to(inside):
                return outside / whole.relative_to(inside)
        return Path(path)

    return place if known else Path


def as_inside(text: str, places: Sequence[tuple[str, str]]) -> str:
    """A message with the paths that whoever wrote the settings knows."""
    for inside, outside in sorted(places, key=lambda pair: -len(pair[1])):
        text = text.replace(outside, inside.rstrip("/"))
    return text


def _inside(settings: Settings, ports: Sequence[str]) -> Settings:
    """The same in a container: what listens on one of its ports is reached where that leads."""
    published = {}
    for one in ports:
        inner, _, outer = one.partition("=")
        host, _, port = outer.rpartition(":")
        published[int(inner)] = Address(host, int(port))

    def reached(addr: Address) -> Address:
        own = addr.host == "localhost" or addr.host.startswith("127.")  # the container's
        return _NOWHERE if own else published.get(addr.port, _NOWHERE)

    http = settings.http
    debug = http.debug.addr and replace(http.debug, addr=reached(http.debug.addr))
    return replace(settings, http=replace(http, addr=reached(http.addr), debug=debug or http.debug))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="registry",
        description="A registry with the settings of the Distribution project's one.",
        epilog="REGISTRY_* variables override the file, and these options override both.",
    )
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="settings, a YAML file")
    parser.add_argument("--root", type=Path, help="folder that holds what is pushed")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes any free one")
    parser.add_argument(
        "--place",
        nargs=2,
        action="append",
        default=[],
        metavar=("INSIDE", "OUTSIDE"),
        help="paths in settings that start with INSIDE are in OUTSIDE",
    )
    parser.add_argument(
        "--hub", type=Path, metavar="LAYOUT", help="images that play Docker Hub for a proxy of it"
    )
    parser.add_argument(
        "--ports",
        nargs="*",
        metavar="INSIDE=HOST:PORT",
        help="whatever settings make listen on INSIDE is at HOST:PORT, or else out of reach",
    )
    return parser


if __name__ == "__main__":
    leave(main())
