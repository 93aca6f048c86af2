"""Dies before every change that the storage makes to the disk, and looks at what is left.

`python crashes.py EMPTY_FOLDER` does the same work again and again, each time in a process of its
own that ends one change later, until one gets to the end; it prints how many died.
"""

import hashlib
import json
import os
import sys
from collections.abc import Collection
from pathlib import Path

from dockerlab.image import digest as digests
from dockerlab.image.manifest import Manifest
from dockerlab.registry import manifests
from dockerlab.registry.storage import Storage

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"}


def links(root: Path, pattern: str) -> list[tuple[Path, str]]:
    """All link files of a kind, with the digest that each holds."""
    found = root.glob(f"docker/registry/v2/repositories/**/{pattern}/link")
    return [(path, path.read_text(encoding="ascii")) for path in found]


def blob(root: Path, digest: str) -> Path:
    """The file of a blob."""
    algorithm, _, name = digest.partition(":")
    return root / "docker/registry/v2/blobs" / algorithm / name[:2] / name / "data"


def check(root: Path, *, layers: bool = True) -> None:
    """Every blob matches its name; what is pointed to is there, down to the `layers`."""
    for data in root.glob("docker/registry/v2/blobs/*/*/*/data"):
        algorithm = data.parts[-4]
        assert data.parent.name == hashlib.new(algorithm, data.read_bytes()).hexdigest()
    for path, digest in links(root, "_layers/*/*") + links(root, "_manifests/revisions/*/*"):
        assert digest == f"{path.parent.parent.name}:{path.parent.name}"
        assert blob(root, digest).exists()
    for tag in root.glob("docker/registry/v2/repositories/**/_manifests/tags/*"):
        digest = (tag / "current/link").read_text(encoding="ascii")
        algorithm, _, name = digest.partition(":")
        assert (tag / "index" / algorithm / name / "link").exists()
        repository = tag.parent.parent.parent
        assert (repository / "_manifests/revisions" / algorithm / name / "link").exists()
        manifest = json.loads(blob(root, digest).read_bytes())
        for item in (manifest["config"], *manifest["layers"]) if layers else ():
            assert (repository / "_layers" / item["digest"].replace(":", "/") / "link").exists()


def unsynced(_fd: int) -> None:
    """Nothing is lost by syncing nothing: only processes die here, the power stays."""


def push(storage: Storage, name: str, tag: str, content: bytes) -> str:
    """Push an image of one blob, as the server would."""
    upload = storage.begin(name)
    upload.write([content])
    upload.close()
    storage.keep(name, digests.of(content), upload)
    storage.finish(upload)
    blob = {"mediaType": "x/y", "digest": digests.of(content), "size": len(content)}
    raw = json.dumps({"schemaVersion": 2, "config": blob, "layers": [blob]}).encode()
    return manifests.store(storage, name, tag, Manifest.parse(raw))


def work(root: Path) -> None:
    """All that changes a registry's directory."""
    storage = Storage(root, sync=unsynced)
    assert storage.claim()
    old = push(storage, "a", "latest", b"old")
    push(storage, "a", "latest", b"new")
    push(storage, "a", "v1", b"old")
    assert storage.mount("b/c", digests.of(b"old"), "a")
    manifests.remove(storage, "a", "latest")
    push(storage, "a", "latest", b"old")
    manifests.remove(storage, "a", old)
    push(storage, "a", "v1", b"old")
    storage.begin("a")


def die_before(change: int, among: Collection[str] = CHANGES) -> None:
    """End this process, as kill -9 does, just before that one `among` the things it does."""
    seen = 0

    def watch(event: str, _facts: object) -> None:
        nonlocal seen
        seen += event in among
        if seen == change:
            os._exit(9)

    sys.addaudithook(watch)


def main(folder: Path) -> int:
    """The number of changes before which a process died."""
    for change in range(1, 10_000):
        root = folder / str(change)
        child = os.fork()
        if not child:
            try:
                die_before(change)
                work(root)
                os._exit(0)
            finally:
                os._exit(1)
        died = os.waitpid(child, 0)[1] != 0
        check(root)
        storage = Storage(root, sync=unsynced)
        assert storage.claim()
        storage.release()
        check(root)
        assert not list(root.glob("docker/registry/v2/repositories/**/_uploads"))
        assert not list(root.glob("docker/registry/v2/.partial/*"))
        if not died:
            return change - 1
    raise AssertionError("there is no end to it")


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
