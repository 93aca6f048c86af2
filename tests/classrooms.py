"""A class for tests, held by `dockerlab classroom` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerlab.classroom.room import FOLDER, Room
from dockerlab.registry.certificates import authority

_SITES = re.compile(r"https://(\S+:\d+)[\s\S]*(http://127\.0\.0\.1:\d+)")


class Class:
    """A class that is held, or asleep: `address` is its registry's, `page` the live page's."""

    def __init__(self, home: Path, name: str, *names: str) -> None:
        self.home, self.room = home, Room(home / FOLDER, name)
        authority(self.room.folder / "authority")
        self.room.save()
        self.passwords = {each.login: each.password for each in self.room.add(names)}
        self.address, self.page = "127.0.0.1:0", "http://127.0.0.1:0"
        self._process: subprocess.Popen[str] | None = None

    def line(self, login: str) -> str:
        """What is on a slip."""
        return f"{login}@{self.address}/{self.room.seal}"

    def wake(self) -> None:
        """Serve, on the ports that it had before."""
        ports = (each.rpartition(":")[2] for each in (self.address, self.page))
        words = ["classroom", "--no-mirror", "--port", next(ports), "--page-port", next(ports)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dockerlab", *words],
            env=os.environ | {"DOCKERLAB_HOME": str(self.home), "DOCKERLAB_LANG": "en"},
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdout
        said = ""
        while not (found := _SITES.search(said)):
            line = self._process.stdout.readline()
            assert line, said
            said += line
        self.address, self.page = found[1], found[2]

    def sleep(self) -> None:
        """Serve no more."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.stdout
            self._process.stdout.read()
            self._process.stdout.close()
            self._process.wait(30)
            self._process = None


@contextmanager
def open_class(home: Path, name: str, *names: str) -> Iterator[Class]:
    """A class that is awake, and surely gone afterwards."""
    one = Class(home, name, *names)
    try:
        one.wake()
        yield one
    finally:
        one.sleep()
