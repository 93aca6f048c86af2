"""All containers of a docker host at rest, so that its folder can be moved, and awake again."""

from __future__ import annotations

import signal
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from dockerlab.engine import process
from dockerlab.engine.container import Container, now
from dockerlab.engine.watching import STOPPED, Watch

PATIENCE = 10  # seconds before `docker stop` kills
_HASTE = 0.5  # seconds before `park` does


class Parking(Watch):
    """Ends all processes of a docker host, those too that nobody knows of any more."""

    def park(self) -> None:
        """End every process of this host; all containers stay as stopped, `--rm` ones too."""
        with self._lock:
            ended = [one for one in self.list() if one.running]
            processes = [one.process for one in ended]
            for container in ended:
                state = container.state
                state.status, state.exit_code, state.finished = "exited", STOPPED, now()
                state.process, state.ports = None, {}
                self._write(container)  # before its end, which would take a --rm one away
        for running in filter(None, processes):
            running.signal(signal.SIGTERM)
        deadline = time.monotonic() + _HASTE
        for running in filter(None, processes):
            running.wait(max(0.0, deadline - time.monotonic()))
        self._end_marked(self.path)

    def parked(self, ids: Collection[str]) -> Sequence[Container]:
        """Those with these ids that can be started again, the oldest first.

        Whoever parked them may have been killed before they had ended: they have now.
        """
        waiting = [one for one in reversed(self.list()) if one.id in ids and not one.running]
        self._end_marked(*(self.path / one.id for one in waiting))
        return waiting

    def _end_marked(self, *folders: Path) -> None:
        there = [str(folder) for folder in folders if folder.is_dir()]
        for one in process.marked(*there) if there else ():
            one.kill()
            one.wait(PATIENCE)
