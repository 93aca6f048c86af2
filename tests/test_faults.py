"""Many clients, slow clients, clients that break off, and two servers: nothing breaks a registry.

Full disks and read-only ones are in test_server_process.py, kill -9 in test_server_crash.py.
"""

import json
import os
import random
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from crashes import check
from raw import answer, connect, request
from servers import (
    RunningServer,
    image,
    push_blob,
    push_image,
    put_manifest,
    sha256,
    start_server,
)
from test_server_process import wait_for

SEED = 4
SLOW = 500  # clients, half of them up, half of them down
PUSHES = 64
MIB = 1024 * 1024
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it asks Linux's /proc")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[RunningServer]:
    with start_server(root) as running:
        yield running
        assert "Traceback" not in running.log
        assert "level=error" not in running.log.replace('level=error msg="response completed', "")
    check(root)


@pytest.fixture(scope="module")
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def peak(server: RunningServer) -> int:
    """The most memory that the server has had, in MiB."""
    text = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


def begin(http: httpx.Client, name: str) -> str:
    """Start an upload; gives its location."""
    location: str = http.post(f"/v2/{name}/blobs/uploads/").headers["Location"]
    return location


def break_off(wire: socket.socket) -> None:
    """Close a connection as one that is lost."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


@linux
def test_slow_clients(server: RunningServer, http: httpx.Client) -> None:
    rounds, content = 10, os.urandom(20 * MIB)
    where = f"/v2/slow/blobs/{push_blob(http, 'slow', content)}"
    with ExitStack() as wires:
        senders, readers = [], []
        for _ in range(SLOW // 2):
            location = begin(http, "slow")
            wire = wires.enter_context(connect(server.port))
            wire.sendall(request("PATCH", location, [f"Content-Length: {rounds}"]))
            senders.append((wire, location))
            wire = wires.enter_context(connect(server.port))
            wire.sendall(request("GET", where))
            readers.append(wire)
        for count in range(rounds):
            for wire, _ in senders:
                wire.sendall(b"%c" % count)
            for wire in readers:
                assert len(wire.recv(1)) == 1
            digest = push_image(http, "quick", f"t{count}", b"layer %d" % count)
            assert sha256(http.get(f"/v2/quick/manifests/t{count}").content) == digest
        assert http.get(where).content == content
        sent = bytes(range(rounds))
        for wire, location in senders:
            assert answer(wire, "PATCH").status == 202
            put = http.put(location, params={"digest": sha256(sent)})
            assert put.status_code == 201
    assert http.get(f"/v2/slow/blobs/{sha256(sent)}").content == sent
    assert peak(server) < 150


def test_uploads_that_break_off(server: RunningServer, http: httpx.Client) -> None:
    chance, content = random.Random(SEED), os.urandom(3 * MIB)
    location = begin(http, "cut")
    assert http.patch(location, content=content[:1]).status_code == 202
    start = 1
    while start < len(content):
        rest = content[start:]
        with connect(server.port) as wire:
            wire.sendall(request("PATCH", location, [f"Content-Length: {len(rest)}"]))
            wire.sendall(rest[:-1][: chance.randrange(1, MIB)])
            break_off(wire)
        accepted = False
        while not accepted:  # the last bytes may be on their way still
            start = int(http.get(location).headers["Range"].partition("-")[2]) + 1
            piece = content[start : start + 10_000]
            stated = {"Content-Range": f"{start}-{start + len(piece) - 1}"}
            accepted = http.patch(location, content=piece, headers=stated).status_code == 202
        start += len(piece)
    assert http.put(location, params={"digest": sha256(content)}).status_code == 201
    assert http.get(f"/v2/cut/blobs/{sha256(content)}").content == content


@linux
def test_downloads_that_break_off(server: RunningServer, http: httpx.Client) -> None:
    chance, content = random.Random(SEED), os.urandom(5 * MIB)
    digest = push_blob(http, "cut", content)
    data = f"{digest.partition(':')[2]}/data"

    def reading() -> bool:
        links = Path(f"/proc/{server.process.pid}/fd").iterdir()
        return any(data in str(link.readlink()) for link in links if link.is_symlink())

    for _ in range(50):
        wire = connect(server.port)
        wire.sendall(request("GET", f"/v2/cut/blobs/{digest}"))
        wire.recv(chance.randrange(1, 100_000))
        break_off(wire)
    wait_for(lambda: not reading())
    assert http.get(f"/v2/cut/blobs/{digest}").content == content


def test_pushes_that_share_layers(root: Path, server: RunningServer) -> None:
    shared = [os.urandom(size) for size in (MIB, 100_000, 1000, 1)]

    def push(number: int) -> tuple[str, str, str]:
        name, tag = f"shared/{number % 8}", f"t{number}"
        with httpx.Client(base_url=server.url, timeout=60) as http:
            return name, tag, push_image(http, name, tag, *shared, b"own %d" % number)

    with ThreadPoolExecutor(PUSHES) as pool:
        pushed = list(pool.map(push, range(PUSHES)))
    with httpx.Client(base_url=server.url) as http:
        for name, tag, digest in pushed:
            assert sha256(http.get(f"/v2/{name}/manifests/{tag}").content) == digest
        for layer in shared:
            assert http.get(f"/v2/shared/0/blobs/{sha256(layer)}").content == layer
    assert not list(root.glob("docker/registry/v2/repositories/shared/*/_uploads/*"))


def test_two_servers_push_and_delete_in_one_directory(tmp_path: Path) -> None:
    layers = [os.urandom(1000) for _ in range(3)]
    digests = [sha256(image(b"{}", layer)) for layer in layers]

    def work(url: str, seed: int) -> set[int]:
        chance, seen = random.Random(seed), set()
        with httpx.Client(base_url=url, timeout=60) as http:
            for _ in range(30):
                layer, tag = chance.choice(layers), chance.choice("xyz")
                if chance.random() < 0.5:
                    push_blob(http, "a", layer)
                    push_blob(http, "a", b"{}")
                    put = put_manifest(http, "a", tag, image(b"{}", layer))
                    assert put.status_code == 201, put.text
                reference = chance.choice([tag, *digests])
                seen.add(http.delete(f"/v2/a/manifests/{reference}").status_code)
                seen.add(http.get(f"/v2/a/manifests/{tag}").status_code)
        return seen

    with start_server(tmp_path) as first, start_server(tmp_path) as second:
        urls = [first.url, second.url] * 3
        with ThreadPoolExecutor(len(urls)) as pool:
            seen = set().union(*pool.map(work, urls, range(len(urls))))
        assert seen == {200, 202, 404}
        check(tmp_path)
        for url in urls[:2]:
            for tag in httpx.get(f"{url}/v2/a/tags/list").json()["tags"]:
                manifest = httpx.get(f"{url}/v2/a/manifests/{tag}")
                assert manifest.headers["Docker-Content-Digest"] in digests
                (layer,) = json.loads(manifest.content)["layers"]
                assert httpx.head(f"{url}/v2/a/blobs/{layer['digest']}").status_code == 200
