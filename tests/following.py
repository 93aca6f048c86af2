"""Pushes and pulls that go on while a test looks at them, and what a registry has afterwards."""

from __future__ import annotations

import threading

import httpx
from servers import RunningServer

from dockerlab.engine.base import Engine
from dockerlab.widgets.transfer import TransferView, Way

MIB = 1024 * 1024


class Under:
    """A transfer that goes on in another thread, as a cell does."""

    def __init__(self, way: Way, name: str, engine: Engine) -> None:
        self.view = TransferView(way, name)
        self._thread = threading.Thread(target=self.view.follow, args=(engine,))
        self._thread.start()

    def moved(self) -> bool:
        return self.view.progress.moved > 0

    def cancel(self) -> TransferView:
        self.view.handle("cancel", None)
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.view


def tags(server: RunningServer, repository: str) -> list[str]:
    answer = httpx.get(f"{server.url}/v2/{repository}/tags/list")
    return list(answer.json().get("tags") or ()) if answer.status_code == 200 else []


def shown(view: TransferView) -> str:
    """What is on the page when the cell has ended."""
    view.on_shown(None)
    return view.html(live=True)
