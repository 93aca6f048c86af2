"""dockerlab's registry beside the real one (`docker-registry`), in one run, on a RAM disk.

    python benchmarks/registry.py [ROUNDS]

Prints a Markdown table of medians; curl is the client for blobs. A ratio below 1 means that
dockerlab takes less time than the real registry.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import RunningServer, push_image, start_real_registry, start_server

SIZE = 256 * 1024 * 1024
MANIFESTS = 500
Start = Callable[[Path], AbstractContextManager[RunningServer]]
Times = dict[str, list[float]]


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
            for name, start in starts.items():
                root = Path(folder) / f"{name}-{number}"
                _measure(start, root, blob, digest, times[name])
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
        times["manifest GET by tag"].append(_manifests(server))


def _curl(*arguments: str) -> float:
    command = [_program("curl"), "--silent", "--show-error", "--fail", "--output", os.devnull]
    began = time.perf_counter()
    subprocess.run([*command, *arguments], check=True)
    return time.perf_counter() - began


def _manifests(server: RunningServer) -> float:
    headers = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        began = time.perf_counter()
        for _ in range(MANIFESTS):
            connection.request("GET", "/v2/a/manifests/latest", headers=headers)
            json.load(connection.getresponse())
        return (time.perf_counter() - began) / MANIFESTS


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
    ours, theirs = times
    print(f"| | {ours} | {theirs} | ratio |\n|---|---|---|---|")
    for what in times[ours]:
        mine, other = (statistics.median(times[name][what]) for name in times)
        print(f"| {what} | {1000 * mine:.2f} ms | {1000 * other:.2f} ms | {mine / other:.2f} |")


if __name__ == "__main__":
    main()
