"""A network with no way out, whose only server counts who wants out: `python -m tests.closed`.

It plays the proxy that everything is told to use, takes a connection for a mistake, and says so.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
_GET, _SET, _UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


class Closed:
    """Runs programs there; what they inherit is `env`, and nothing of this process's."""

    def __init__(self, home: Path, port: int, inside: Sequence[str]) -> None:
        self.inside = inside
        proxy = f"http://127.0.0.1:{port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        kept = {key: os.environ[key] for key in ("DOCKERLAB_TEST_HOME",) if key in os.environ}
        self.env: Mapping[str, str] = {
            **kept,
            **dict.fromkeys(names, proxy),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "HOME": str(home),
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "DOCKERLAB_ENGINE": "embedded",
        }

    def start(self, *command: object, **env: str) -> subprocess.Popen[str]:
        """A program whose output, both streams in one, can be read."""
        return subprocess.Popen(
            [*self.inside, *map(str, command)],
            env={**self.env, **env},
            cwd=self.env["HOME"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *command: object, **env: str) -> tuple[int, str]:
        """Exit status and output of a program."""
        with self.start(*command, **env) as process:
            said, _ = process.communicate(timeout=120)
            return process.returncode, said

    def good(self, *command: object, **env: str) -> str:
        """The output of a program that must succeed."""
        status, said = self.run(*command, **env)
        assert status == 0, said
        return said


@contextmanager
def closed(home: Path) -> Iterator[Closed]:
    """Such a network; where only root could make one, the proxy alone."""
    apart = ["unshare", "--net"] if _may_be_apart() else []
    command = [*apart, sys.executable, "-m", "tests.closed"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as holder:
        assert holder.stdout
        port = int(holder.stdout.readline())
        inside = ["nsenter", f"--target={holder.pid}", "--net"] if apart else []
        try:
            yield Closed(home, port, inside)
        finally:
            holder.terminate()
            wanted_out = holder.stdout.read()
        assert wanted_out == ""


def _may_be_apart() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("nsenter"):
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def _open_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, _GET, asked))[1]
        fcntl.ioctl(control, _SET, struct.pack("16sH14x", b"lo", flags | _UP))


def main() -> None:
    """Say the port, then a line for everyone who comes."""
    if sys.platform == "linux":
        with suppress(PermissionError):
            _open_loopback()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                print(connection.recv(200), flush=True)


if __name__ == "__main__":
    main()
