"""`dockerlab hub`: the offline Docker Hub from its start to Ctrl-C."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from dockerlab.engine.home import home, private
from dockerlab.errors import PortTaken
from dockerlab.hub.advice import advice
from dockerlab.hub.mirror import mirror
from dockerlab.hub.stock import gather
from dockerlab.registry.serve import ServeError, listen, run


def serve(host: str, port: int, archives: Sequence[Path], say: Callable[[str], None]) -> None:
    """Serve the course's images until SIGINT or SIGTERM; `say` is told what to do with them.

    Port 0 takes a free one. PortTaken, BadArchive, or ServeError for a useless address.
    """
    try:
        listener = listen(host, port)
    except ServeError as error:
        raise PortTaken(port) if error.errno == errno.EADDRINUSE else error from None
    with listener:
        port = listener.getsockname()[1]
        folder = private(home() / "mirror") / str(port)
        shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
        try:
            stock = gather(folder, archives)
            run(mirror(stock.storage), listener, lambda _port: say(advice(host, port, stock)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
