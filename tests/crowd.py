"""A crowd of learners that push at once, as docker does it, over TLS, each with her own login.

    python -m tests.crowd ADDRESS CA < LOGINS

ADDRESS is HOST:PORT; LOGINS is one line of JSON, {LOGIN: PASSWORD}. It prints "ready" and waits for
another line. The client is asyncio with prepared requests and nothing else, so that it takes little
time itself. A connection that breaks is made again for a while, and the blob is sent anew.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers import OCI_MANIFEST, image, sha256

IMAGES = 3
_BASES = (2_000_000, 1_000_000)  # bytes of the layers that all have
_OWN = (200_000, 2_500_000)  # … and of those that nobody else has
_PATIENCE = 60  # seconds for a server that does not answer
_OCTETS = "application/octet-stream"
_LOCATION = re.compile(rb"(?i)\r\nlocation: (?:https?://[^/]+)?(\S+)")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
_BROKEN = (OSError, asyncio.IncompleteReadError)


@dataclass
class Told:
    """What the registry has said yes to: blobs and manifests by repository, and tags."""

    blobs: dict[str, list[str]] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)


class Learner:
    """One who pushes IMAGES images, `LOGIN/app-N:latest`."""

    def __init__(self, address: str, trust: ssl.SSLContext, login: str, password: str) -> None:
        self.told = Told()
        self._login, self._host, self._trust = login, address, trust
        secret = base64.b64encode(f"{login}:{password}".encode()).decode()
        self._lines = f"Host: {address}\r\nAuthorization: Basic {secret}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._images = [(f"{login}/app-{n}", blobs(login, n)) for n in range(IMAGES)]

    async def push(self) -> None:
        """Push all, one after the other."""
        for number, (repository, contents) in enumerate(self._images):
            for content in contents:
                shared = number and content in self._images[0][1]
                await self._patiently(self._blob, repository, content, bool(shared))
            raw = image(*contents)
            await self._patiently(self._manifest, repository, raw)
        if self._writer:
            self._writer.close()

    async def _patiently(self, do, *arguments) -> None:  # type: ignore[no-untyped-def]
        ends = time.monotonic() + _PATIENCE
        while True:
            try:
                return await do(*arguments)
            except _BROKEN:
                self._writer = None
                if time.monotonic() > ends:
                    raise
                await asyncio.sleep(0.2)

    async def _blob(self, repository: str, content: bytes, shared: bool) -> None:
        digest = sha256(content)
        status, _ = await self._ask("HEAD", f"/v2/{repository}/blobs/{digest}")
        if status == 404:
            start = f"/v2/{repository}/blobs/uploads/"
            source = f"?mount={digest}&from={self._images[0][0]}" if shared else ""
            status, head = await self._ask("POST", start + source)
            if status == 202:
                await self._send(head, digest, content)
            else:
                assert status == 201, (status, head)
        else:
            assert status == 200, status
        self.told.blobs.setdefault(repository, []).append(digest)

    async def _send(self, head: bytes, digest: str, content: bytes) -> None:
        status, head = await self._ask("PATCH", _where(head), content, _OCTETS)
        if status == 404:  # the server forgot of it
            raise ConnectionError
        assert status == 202, (status, head)
        place = _where(head)
        mark = "&" if "?" in place else "?"
        status, head = await self._ask("PUT", f"{place}{mark}digest={digest}")
        if status == 404:
            raise ConnectionError
        assert status == 201, (status, head)

    async def _manifest(self, repository: str, raw: bytes) -> None:
        path = f"/v2/{repository}/manifests/latest"
        status, head = await self._ask("PUT", path, raw, OCI_MANIFEST)
        assert status == 201, (status, head)
        self.told.manifests[repository] = sha256(raw)

    async def _ask(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, bytes]:
        if not self._writer or not self._reader:
            host, _, port = self._host.rpartition(":")
            connected = await asyncio.open_connection(host, int(port), ssl=self._trust)
            self._reader, self._writer = connected
        lines = f"{method} {path} HTTP/1.1\r\n{self._lines}"
        lines += f"Content-Type: {kind}\r\n" if kind else ""
        lines += f"Content-Length: {len(body)}\r\n" if method in ("POST", "PUT", "PATCH") else ""
        self._writer.write(f"{lines}\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length and method != "HEAD":
            head += await self._reader.readexactly(int(length[1]))
        return int(head.split(b" ", 2)[1]), head


def blobs(login: str, number: int) -> list[bytes]:
    """Config and layers of a learner's image; the bases are everybody's."""
    own = random.Random(f"{login} {number}")
    layers = [random.Random(size).randbytes(size) for size in _BASES]
    config = json.dumps({"architecture": "amd64", "os": "linux", "author": f"{login} {number}"})
    return [config.encode(), *layers, own.randbytes(own.randint(*_OWN))]


def _where(head: bytes) -> str:
    found = _LOCATION.search(head)
    assert found, head
    return found[1].decode()


async def _all(learners: Sequence[Learner]) -> None:
    await asyncio.gather(*(learner.push() for learner in learners))


def main(address: str, ca: str) -> None:
    """Read the logins, wait for the word, push, and tell what was acknowledged."""
    trust = ssl.create_default_context(cafile=ca)
    logins = json.loads(sys.stdin.readline())
    learners = [Learner(address, trust, *login) for login in logins.items()]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    asyncio.run(_all(learners))
    seconds = time.perf_counter() - began
    told = {"blobs": {}, "manifests": {}, "seconds": seconds}  # type: ignore[var-annotated]
    for learner in learners:
        told["blobs"].update(learner.told.blobs)
        told["manifests"].update(learner.told.manifests)
    print(json.dumps(told), flush=True)


class Crowd:
    """The same in `processes`, which are ready; `enter` is the command that leads to a network."""

    def __init__(
        self,
        address: str,
        ca: object,
        logins: Mapping[str, str],
        enter: Sequence[str] = (),
        processes: int = 2,
    ) -> None:
        command = [*enter, sys.executable, "-m", "tests.crowd", address, str(ca)]
        every = list(logins.items())
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        for number, process in enumerate(self._processes):
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(dict(every[number::processes])) + "\n")
            process.stdin.flush()
        for process in self._processes:
            assert process.stdout and process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """All push now."""
        for process in self._processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()

    def told(self) -> tuple[Told, float]:
        """What was acknowledged in the end, and after how many seconds."""
        whole, seconds = Told(), 0.0
        for process in self._processes:
            out, _ = process.communicate(timeout=300)
            assert process.returncode == 0, out
            told = json.loads(out)
            whole.blobs.update(told["blobs"])
            whole.manifests.update(told["manifests"])
            seconds = max(seconds, told["seconds"])
        return whole, seconds

    def kill(self) -> None:
        """End it, wherever it is."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def crowd(*arguments: object, **more: object) -> Iterator[Crowd]:
    """A crowd that is gone afterwards."""
    made = Crowd(*arguments, **more)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
