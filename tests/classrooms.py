"""A class for tests, in a process of its own: its registry and pages over TLS, the live page."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerlab.classroom.room import Login, Room
from dockerlab.registry.certificates import issue

ROOT = Path(__file__).parent.parent


class Class:
    """A class that is held, or `asleep`: `address` is its registry's, `page` the live page's."""

    def __init__(self, folder: Path, name: str, *names: str) -> None:
        self.room = Room(folder, name)
        issue(folder / "tls", "127.0.0.1", "localhost", authority=folder / "authority")
        self.logins: dict[str, Login] = {}
        for each in self.room.add(names):
            self.logins[each.login] = each
        self.address, self.page = "127.0.0.1:0", ""
        self._process: subprocess.Popen[str] | None = None

    def line(self, login: str) -> str:
        """What is on a slip."""
        return f"{login}@{self.address}/{self.room.seal}"

    def wake(self) -> None:
        """Serve, on the port that it had before."""
        command = [sys.executable, "-m", "tests.classrooms", str(self.room.folder)]
        self._process = subprocess.Popen(
            [*command, self.address.rpartition(":")[2]],
            cwd=ROOT,
            env=os.environ | {"DOCKERLAB_LANG": "en", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        ports = json.loads(self._process.stdout.readline())
        self.address, self.page = f"127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"

    def sleep(self) -> None:
        """Serve no more."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None


@contextmanager
def open_class(folder: Path, name: str, *names: str) -> Iterator[Class]:
    """A class that is awake, and surely gone afterwards."""
    one = Class(folder, name, *names)
    one.wake()
    try:
        yield one
    finally:
        one.sleep()


def _serve(folder: Path, port: int) -> None:
    from dockerlab.classroom import pages
    from dockerlab.classroom.room import find
    from dockerlab.registry.gate import Gate
    from dockerlab.registry.htpasswd import Htpasswd
    from dockerlab.registry.journal import Journal
    from dockerlab.registry.process import Site, listen, run_all
    from dockerlab.registry.server import application
    from dockerlab.registry.storage import Storage
    from dockerlab.registry.tls import Secure

    class Stored(Storage):
        quota = 10_000_000

        def used(self, namespace: str) -> int:
            blobs = (self.root / "docker/registry/v2/blobs").rglob("data")
            return sum(blob.stat().st_size for blob in blobs)

    room = find(folder)
    assert room
    storage = Stored(folder / "registry")
    registry = Gate(application(storage), Htpasswd(folder / "htpasswd"), "class")
    page = pages.learners(room)

    async def split(scope, receive, send):  # type: ignore[no-untyped-def]
        await (registry if scope["path"].startswith("/v2") else page)(scope, receive, send)

    listeners = listen("127.0.0.1", port), listen("127.0.0.1", 0)
    ports = [each.getsockname()[1] for each in listeners]
    secure = Secure(folder / "tls" / "127.0.0.1.crt", folder / "tls" / "127.0.0.1.key")
    sites = [
        Site(Journal(split), listeners[0], secure),
        Site(Journal(pages.instructor(room, storage)), listeners[1]),
    ]
    run_all(sites, lambda _port: print(json.dumps(ports), flush=True))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
