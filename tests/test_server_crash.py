"""kill -9 at any moment: what is on disk stays whole, and a restart cleans up."""

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from crashes import check
from servers import RunningServer, push_image, sha256, start_server

PUSHES = 200
SEED = 4


class Pushers:
    """Threads that push and delete until the registry is gone; `some` is set after so many."""

    def __init__(self, server: RunningServer, after: int) -> None:
        self.done: list[tuple[str, str]] = []
        self.some = threading.Event()
        self._url, self._after = server.url, after
        self._threads = [threading.Thread(target=self._push, args=[n]) for n in range(3)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)

    def _push(self, number: int) -> None:
        with httpx.Client(base_url=self._url) as http:
            try:
                for count in range(1000):
                    name, tag = f"repository/{number}", f"t{count % 4}"
                    layers = [os.urandom(random.randrange(1, 400_000)) for _ in range(2)]
                    digest = push_image(http, name, tag, *layers)
                    self.done.append((name, digest))
                    if count % 4 == 3:
                        http.delete(f"/v2/{name}/manifests/t0")
                    if len(self.done) >= self._after:
                        self.some.set()
            except httpx.TransportError:
                self.some.set()


def test_killed_again_and_again_during_200_pushes(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    v2 = tmp_path / "docker/registry/v2"
    done: list[tuple[str, str]] = []
    while len(done) < PUSHES:
        with start_server(tmp_path) as server:
            assert not list(v2.glob("repositories/**/_uploads"))
            assert not list((v2 / ".partial").iterdir())
            pushers = Pushers(server, after=chance.randrange(1, 30))
            assert pushers.some.wait(30)
            server.kill()
            pushers.join()
        done += pushers.done
        check(tmp_path)
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        check(tmp_path)
        for name, digest in done:  # what was promised is there
            assert sha256(http.get(f"/v2/{name}/manifests/{digest}").content) == digest
        for name in http.get("/v2/_catalog").json()["repositories"]:
            for tag in http.get(f"/v2/{name}/tags/list").json()["tags"]:
                assert http.get(f"/v2/{name}/manifests/{tag}").status_code == 200
        push_image(http, "repository/0", "after", b"the crash")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork makes a crash at every step cheap")
def test_killed_before_every_change_of_a_file(tmp_path: Path) -> None:
    script = Path(__file__).with_name("crashes.py")
    command = [sys.executable, str(script), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout) > 40


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it asks Linux what a file is")
def test_the_power_goes_at_any_moment(tmp_path: Path) -> None:
    script = Path(__file__).with_name("powercuts.py")
    command = [sys.executable, str(script), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["looked at"] > 1000
