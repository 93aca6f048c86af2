"""Moving the lab from one state to another, so that a kill at any moment leaves one of them.

What is to be kept is written down first, with what ran; then programs end, and what was written
down becomes a state that is kept; then the folder of the docker hosts is moved, by one rename. An
undo writes down the present state too (`swap`); from then on it can only go forward, and whoever
comes next after a kill goes on with it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from dockerlab.engine import process, sweeping
from dockerlab.engine.container import now
from dockerlab.engine.credentials import FILE as LOGINS
from dockerlab.engine.credentials import FOLDER, locked
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.home import private
from dockerlab.engine.past import records
from dockerlab.engine.past.carrying import Left, carry
from dockerlab.engine.past.problems import LabBusy, NothingKept, OtherEngine, Stuck
from dockerlab.engine.past.records import Kept
from dockerlab.errors import EngineError
from dockerlab.image.layout import Layout

if TYPE_CHECKING:
    from dockerlab.engine.docker import Docker

MOST = 3  # states that are kept
_ROOM = 2 * 1024**3  # bytes for all of them; the newest may take more
_PATIENCE = 10.0  # seconds for another one to finish
_QUIET = 6.0  # seconds for a pull to finish, or a push to see that it has failed
_PAUSE = 0.05


class Past:
    """The states that are kept in `root`; `docker` is the Docker Engine in use, if there is one."""

    def __init__(self, root: Path, docker: Docker | None = None) -> None:
        self.root, self.docker = root, docker
        self.folder = root / "past"
        self._hosts = root / "hosts"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else moves the lab meanwhile, and nothing is left half moved; LabBusy."""
        lock = FileLock(private(self.folder) / ".lock", timeout=_PATIENCE, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise LabBusy(moving=True) from None
        try:
            self._recover()
            yield
        finally:
            lock.release()

    def kept(self) -> Sequence[Kept]:
        """All that is kept, the oldest first."""
        return records.all_in(self.folder)

    def is_empty(self) -> bool:
        """Whether the lab has nothing that a reset would take."""
        if self.docker:
            from dockerlab.engine.docker import snapshot

            if snapshot.has_any(self.docker):
                return False
        names = ("container.json", "volume.json", "blobs", "daemon.json")
        return not any(True for name in names for _ in self._hosts.rglob(name))

    def keep(self, what: str, lesson: str = "") -> Kept:
        """Put the present state aside: there are no docker hosts then, on the embedded engine.

        What was undone before is dropped, as it does not follow from what comes now.
        """
        new = self._note(what, lesson)
        folder = records.next_in(self.folder)
        os.replace(new.folder, folder)
        kept = records.read(folder) or new
        try:
            os.replace(self._hosts, kept.hosts)
        except OSError:  # on Windows a file in it may be open
            self._recover()
            raise
        self._drop_undone()
        return kept

    def carry(self, kept: Kept, left: Left) -> Sequence[Stuck]:
        """Let the docker hosts of a state that was put aside go on, but for what is `left`."""
        copy = kept.folder / "copy"
        private(copy)
        carry(kept.hosts, copy, left)
        if self._hosts.exists():  # somebody has looked meanwhile
            shutil.rmtree(self._hosts)
        os.replace(copy, self._hosts)
        return self._go_on(kept, left.containers)

    def put_back(self, kept: Kept) -> Sequence[Stuck]:
        """Make a state that was put aside the present one again, as if nothing had been."""
        for one in process.marked(str(self._hosts)):
            one.kill()
            one.wait(_PATIENCE)
        stuck = self._return(kept)
        records.drop(kept.folder)
        return stuck

    def trim(self) -> Sequence[tuple[Kept, int]]:
        """Drop the oldest states that are more than there is room for; with their sizes."""
        kept = list(self.kept())
        sizes = {one.folder: one.size for one in kept}
        dropped = []
        while len(kept) > 1 and (len(kept) > MOST or sum(sizes[k.folder] for k in kept) > _ROOM):
            oldest = kept.pop(0)
            records.drop(oldest.folder)
            dropped.append((oldest, sizes[oldest.folder]))
        return dropped

    def go(self, forward: bool = False) -> tuple[Kept, Sequence[Stuck]]:
        """Undo the last move; `forward`: do again what was undone. Which one, and what is stuck."""
        there = [one for one in self.kept() if one.undone == forward]
        if not there:
            raise NothingKept(forward)
        kept = there[0] if forward else there[-1]
        if kept.engine and not (self.docker and self.docker.place == kept.engine):
            raise OtherEngine(kept.engine)
        new = self._note(kept.what, kept.lesson, undone=not forward)
        os.replace(new.folder, kept.swap)
        return kept, self._swap(kept)

    def _note(self, what: str, lesson: str, undone: bool = False) -> Kept:
        """Write down the present state, all but its docker hosts, and end what runs; LabBusy."""
        private(self._hosts)
        folder = self.folder / records.NEW
        engine = self.docker.place if self.docker else ""
        try:
            noted = Kept(folder, what, lesson, now(), undone, engine, self._running()).write(folder)
            logins = self.root / FOLDER / LOGINS
            if logins.exists():
                shutil.copy2(logins, folder / LOGINS)
            if self.docker:
                from dockerlab.engine.docker import snapshot

                snapshot.take(self.docker, private(folder / "docker"))
            self._park()
            self._hush()
            return noted
        except BaseException:
            self._unnote()
            raise

    def _unnote(self) -> None:
        """Forget what was written down before anything was moved; what was stopped runs again."""
        new = records.read(self.folder / records.NEW)
        if new:
            self._go_on(new)
        records.remove(self.folder / records.NEW)

    def _go_on(self, kept: Kept, but: Collection[str] = ()) -> Sequence[Stuck]:
        """Start what ran, where it is still there."""
        stuck: list[Stuck] = []
        if kept.engine and self.docker:
            from dockerlab.engine.docker import snapshot

            stuck += snapshot.start(self.docker, kept.folder / "docker", but)
        return [*stuck, *self._start(kept.running)]

    def _swap(self, kept: Kept) -> Sequence[Stuck]:
        """Let the present state and one that is kept change places; may go on with it, too."""
        self._park()
        swapped = kept.swap / "hosts"
        if kept.hosts.exists() and not swapped.exists() and self._hosts.exists():
            os.replace(self._hosts, swapped)
        stuck = self._return(kept)
        records.replace(kept)
        return stuck

    def _return(self, kept: Kept) -> Sequence[Stuck]:
        """Make it the present state; again, if that was begun before."""
        if kept.hosts.exists():
            stray = kept.folder / "stray"
            records.remove(stray)
            if self._hosts.exists():
                os.replace(self._hosts, stray)
            records.remove(stray)
            os.replace(kept.hosts, self._hosts)
        self._bring_logins(kept.folder / LOGINS)
        stuck: list[Stuck] = []
        if kept.engine and self.docker:
            from dockerlab.engine.docker import snapshot

            stuck += snapshot.restore(self.docker, kept.folder / "docker")
        return [*stuck, *self._start(kept.running)]

    def _bring_logins(self, kept: Path) -> None:
        folder = private(self.root / FOLDER)
        with locked(folder):
            if _content(kept) == _content(folder / LOGINS):
                return  # a full disk is no hindrance then
            if kept.exists():
                shutil.copy2(kept, folder / ".returning")
                os.replace(folder / ".returning", folder / LOGINS)
            else:
                (folder / LOGINS).unlink(missing_ok=True)

    def _recover(self) -> None:
        """Bring to its end what somebody began who was killed."""
        records.tidy(self.folder)
        self._unnote()
        for kept in self.kept():
            if (kept.swap / records.FILE).exists():
                if not kept.engine or (self.docker and self.docker.place == kept.engine):
                    self._swap(kept)
            elif not kept.hosts.exists():  # killed before anything was moved
                self._go_on(kept)
                records.drop(kept.folder)

        self._drop_undone()

    def _drop_undone(self) -> None:
        """Drop what was undone before another way was taken."""
        kept = self.kept()
        for at, one in enumerate(kept):
            if one.undone and not all(later.undone for later in kept[at:]):
                records.drop(one.folder)

    def _engines(self) -> Sequence[Embedded]:
        return Embedded(self.root).hosts()

    def _running(self) -> dict[str, list[str]]:
        found = {host.host: host.containers.list() for host in self._engines()}
        return {
            host: [one.id for one in containers if one.running]
            for host, containers in found.items()
        }

    def _park(self) -> None:
        for host in self._engines():
            host.containers.park() if host.path.is_dir() else None

    def _hush(self) -> None:
        """Come back when no image comes or goes any more; LabBusy if that takes long.

        No registry of the lab runs now, so its pushes and pulls fail, and soon.
        """
        deadline = time.monotonic() + _QUIET
        for host in self._engines():
            if not (host.path / "images" / "oci-layout").exists():
                continue
            while not sweeping.is_quiet(Layout(host.path / "images")):
                if time.monotonic() > deadline:
                    raise LabBusy(moving=False)
                time.sleep(_PAUSE)

    def _start(self, running: dict[str, list[str]]) -> Sequence[Stuck]:
        """Start what ran; what cannot."""
        waiting = [
            (host.containers, container)
            for host in (Embedded(self.root, name) for name, ids in running.items() if ids)
            for container in host.containers.parked(running[host.host])
        ]
        with ThreadPoolExecutor() as pool:
            begun = [(one, pool.submit(containers.start, one)) for containers, one in waiting]
        stuck = []
        for container, started in begun:
            try:
                started.result()
            except (EngineError, OSError) as error:
                stuck.append(Stuck(container.name, str(error)))
        return stuck


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
