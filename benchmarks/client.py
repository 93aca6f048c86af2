"""How fast the client is beside skopeo, and how much memory it takes, on the real registry 2.8.

    python benchmarks/client.py [--runs 7] [--dir /dev/shm]

Both copy one image of 4 × 64 MiB random layers between an OCI layout and Debian's
`docker-registry`, in turns, each run into a fresh registry. skopeo is timed as a process; the
client as a call in a running Python, as a notebook makes it, and as a whole process too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, encode
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import pull, push

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from servers import start_real_registry

MIB = 1024 * 1024
NAME = "image:1"


def image(path: Path, layers: int, size: int) -> tuple[Layout, Descriptor]:
    """A layout at `path` with one image of random, uncompressed layers."""
    layout = Layout(path)
    descriptors = [random_blob(layout, size) for _ in range(layers)]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in descriptors]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(encode(config), OCI_CONFIG).to_json(),
        "layers": [layer.to_json() for layer in descriptors],
    }
    top = layout.add(encode(manifest), OCI_MANIFEST)
    layout.update(lambda entries: [Entry(NAME, top)])
    return layout, top


def random_blob(layout: Layout, size: int) -> Descriptor:
    """A blob of random bytes, written and hashed in pieces."""
    with tempfile.TemporaryFile(dir=layout.path) as file:
        hasher = hashlib.sha256()
        for _ in range(size // MIB):
            chunk = os.urandom(MIB)
            hasher.update(chunk)
            file.write(chunk)
        file.seek(0)
        blob = Descriptor(OCI_LAYER, f"sha256:{hasher.hexdigest()}", size)
        with layout.writer(blob) as writer:
            while chunk := file.read(MIB):
                writer.write(chunk)
    return blob


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A fresh real registry, by its address."""
    binary = shutil.which("docker-registry")
    assert binary, "docker-registry is not installed"
    root = Path(tempfile.mkdtemp(dir=folder))
    try:
        with start_real_registry(binary, root) as server:
            yield server.address
    finally:
        shutil.rmtree(root)


def client_push(source: Layout, top: Descriptor, host: str) -> None:
    with Registry(host) as target:
        push(source, top, target, Reference.parse(f"{host}/{NAME}"))


def client_pull(into: Path, host: str) -> None:
    with Registry(host) as source:
        pull(Layout(into), source, Reference.parse(f"{host}/{NAME}"), platform=None)


def process(arguments: list[str]) -> None:
    subprocess.run([sys.executable, __file__, *arguments], check=True)


def skopeo(source: str, target: str, registry: str) -> None:
    command = ["skopeo", "copy", "--quiet", "--preserve-digests", f"--{registry}-tls-verify=false"]
    subprocess.run([*command, source, target], check=True, stdout=subprocess.DEVNULL)


def timed(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(folder: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of every run, by what was done."""
    source, top = image(folder / "source", 4, 64 * MIB)
    times: dict[str, list[float]] = {}

    def note(key: str, call: Callable[[], None]) -> None:
        times.setdefault(key, []).append(timed(call))

    into = folder / "into"
    for _ in range(runs):
        with registry(folder) as host:
            local = f"oci:{source.path}:{NAME}"
            note("push skopeo", partial(skopeo, local, f"docker://{host}/{NAME}", "dest"))
        with registry(folder) as host:
            note("push process", partial(process, ["--push", str(source.path), host]))
        with registry(folder) as host:
            note("push client", partial(client_push, source, top, host))
            note("pull skopeo", partial(skopeo, f"docker://{host}/{NAME}", f"oci:{into}:1", "src"))
            shutil.rmtree(into)
            note("pull client", partial(client_pull, into, host))
            shutil.rmtree(into)
            note("pull process", partial(process, ["--pull", str(into), host]))
            shutil.rmtree(into)
    return times


def memory(folder: Path) -> None:
    """Peak resident memory of a child process that pushes and pulls one layer of 1 GiB."""
    source, _ = image(folder / "large", 1, 1024 * MIB)
    with registry(folder) as host:
        process(["--push", str(source.path), host, "--peak"])
        process(["--pull", str(folder / "large-back"), host, "--peak"])


def table(times: dict[str, list[float]], runs: int) -> None:
    median = {key: statistics.median(values) for key, values in times.items()}
    print(f"4 × 64 MiB, median of {runs} runs\n")
    print("| | skopeo | client | ratio | client as a process | ratio |")
    print("|---|---|---|---|---|---|")
    for way in ("push", "pull"):
        yardstick, call, whole = (median[f"{way} {who}"] for who in ("skopeo", "client", "process"))
        print(
            f"| {way} | {yardstick:.2f} s | {call:.2f} s | {call / yardstick:.2f}"
            f" | {whole:.2f} s | {whole / yardstick:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--dir", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    parser.add_argument("--push", nargs=2, metavar=("LAYOUT", "HOST"))
    parser.add_argument("--pull", nargs=2, metavar=("LAYOUT", "HOST"))
    parser.add_argument("--peak", action="store_true")
    options = parser.parse_args()
    if options.push:
        layout = Layout(Path(options.push[0]))
        client_push(layout, layout.entries()[0].descriptor, options.push[1])
    elif options.pull:
        client_pull(Path(options.pull[0]), options.pull[1])
    else:
        with tempfile.TemporaryDirectory(dir=options.dir) as name:
            table(compare(Path(name), options.runs), options.runs)
            print()
            memory(Path(name))
    if options.peak:
        # Unlike ru_maxrss, this begins anew when a process starts a program.
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
        way = "push" if options.push else "pull"
        print(f"1 GiB {way}: at most {peak:.0f} MiB resident", flush=True)


if __name__ == "__main__":
    main()
