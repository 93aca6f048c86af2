"""`dockerlab hub`: the offline Docker Hub from its start to Ctrl-C."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from dockerlab.engine.home import home, private
from dockerlab.errors import PortTaken
from dockerlab.hub.advice import advice
from dockerlab.hub.mirror import mirror
from dockerlab.hub.stock import gather
from dockerlab.registry.client import Registry
from dockerlab.registry.process import ServeError, listen, run
from dockerlab.registry.proxy import Cache
from dockerlab.registry.storage import Storage


def serve(
    host: str,
    port: int,
    archives: Sequence[Path],
    say: Callable[[str], None],
    *,
    caching: bool = False,
) -> None:
    """Serve the course's images until SIGINT or SIGTERM; `say` is told what to do with them.

    Port 0 takes a free one. PortTaken, BadArchive, or ServeError for a useless address.
    """
    try:
        listener = listen(host, port)
    except ServeError as error:
        raise PortTaken(port) if error.errno == errno.EADDRINUSE else error from None
    port = listener.getsockname()[1]
    folder = private(home() / "mirror") / f"{host.replace(':', '-')}-{port}"
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    try:
        with listener, _cached() if caching else nullcontext() as cache:
            stock = gather(folder, archives)
            text = advice(host, port, stock, cache.storage.root if cache else None)
            run(mirror(stock.storage, cache), listener, lambda _port: say(text))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cached() -> Iterator[Cache]:
    """What was fetched from Docker Hub, before and from now on."""
    storage = Storage(private(home() / "cache"))
    storage.claim()
    try:
        with Registry("docker.io") as upstream:
            yield Cache(storage, upstream)
    finally:
        storage.release()
