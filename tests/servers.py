"""Real registry processes for tests: dockerlab's own, and the one that Debian ships."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_LISTENING = re.compile(r"listening on (\S+:\d+)")
_CONFIG = """\
version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class RunningServer:
    """A registry process that accepts connections at `address` ("127.0.0.1:PORT")."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
        )
        self._address: str | None = None
        self._known = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._known.wait(30)
        if self._address is None:
            self.kill()
            raise RuntimeError(f"{command} does not listen:\n{self.log}")
        self.address = self._address

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.address}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rpartition(":")[2])

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return "".join(self.lines)

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self.process.kill()
        self._finish()

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and give its exit status."""
        self.process.terminate()
        self._finish()
        return self.process.returncode

    def _finish(self) -> None:
        self.process.wait(30)
        self._reader.join(30)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.lines.append(line)
                found = _LISTENING.search(line)
                if found and self._address is None:
                    self._address = found[1]
                    self._known.set()
        self._known.set()


@contextmanager
def start_server(
    root: Path,
    *,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[RunningServer]:
    """dockerlab's registry in a process of its own; port 0 lets the system choose."""
    command = [sys.executable, "-m", "dockerlab.registry.serve"]
    command += ["--root", str(root), "--host", "127.0.0.1", "--port", str(port), *arguments]
    settings = {"REGISTRY_STORAGE_DELETE_ENABLED": "true", **(env or {})}
    yield from _running(command, settings)


@contextmanager
def start_real_registry(
    binary: str | Path, root: Path, *, port: int = 0, env: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """The distribution project's registry (`docker-registry`) on the same kind of directory."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yml"
        config.write_text(_CONFIG.format(root=root, port=port), encoding="utf-8")
        yield from _running([str(binary), "serve", str(config)], env)


def _running(command: Sequence[str], env: Mapping[str, str] | None) -> Iterator[RunningServer]:
    server = RunningServer(command, env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
