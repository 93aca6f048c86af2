"""Twenty thousand requests as nobody should send them: no 5xx, and nothing outside the root."""

import json
import os
import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from crashes import check
from raw import Reply, answer, connect, request
from servers import OCI_INDEX, OCI_MANIFEST, image, sha256, start_server

REQUESTS, THREADS = 20_000, 4
SEED = int(os.environ.get("FUZZ_SEED", "4"))
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
NAMES = ["a", "a/b", "load/app", "x--y/z_1", "docker", "a" * 255, "_uploads", "a/_manifests", ""]
TAGS = ["latest", "v1", "1", "_x", "a" * 128, "a" * 129, "..", "current", "link", "%C2%B5", ""]
BITS = ["..", "%2e%2e", "%2F", "%5c", "%00", "//", "/./", "%252e", "\\", "%", "%zz", "é", " ", "?"]
TYPES = [OCI_MANIFEST, OCI_INDEX, "application/json", "text/html", "", "a/b; charset=x", "é"]
RANGES = ["0-0", "0-9", "5-1", "bytes=0-", "bytes=-1", "bytes=9-0", "bytes=0-0,2-3", "-", "x"]


class Fuzzer:
    """One client with a connection, and what it has learned of the registry."""

    def __init__(self, port: int, seed: int) -> None:
        self.port, self.random = port, random.Random(seed)
        self.wire: socket.socket | None = None
        self.blobs = [b"", b"{}", self.random.randbytes(2000)]
        self.places = ["/v2/a/blobs/uploads/00000000-0000-0000-0000-000000000000"]
        self.seen: Counter[int] = Counter()
        self.wrong: list[str] = []

    def run(self, count: int) -> None:
        """Send so many requests; what should not be is in `wrong`."""
        for _ in range(count):
            method, target, headers, body = self.make()
            reply = self.exchange(method, target, headers, body)
            self.seen[reply.status] += 1
            if reply.status >= 500 or (reply.status == 404 and not self.is_told(method, reply)):
                self.wrong.append(f"{method} {target} {headers} {body[:80]!r}: {reply}")
            if method == "POST" and reply.status == 202:
                self.places.append(urlsplit(reply.headers["location"]).path)
        if self.wire:
            self.wire.close()

    def is_told(self, method: str, reply: Reply) -> bool:
        """Whether the body is the spec's, or the HTTP server's own words for a path of no use."""
        return method == "HEAD" or bool(reply.code) or reply.body == b"404 page not found\n"

    def make(self) -> tuple[str, str, list[str], bytes]:
        """A request that is nearly, or quite, right."""
        body = self.body()
        fitting, target = self.target(body)
        method = self.random.choice(fitting.split() * 3 + METHODS)
        if self.random.random() < 0.3:
            at = self.random.randrange(1, len(target) + 1)
            target = target[:at] + self.random.choice(BITS) + target[at:]
        headers = [f"Content-Length: {len(body)}"]
        for name, values in (
            ("Content-Type", TYPES),
            ("Content-Range", RANGES),
            ("Range", RANGES),
            ("If-None-Match", ["*", '"x"', sha256(body)]),
            ("Authorization", ["Basic", "Basic !!", "Bearer x", "Basic YTpi"]),
            ("Transfer-Encoding", ["gzip"]),
        ):
            if self.random.random() < (0.02 if name == "Transfer-Encoding" else 0.15):
                headers.append(f"{name}: {self.random.choice(values)}")
        target = quote(target, safe="/%?=&:._-~+\\")
        return method, target, headers, body

    def target(self, body: bytes) -> tuple[str, str]:
        """Where to, and the methods that are for it."""
        choose = self.random.choice
        name, digest = choose([*"abc" * 4, *NAMES]), self.digest(body)
        there = choose([*TAGS, digest])
        return choose(
            [
                ("PUT PATCH GET DELETE", f"{choose(self.places)}?digest={digest}"),
                ("GET HEAD PUT DELETE", f"/v2/{name}/manifests/{there}"),
                ("PUT", f"/v2/{name}/manifests/{there}?tag={choose(TAGS)}"),
                ("GET HEAD DELETE", f"/v2/{name}/blobs/{digest}"),
                ("POST", f"/v2/{name}/blobs/uploads/"),
                ("POST", f"/v2/{name}/blobs/uploads/?digest={digest}"),
                ("POST", f"/v2/{name}/blobs/uploads/?mount={digest}&from={choose(NAMES)}"),
                ("POST", f"/v2/{name}/blobs/uploads/?digest-algorithm={choose(['sha512', ''])}"),
                ("GET", f"/v2/{name}/tags/list?n={choose(['1', '-1', '9' * 30])}&last={name}"),
                ("GET", f"/v2/{name}/referrers/{digest}?artifactType=a/b"),
                ("GET", f"/v2/_catalog?n={choose(['2', '', '1e9'])}&last={choose(NAMES)}"),
                ("GET", choose(["/v2/", "/v2", "/", "/metrics", "/v2/a", "*", "/../../etc"])),
            ]
        )

    def digest(self, body: bytes) -> str:
        right = [sha256(content) for content in (body, *self.blobs)]
        odd = ["sha256:", "sha256:" + "0" * 64, "sha512:" + "0" * 128, "md5:00", "sha256:../..", ""]
        return self.random.choice(right * 3 + odd)

    def body(self) -> bytes:
        """A blob, a manifest, or one with a few bytes changed."""
        blobs = self.blobs
        manifest = image(blobs[1], self.random.choice(blobs))
        subject = {"mediaType": OCI_MANIFEST, "digest": sha256(manifest), "size": len(manifest)}
        entry = {"mediaType": OCI_MANIFEST, "digest": sha256(manifest), "size": len(manifest)}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
        content = self.random.choice(
            [
                *blobs,
                manifest,
                image(blobs[1], blobs[2], subject=subject, artifactType="a/b"),
                json.dumps(index).encode(),
                b"[" * self.random.choice([10, 100_000]),
                b'{"layers":' * 1000,
            ]
        )
        if content and self.random.random() < 0.2:
            at = self.random.randrange(len(content))
            content = content[:at] + self.random.randbytes(1) + content[at + 1 :]
        return content

    def exchange(self, method: str, target: str, headers: list[str], body: bytes) -> Reply:
        """Over the connection that is open, or a new one if the server has closed it."""
        for _ in range(2):
            self.wire = self.wire or connect(self.port)
            with suppress(ConnectionError):
                self.wire.sendall(request(method, target, headers, body))
            reply = answer(self.wire, method)
            if reply.status and reply.headers.get("connection") != "close":
                return reply
            self.wire.close()
            self.wire = None
            if reply.status:
                return reply
        return reply


