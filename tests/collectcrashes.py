"""Dies before every change that a garbage collection makes to the disk, and looks at what is left.

`python collectcrashes.py EMPTY_FOLDER` collects in copies of one registry, as crashes.py works.
"""

import os
import shutil
import sys
from pathlib import Path

from crashes import check, die_before, push

from dockerlab.image.manifest import Manifest
from dockerlab.registry import manifests
from dockerlab.registry.collect import collect
from dockerlab.registry.storage import Storage

SHARED = b"shared"


def fill(root: Path) -> None:
    """Images with tags, and some that lost theirs, or a repository, with what they shared."""
    storage = Storage(root)
    for name, tag, content in (
        ("a", "latest", b"old"),
        ("a", "latest", SHARED),
        ("a", "v1", b"one"),
        ("b", "v1", SHARED),
        ("b", "gone", b"two"),
    ):
        push(storage, name, tag, content)
    manifests.remove(storage, "b", "gone")
    manifests.remove(storage, "a", str(storage.resolve("a", "v1")))


def whole(root: Path) -> None:
    """Every tag's manifest and all that it names are there and right."""
    storage = Storage(root)
    for name, tag in (("a", "latest"), ("b", "v1")):
        digest = storage.resolve(name, tag)
        raw = digest and storage.manifest(name, digest)
        assert digest and raw
        for item in Manifest.parse(raw).blobs:
            found = storage.blob(name, item.digest)
            assert found and found.path.read_bytes() == SHARED


def main(folder: Path) -> int:
    """The number of changes before which a process died."""
    full = folder / "full"
    fill(full)
    for change in range(1, 10_000):
        root = folder / str(change)
        shutil.copytree(full, root)
        child = os.fork()
        if not child:
            try:
                die_before(change)
                collect(root, lambda line: None, untagged=True)
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 9)
        whole(root)
        collect(root, lambda line: None, untagged=True)
        whole(root)
        check(root)
        assert len(list(root.glob("docker/registry/v2/blobs/*/*/*/*"))) == 2
        assert not list(root.glob("docker/registry/v2/**/*.taken"))
        if not status:
            return change - 1
    raise AssertionError("there is no end to it")


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
