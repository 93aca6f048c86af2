"""dockerlab's registry beside the real one (`docker-registry`), in one run, on a RAM disk.

    python benchmarks/registry.py [ROUNDS]

Prints a Markdown table: medians of both, and the median of each round's ratio. A ratio below 1
means that dockerlab takes less time. curl is the client for blobs, wrk for manifests; eight
clients that do nothing but write prepared requests to sockets push small images.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import (
    OCI_MANIFEST,
    RunningServer,
    image,
    push_image,
    start_real_registry,
    start_server,
)

SIZE = 256 * 1024 * 1024
SECONDS = 3  # of manifest GETs
CONNECTIONS = 16
CLIENTS, IMAGES = 8, 1000
Start = Callable[[Path], AbstractContextManager[RunningServer]]
Times = dict[str, list[float]]  # seconds


def main() -> None:
    """Measure both, round by round, and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    binary = _program("docker-registry")
    starts: dict[str, Start] = {
        "dockerlab": start_server,
        "registry 2.8": lambda root: start_real_registry(binary, root),
    }
    times: dict[str, Times] = {name: defaultdict(list) for name in starts}
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        blob = Path(folder) / "blob"
        digest = _write(blob)
        for number in range(rounds):
            for name in sorted(starts, reverse=bool(number % 2)):
                root = Path(folder) / f"{name}-{number}"
                _measure(starts[name], root, blob, digest, times[name])
                shutil.rmtree(root)
    _print(times)


def _measure(start: Start, root: Path, blob: Path, digest: str, times: Times) -> None:
    began = time.perf_counter()
    with start(root) as server, httpx.Client(base_url=server.url) as client:
        client.get("/v2/").raise_for_status()
        times["ready to answer"].append(time.perf_counter() - began)
        location = client.post("/v2/a/blobs/uploads/").headers["Location"]
        target = client.base_url.join(location).copy_merge_params({"digest": digest})
        put = _curl("-T", str(blob), str(target))
        times[f"blob PUT, {SIZE >> 20} MiB"].append(put)
        get = _curl(f"{server.url}/v2/a/blobs/{digest}")
        times[f"blob GET, {SIZE >> 20} MiB"].append(get)
        push_image(client, "a", "latest", b"layer")
        where = f"manifest GET by tag, {CONNECTIONS} connections"
        times[where].append(_manifests(f"{server.url}/v2/a/manifests/latest"))
        where = f"push of a small image, {CLIENTS} clients, {IMAGES} images"
        times[where].append(_pushes(server) / IMAGES)
        times["memory"].append(psutil.Process(server.process.pid).memory_info().rss)


def _curl(*arguments: str) -> float:
    command = [_program("curl"), "--silent", "--show-error", "--fail", "--output", os.devnull]
    began = time.perf_counter()
    subprocess.run([*command, *arguments], check=True)
    return time.perf_counter() - began


def _manifests(url: str) -> float:
    """Seconds for one answer, when as many clients ask as there are connections."""
    command = [_program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
    command += ["-H", f"Accept: {OCI_MANIFEST}", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return 1 / float(found[1])


def _pushes(server: RunningServer) -> float:
    """Seconds for all images, each with a config and a layer of its own."""
    numbers = iter(range(IMAGES))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

        async def ask(method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
            lines = [f"{method} {path} HTTP/1.1", f"Host: {server.address}"]
            lines += [f"Content-Length: {len(body)}", f"Content-Type: {kind}"] if body else []
            lines += ["Content-Length: 0"] if method == "POST" else []
            writer.write("\r\n".join([*lines, "\r\n"]).encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if length and method != "HEAD":
                await reader.readexactly(int(length[1]))
            return head

        for number in numbers:
            repository = f"load/app{number % 50}"
            config, layer = b'{"n":%d}' % number, os.urandom(2000)
            for blob in (config, layer):
                digest = "sha256:" + hashlib.sha256(blob).hexdigest()
                await ask("HEAD", f"/v2/{repository}/blobs/{digest}")
                begun = await ask("POST", f"/v2/{repository}/blobs/uploads/")
                found = re.search(rb"(?i)\r\nlocation: (?:http://[^/]+)?(\S+)", begun)
                assert found, begun
                place = found[1].decode()
                mark = "&" if "?" in place else "?"
                kind = "application/octet-stream"
                answer = await ask("PUT", f"{place}{mark}digest={digest}", blob, kind)
                assert b" 201 " in answer[:20], answer
            manifest = image(config, layer)
            path = f"/v2/{repository}/manifests/v{number}"
            answer = await ask("PUT", path, manifest, OCI_MANIFEST)
            assert b" 201 " in answer[:20], answer
        writer.close()
        await writer.wait_closed()

    async def all_clients() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return time.perf_counter() - began

    return asyncio.run(all_clients())


def _write(blob: Path) -> str:
    content = os.urandom(SIZE)
    blob.write_bytes(content)
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        sys.exit(f"{name} is needed for this benchmark")
    return found


def _print(times: dict[str, Times]) -> None:
    ours, theirs = (times[name] for name in times)
    print(f"| | {' | '.join(times)} | ratio |\n|---|---|---|---|")
    for what, mine in ours.items():
        other = theirs[what]
        ratio = statistics.median(a / b for a, b in zip(mine, other, strict=True))
        one, two = (_shown(what, statistics.median(each)) for each in (mine, other))
        print(f"| {what} | {one} | {two} | {ratio:.2f} |")


def _shown(what: str, value: float) -> str:
    return f"{value / 2**20:.0f} MiB" if what == "memory" else f"{1000 * value:.2f} ms"


if __name__ == "__main__":
    main()
