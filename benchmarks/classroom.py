"""40 learners who push at once: a class's registry beside the real one (`docker-registry`).

    python benchmarks/classroom.py [ROUNDS]

Each learner pushes three images of about 4 MB as docker does, over TLS, with her own login: what
all have is sent once by each and mounted then, the rest is her own. The clients, asyncio in two
processes (tests/crowd.py), and the certificate, the passwords' hashes and the disk (RAM) are the
same for both. bcrypt costs 4, so that not it is what is measured. A last round, of a few learners,
has the usual 10, which the real registry pays at each request, and the class's once for each one.

Prints a Markdown table; exits with 1 if a class takes more time than the real registry.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))
from dockerlab.classroom.room import FOLDER
from dockerlab.registry import certificates
from tests.classes import held, let_in
from tests.crowd import IMAGES, crowd
from tests.servers import start_real_registry

LEARNERS, FEW = 40, 8
LIMIT = 1.0
USUAL = 10


@contextmanager
def ours(home: Path) -> Iterator[tuple[str, int]]:
    """A class: its address and its process."""
    with held(home, "--quota", "10GB") as room:
        yield room.address, room.process.pid


@contextmanager
def theirs(home: Path) -> Iterator[tuple[str, int]]:
    """The real registry, with the certificate and the passwords of that class."""
    folder = home / FOLDER
    made = certificates.issue(folder / "tls", "127.0.0.1", authority=folder / "authority")
    env = {
        "REGISTRY_HTTP_TLS_CERTIFICATE": str(made.certificate),
        "REGISTRY_HTTP_TLS_KEY": str(made.key),
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "The class",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(folder / "htpasswd"),
    }
    binary = shutil.which("docker-registry") or sys.exit("docker-registry is needed")
    with start_real_registry(str(binary), home / "real", env=env) as server:
        yield server.address, server.process.pid


SERVERS = {"dockerlab classroom": ours, "registry 2.8": theirs}


def measure(name: str, cost: int, learners: int) -> tuple[float, float]:
    """Seconds until all is pushed, and those of the processor that the server took for it."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        home = Path(folder)
        logins = let_in(home, *(f"learner-{n}" for n in range(learners)), cost=cost)
        ca = home / FOLDER / "authority" / "ca.crt"
        with SERVERS[name](home) as (address, process), crowd(address, ca, logins) as all_:
            before = sum(psutil.Process(process).cpu_times()[:2])
            all_.go()
            told, seconds = all_.told()
            assert len(told.manifests) == learners * IMAGES
            return seconds, sum(psutil.Process(process).cpu_times()[:2]) - before


def main() -> int:
    """Measure in turn, print, judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    print(f"| {IMAGES} images of each | {' | '.join(SERVERS)} | ratio |")
    print("|---|---|---|---|")
    ratio = _row(f"{LEARNERS} learners, bcrypt of cost 4", _turns(4, LEARNERS, rounds))
    _row(f"{FEW} learners, bcrypt of cost {USUAL}", _turns(USUAL, FEW, 1))
    return ratio > LIMIT


def _turns(cost: int, learners: int, rounds: int) -> Mapping[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS}
    for number in range(rounds):
        for name in sorted(SERVERS, reverse=bool(number % 2)):
            found[name].append(measure(name, cost, learners))
    return found


def _row(what: str, found: Mapping[str, list[tuple[float, float]]]) -> float:
    mine, other = found.values()
    ratio = statistics.median(a[0] / b[0] for a, b in zip(mine, other, strict=True))
    shown = [
        f"{statistics.median(each[0] for each in one):.2f} s "
        f"({statistics.median(each[1] for each in one):.2f} s of processor)"
        for one in (mine, other)
    ]
    print(f"| {what} | {' | '.join(shown)} | {ratio:.2f} |", flush=True)
    return ratio


if __name__ == "__main__":
    sys.exit(main())
