"""A class in tests whose machine sleeps and wakes; its passwords are as those on slips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerlab.classroom.room import FOLDER, Room
from dockerlab.registry.certificates import authority
from tests import classes


class Class:
    """A class that is held, or asleep: `address` is its registry's, `page` the live page's."""

    def __init__(self, home: Path, name: str, *names: str) -> None:
        self._home, self.room = home, Room(home / FOLDER, name)
        authority(self.room.folder / "authority")
        self.room.save()
        self.passwords = {each.login: each.password for each in self.room.add(names)}
        self.address, self.page = "127.0.0.1:0", "http://127.0.0.1:0"
        self._held: classes.Class | None = None

    def line(self, login: str) -> str:
        """What is on a slip."""
        return f"{login}@{self.address}/{self.room.seal}"

    def wake(self) -> None:
        """Serve, on the ports that it had before."""
        ports = [each.rpartition(":")[2] for each in (self.address, self.page)]
        options = ("--no-mirror", "--port", ports[0], "--page-port", ports[1])
        self._held = classes.Class(self._home, options)
        self.address, self.page = self._held.address, f"http://{self._held.page}"

    def sleep(self) -> None:
        """Serve no more."""
        if self._held:
            self._held.kill()
            self._held = None


@contextmanager
def open_class(home: Path, name: str, *names: str) -> Iterator[Class]:
    """A class that is awake, and surely gone afterwards."""
    one = Class(home, name, *names)
    try:
        one.wake()
        yield one
    finally:
        one.sleep()
