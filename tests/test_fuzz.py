"""Thousands of requests made by a grammar with mistakes: none is answered with 5xx or leaks out."""

import hashlib
import json
import os
import random
import re
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crashes import check
from raw import Reply, answer, ask, connect, request, sized
from servers import OCI_INDEX, OCI_MANIFEST, RunningServer, image, sha256, start_server

REQUESTS = 20_000
THREADS = 4
SEED = int(os.environ.get("FUZZ_SEED", "4"))
NAMES = ["a", "b/c", "d-e", "a/b", "x__y/z.w"]
TAGS = ["latest", "v1", "T_2", "0"]
BLOBS = [b"{}", b"", b"layer", bytes(70_000), b"\xff" * 1000]
TYPES = [OCI_MANIFEST, OCI_INDEX, "text/html", "", "application/json; charset=utf-8"]
METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
UGLY = ["..", "%2e%2e", "%00", "%2f", "%5c", "//", "%ff", "%252e", "_uploads", "_layers", "?", "é"]
EXPECTED = re.compile(  # what may be below the root
    r"docker(/registry(/v2(/\.lock|/\.partial|/blobs(/sha(256|384|512)(/[0-9a-f]{2}"
    r"(/[0-9a-f]{64,128}(/data)?)?)?)?|/repositories(/[a-z0-9][a-z0-9._-]*)*"
    r"(/_layers(/sha(256|384|512)(/[0-9a-f]{64,128}(/link)?)?)?"
    r"|/_uploads(/[0-9a-f-]{36}(/data|/startedat)?)?"
    r"|/_manifests(/revisions(/sha(256|384|512)(/[0-9a-f]{64,128}(/link)?)?)?"
    r"|/tags(/\w[\w.-]*(/current(/link)?|/index(/sha(256|384|512)(/[0-9a-f]{64,128}"
    r"(/link)?)?)?)?)?)?)?)?)?)?"
)


