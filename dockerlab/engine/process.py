"""Processes that outlive the one that starts them, known by their id and their time of birth."""

from __future__ import annotations

import atexit
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_PAUSE = 0.01  # seconds between two looks at a process
_SAME = 1.0  # seconds by which two readings of one birth may differ when the clock is set
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Process:
    """A process, as it can be written down and found again."""

    pid: int
    born: float  # seconds since 1970

    @property
    def alive(self) -> bool:
        """Whether it runs; another process with the same id does not count."""
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:  # it stays a zombie until we ask
            return False
        return self._found() is not None

    @property
    def exit_code(self) -> int | None:
        """Its exit status in docker's counting, if this process started it and it has ended."""
        child = _children.get(self.pid)
        code = child.poll() if child else None
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        found = self._found()
        if found:
            with suppress(psutil.NoSuchProcess):
                found.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        found = self._found()
        if found:
            with suppress(psutil.NoSuchProcess):
                found.kill()

    def wait(self, seconds: float | None) -> bool:
        """Whether it has ended within that time."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.alive:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def _found(self) -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.born) > _SAME:
                return None
            # A zombie whose threads have not all ended still holds its port.
            dead = found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1
            return None if dead else found
        return None


@atexit.register
def _let_go() -> None:
    """Popen complains of children that outlive it; these are meant to."""
    for child in _children.values():
        if child.poll() is None:
            child.returncode = 0


def start(
    arguments: Sequence[str], env: Mapping[str, str], folder: Path, log: Path, mark: str
) -> Process:
    """Run Python with `arguments`, detached, its output added to `log`.

    `mark` is put on its command line, for `marked` to find it by.
    """
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        options = {"creationflags": flags}
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-X", f"dockerlab={mark}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            cwd=folder,
            close_fds=True,
            **options,
        )
    _children[child.pid] = child
    try:
        born = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:
        born = time.time()
    return Process(child.pid, born)


def marked(*marks: str) -> list[Process]:
    """The processes of this machine whose mark starts with one of `marks`."""
    wanted = tuple(f"dockerlab={mark}" for mark in marks)
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if any(word.startswith(wanted) for word in words):
                found.append(Process(process.pid, process.create_time()))
    return found
