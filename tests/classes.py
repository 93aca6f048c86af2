"""A class in tests: `dockerlab classroom` in a process of its own, and its learners' passwords."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dockerlab.classroom.quotas import Metered
from dockerlab.classroom.room import FOLDER, Room
from dockerlab.registry import certificates, htpasswd
from dockerlab.registry.client import Registry
from dockerlab.registry.storage import Storage
from dockerlab.registry.trust import Trust

_PORTS = ("--port", "0", "--page-port", "0", "--mirror-port", "0")
_WHERE = re.compile(r"https?://\S+")


class Class:
    """A running class; `said` is what the instructor reads, `address` the registry's HOST:PORT."""

    def __init__(self, home: Path, options: Sequence[str] = (), enter: Sequence[str] = ()) -> None:
        self.folder = home / FOLDER
        self.ca = self.folder / "authority" / "ca.crt"
        self.said = ""
        command = [*enter, sys.executable, "-m", "dockerlab", "--lang", "en", "classroom"]
        self.process = subprocess.Popen(
            [*command, *_PORTS, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "DOCKERLAB_HOME": str(home)},
        )
        self._open = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._open.wait(60)
        found = _WHERE.findall(self.said)
        if self.process.poll() is not None or not found:
            self.kill()
            raise RuntimeError(self.said)
        places = [url.partition("://")[2] for url in found]
        self.address, self.mirror, self.page = places[0], places[-2], places[-1]

    @property
    def port(self) -> int:
        """The registry's."""
        return int(self.address.rpartition(":")[2])

    def reach_at(self, host: str) -> None:
        """Speak to it at another one of this machine's addresses, which it must have told."""
        assert host in self.said
        self.address = f"{host}:{self.port}"
        self.mirror = f"{host}:{self.mirror.rpartition(':')[2]}"

    def client(self, login: str, password: str) -> Registry:
        """A learner's."""
        trust = Trust((self.ca,))
        return Registry(
            self.address, username=login, password=password, trust=trust, scheme="https"
        )

    @property
    def storage(self) -> Storage:
        """What the registry keeps."""
        return Storage(self.folder / "registry")

    def used(self, login: str) -> int:
        """The bytes in a learner's repositories."""
        return Metered(self.folder / "registry", 0).used(login)

    def kill(self) -> None:
        """As a power cut ends it."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """As Ctrl-C ends it."""
        self.process.terminate()
        self._end()
        return self.process.returncode

    def _end(self) -> None:
        self.process.wait(30)
        self._reader.join(30)

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            for line in stream:
                self.said += line
                if "Ctrl-C" in line:
                    self._open.set()
        self._open.set()


@contextmanager
def held(home: Path, *options: str, enter: Sequence[str] = ()) -> Iterator[Class]:
    """A class that is over afterwards."""
    made = Class(home, options, enter)
    try:
        yield made
    finally:
        made.kill()


def let_in(home: Path, *logins: str, cost: int = 4) -> dict[str, str]:
    """Learners with passwords whose hashes are cheap, so that tests are quick."""
    folder = home / FOLDER
    passwords = {login: f"password of {login}" for login in logins}
    for login, password in passwords.items():
        htpasswd.add(folder / "htpasswd", login, password, cost)
    Room(folder, "The class", {login: login.title() for login in logins}).save()
    certificates.authority(folder / "authority")
    return passwords