class Fuzzer:
    """Makes requests, each of one seed; some follow from what was answered before."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.uploads: list[str] = []

    def request(self) -> tuple[str, bytes]:
        """A method, and the whole of a request with it."""
        chance = self.random
        if chance.random() < 0.5:
            method, target, headers, body = self.sensible()
        else:
            method, target = chance.choice(METHODS), self.path()
            headers, body = self.headers(), self.body()
        if chance.random() < 0.2:
            at = chance.randrange(1, len(target) + 1)
            target = target[:at] + chance.choice(UGLY) + target[at + chance.randrange(3) :]
        if chance.random() < 0.05:
            method = chance.choice(METHODS)
        target = target.encode().decode("latin-1").replace(" ", "+")
        if chance.random() < 0.1:
            chunks = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
            return method, request(
                method, target, [*headers, "Transfer-Encoding: chunked"], chunks + b"0\r\n\r\n"
            )
        return method, request(method, target, [*headers, f"Content-Length: {len(body)}"], body)

    def sensible(self) -> tuple[str, str, list[str], bytes]:
        """What a client asks for; pushes, mostly."""
        chance = self.random
        name, blob = chance.choice(NAMES), chance.choice(BLOBS)
        kind = chance.randrange(6)
        if kind == 0:
            return "POST", f"/v2/{name}/blobs/uploads/", [], b""
        if kind == 1:
            return "POST", f"/v2/{name}/blobs/uploads/?digest={sha256(blob)}", [], blob
        if kind == 2 and self.uploads:
            method = chance.choice(["PATCH", "PUT", "GET", "DELETE"])
            return method, f"{self.uploads.pop()}?digest={sha256(blob)}", [], blob
        if kind == 3:
            raw = image(b"{}", *chance.choices(BLOBS, k=chance.randrange(3)))
            reference = chance.choice([*TAGS, sha256(raw)])
            return "PUT", f"/v2/{name}/manifests/{reference}", [f"Content-Type: {TYPES[0]}"], raw
        if kind == 4:
            mount = f"mount={sha256(blob)}&from={chance.choice(NAMES)}"
            return "POST", f"/v2/{name}/blobs/uploads/?{mount}", [], b""
        return chance.choice(["GET", "HEAD", "GET", "DELETE"]), self.path(), [], b""

    def path(self) -> str:
        chance = self.random
        name, digest = chance.choice(NAMES), self.digest()
        query = chance.choice(["", "", f"?n={chance.choice(['0', '1', '-1', 'x', '9' * 30])}"])
        return chance.choice(
            [
                *("/", "/v2", "/v2/", f"/v2/_catalog{query}", f"/v2/{name}/tags/list{query}"),
                *(f"/v2/{name}/manifests/{chance.choice(TAGS)}", f"/v2/{name}/manifests/{digest}"),
                *(f"/v2/{name}/referrers/{digest}", f"/v2/{name}/blobs/{digest}"),
                f"/v2/{name}/blobs/uploads/{chance.randbytes(9).hex()}",
                "/" + "/".join(chance.choices([*NAMES, *UGLY, "v2", "blobs"], k=5)),
            ]
        )

    def digest(self) -> str:
        chance = self.random
        digest = sha256(chance.choice(BLOBS))
        if chance.random() < 0.2:
            return f"sha512:{hashlib.sha512(b'').hexdigest()}"
        return digest if chance.random() < 0.8 else digest[: chance.randrange(len(digest))]

    def headers(self) -> list[str]:
        chance = self.random
        numbers = ["0", "4", "-1", "x", "9" * 19, ""]
        known = [
            f"Content-Type: {chance.choice(TYPES)}",
            f"Content-Range: {chance.choice(numbers)}-{chance.choice(numbers)}",
            f"Range: bytes={chance.choice(numbers)}-{chance.choice(numbers)}",
            f"If-None-Match: {self.digest()}",
            "Authorization: Basic !!!!",
            "Host: [",
            f"X-{chance.randbytes(4).hex()}: {chance.randbytes(8).hex()}\xff",
        ]
        return chance.choices(known, k=chance.randrange(4))

    def body(self) -> bytes:
        chance = self.random
        whole = image(chance.choice(BLOBS), subject=chance.choice([None, 5, {"digest": "x"}]))
        at = chance.randrange(len(whole))
        cut = whole[:at] + chance.randbytes(chance.randrange(4)) + whole[at + 1 :]
        return chance.choice([b"", whole, cut, b"[" * 5000, chance.randbytes(300)])


def play(port: int, seed: int, count: int) -> Counter[int]:
    """Send so many requests over connections that are kept; gives the statuses that came."""
    fuzzer, seen = Fuzzer(seed), Counter[int]()
    wire: socket.socket | None = None
    for _ in range(count):
        method, content = fuzzer.request()
        wire = wire or connect(port)
        try:
            wire.sendall(content)
            reply = answer(wire, method)
        except ConnectionError:
            reply = Reply(0, {}, b"")
        seen[reply.status] += 1
        assert reply.status < 500, content[:2000]
        location = reply.headers.get("location", "")
        if reply.status == 202 and "/uploads/" in location:
            fuzzer.uploads.append(location)
        if reply.status in (0, 400) or reply.headers.get("connection") == "close":
            wire.close()
            wire = None
    if wire:
        wire.close()
    return seen


def unexpected(root: Path) -> list[str]:
    """The files and folders below the root that no registry makes."""
    paths = (path.relative_to(root).as_posix() for path in root.rglob("*"))
    return [path for path in paths if not EXPECTED.fullmatch(path)]


def half_heads(server: RunningServer) -> list[socket.socket]:
    """Connections that begin a request and never end it."""
    wires = [connect(server.port) for _ in range(3)]
    for wire, content in zip(wires, [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n"], strict=True):
        wire.sendall(content)
        wire.settimeout(60)
    return wires


def test_fuzz(tmp_path: Path) -> None:
    print(f"FUZZ_SEED={SEED}")
    root, outside = tmp_path / "around/root", tmp_path / "around/secret"
    outside.mkdir(parents=True)
    (outside / "file").write_bytes(b"precious")
    with start_server(root) as server:
        waiting = half_heads(server)
        with ThreadPoolExecutor(THREADS) as pool:
            seeds = range(SEED * THREADS, (SEED + 1) * THREADS)
            played = [pool.submit(play, server.port, s, REQUESTS // THREADS) for s in seeds]
            seen = sum((each.result() for each in played), Counter[int]())
        assert ask(server.port, request("GET", "/v2/")).status == 200
        assert "Traceback" not in server.log
        for name in NAMES:  # some of them were deleted from under a manifest
            for blob in BLOBS:
                again = f"/v2/{name}/blobs/uploads/?digest={sha256(blob)}"
                assert ask(server.port, sized("POST", again, blob)).status == 201
        catalogue = json.loads(ask(server.port, request("GET", "/v2/_catalog")).body)
        assert set(catalogue["repositories"]) >= set(NAMES)
        for wire in waiting:
            with wire:
                assert wire.recv(1) == b""  # a head that never ends holds nothing for ever
    assert sum(seen.values()) >= REQUESTS - THREADS
    assert all(seen[status] > REQUESTS / 200 for status in (200, 201, 202, 400, 404)), seen
    assert seen[0] < REQUESTS / 20, seen
    assert unexpected(root) == []
    assert sorted(path.name for path in root.parent.rglob("*") if root not in path.parents) == [
        *("file", "root", "secret"),
    ]
    assert (outside / "file").read_bytes() == b"precious"
    check(root)
