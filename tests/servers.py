"""Real registry processes for tests, dockerlab's own and Debian's; and raw HTTP to fill them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
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
        self.address = ""
        self._known = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._known.wait(30)
        if not self.address:
            self.kill()
            raise RuntimeError(f"{command} does not listen:\n{self.log}")

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
                if found and not self.address:
                    self.address = found[1]
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


def sha256(content: bytes) -> str:
    """The digest of `content`."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(content: bytes, media_type: str) -> dict[str, object]:
    """What points to `content` in a manifest."""
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}


def push_blob(http: httpx.Client, name: str, content: bytes) -> str:
    """Push `content` to repository `name` in two requests; gives its digest."""
    started = http.post(f"/v2/{name}/blobs/uploads/")
    assert started.status_code == 202, started.text
    where = httpx.URL(started.headers["Location"]).copy_merge_params({"digest": sha256(content)})
    ended = http.put(where, content=content)
    assert ended.status_code == 201, ended.text
    return sha256(content)


def image(config: bytes, *layers: bytes, **more: object) -> bytes:
    """The manifest of an image made of these blobs."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, OCI_CONFIG),
        "layers": [descriptor(layer, OCI_LAYER) for layer in layers],
        **more,
    }
    return json.dumps(manifest).encode()


def put_manifest(
    http: httpx.Client, name: str, reference: str, raw: bytes, media_type: str = OCI_MANIFEST
) -> httpx.Response:
    """Put a manifest under a tag or digest."""
    headers = {"Content-Type": media_type}
    return http.put(f"/v2/{name}/manifests/{reference}", content=raw, headers=headers)


def push_image(http: httpx.Client, name: str, tag: str, *layers: bytes, **more: object) -> str:
    """Push an image of these layers and tag it; gives the manifest's digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
    for content in (config, *layers):
        push_blob(http, name, content)
    raw = image(config, *layers, **more)
    answer = put_manifest(http, name, tag, raw)
    assert answer.status_code == 201, answer.text
    return sha256(raw)