def test_fuzz(tmp_path: Path) -> None:
    root = tmp_path / "inside"
    env = {"REGISTRY_LIMITS_UPLOADS": str(REQUESTS)}
    with start_server(root, env={**env, "REGISTRY_LOG_ACCESSLOG_DISABLED": "true"}) as server:
        fuzzers = [Fuzzer(server.port, SEED + number) for number in range(THREADS)]
        threads = [
            threading.Thread(target=fuzzer.run, args=[REQUESTS // THREADS]) for fuzzer in fuzzers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
        seen = sum((fuzzer.seen for fuzzer in fuzzers), Counter[int]())
        wrong = [one for fuzzer in fuzzers for one in fuzzer.wrong]
        assert not wrong, f"FUZZ_SEED={SEED}, {len(wrong)} in all:\n" + "\n".join(wrong[:10])
        assert sum(seen.values()) == REQUESTS
        assert seen[0] < REQUESTS / 100  # closed without an answer
        assert min(seen[status] for status in (200, 201, 202, 400, 404)) > 100, seen
        assert server.process.poll() is None
        assert server.stop() == 2
    assert os.listdir(tmp_path) == ["inside"]
    assert os.listdir(root) == ["docker"]
    assert set(os.listdir(root / "docker/registry/v2")) <= {
        "blobs", "repositories", ".partial", ".lock"
    }  # fmt: skip
    check(root, layers=False)  # which the clients may have deleted
