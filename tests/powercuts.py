"""Cuts the power at every moment of the storage's work, and looks at what may be left.

`python powercuts.py EMPTY_FOLDER` does crashes.work once. Before each change of the disk, and
after each sync, it builds directories that a power cut may leave then: of a file or folder, what
was synced last is certain; of what changed since, any part may be there. It prints how many
directories were looked at.
"""

import json
import os
import random
import resource
import shutil
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

from crashes import CHANGES, check, push

from dockerlab.image import digest as digests
from dockerlab.registry import manifests
from dockerlab.registry.storage import Storage

SEED = int(os.environ.get("POWERCUT_SEED", "4"))
VARIANTS = 4  # directories for each moment, besides the two extremes


class Node(NamedTuple):
    """A file's bytes, or the inode numbers in a folder by their names."""

    content: bytes | None
    entries: dict[str, int]


def look(path: Path) -> Node:
    """The file or folder as it is now."""
    if not path.is_dir():
        return Node(path.read_bytes(), {})
    return Node(None, {entry.name: entry.inode() for entry in os.scandir(path)})


class Recorder:
    """What is certain to be on the disk, by inode number."""

    def __init__(self, root: Path, images: Path) -> None:
        self.root, self.images = root, images
        self.certain: dict[int, Node] = {root.stat().st_ino: look(root)}
        self.seen: dict[int, int] = {}
        self.count, self.busy = 0, False
        self.promised: dict[str, str | None] = {}  # links, and what they must hold
        self.random = random.Random(SEED)

    def sync(self, fd: int) -> None:
        """What Storage calls instead of fsync."""
        path = Path(os.readlink(f"/proc/self/fd/{fd}"))
        self.certain[os.fstat(fd).st_ino] = look(path)
        self.cut()

    def watch(self, event: str, _facts: object) -> None:
        """An audit hook."""
        if event in CHANGES and not self.busy:
            self.cut()

    def cut(self) -> None:
        """Look at directories that a power cut at this moment may leave."""
        self.busy = True
        now: dict[int, Node] = {}
        self.read(self.root, now)
        for variant in range(VARIANTS + 2):
            chance = (0.0, 1.0)[variant] if variant < 2 else self.random.random()
            target = self.images / str(self.count)
            self.build(self.root.stat().st_ino, now, target, chance)
            try:
                self.inspect(target)
            except BaseException:  # whose work this is might swallow it
                traceback.print_exc()
                os._exit(1)
            shutil.rmtree(target)
            self.count += 1
        self.busy = False

    def read(self, path: Path, now: dict[int, Node]) -> None:
        inode = path.stat().st_ino
        if inode not in self.seen:  # held open, so that no other gets its number
            self.seen[inode] = os.open(path, os.O_RDONLY)
        now[inode] = look(path)
        for name in now[inode].entries:
            self.read(path / name, now)

    def build(self, inode: int, now: dict[int, Node], target: Path, chance: float) -> None:
        """Each change since the last sync is there or not; all is for 1, nothing for 0."""
        kept, new = self.certain.get(inode), now.get(inode)
        lasts = self.random.random() < chance
        if (kept or new or Node(b"", {})).content is not None:
            old = kept.content if kept else b""
            target.write_bytes(old or b"" if kept or not lasts or chance == 1 else new.content)
            return
        target.mkdir()
        before, after = kept.entries if kept else {}, new.entries if new else {}
        for name in sorted({*before, *after}):
            there = after if self.random.random() < chance else before
            if name in there and (there[name] in now or there[name] in self.certain):
                self.build(there[name], now, target / name, chance)

    def inspect(self, root: Path) -> None:
        if (root / "docker/registry/v2").is_dir():
            check(root)
        for name, digest in self.promised.items():
            link = root / "docker/registry/v2/repositories" / name / "link"
            found = link.read_text(encoding="ascii") if link.exists() else None
            assert found == digest, name


def work(storage: Storage, recorder: Recorder) -> None:
    """Pushes, moved tags, mounts and deletes; what was answered is promised."""
    promised = recorder.promised

    def tag(tag: str, content: bytes) -> str:
        promised.pop(f"a/_manifests/tags/{tag}/current", None)  # until it is done, either may be
        promised[f"a/_manifests/tags/{tag}/current"] = digest = push(storage, "a", tag, content)
        promised["a/_layers/" + digests.of(content).replace(":", "/")] = digests.of(content)
        return digest

    old = tag("latest", b"old")
    tag("latest", b"new")
    tag("v1", b"old")
    assert storage.mount("b/c", digests.of(b"old"), "a")
    promised["b/c/_layers/" + digests.of(b"old").replace(":", "/")] = digests.of(b"old")
    promised.pop("a/_manifests/tags/latest/current")
    manifests.remove(storage, "a", "latest")
    promised["a/_manifests/tags/latest/current"] = None
    tag("latest", b"old")
    promised.clear()
    manifests.remove(storage, "a", old)
    for name in ("tags/latest/current", "tags/v1/current", f"revisions/{old.replace(':', '/')}"):
        promised[f"a/_manifests/{name}"] = None
    assert storage.delete_blob("b/c", digests.of(b"old"))
    promised["b/c/_layers/" + digests.of(b"old").replace(":", "/")] = None
    recorder.cut()
    promised.pop(f"a/_manifests/revisions/{old.replace(':', '/')}")
    tag("v1", b"old")


def main(folder: Path) -> int:
    """The number of directories that were looked at."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    root, images = folder / "root", folder / "images"
    root.mkdir()
    images.mkdir()
    recorder = Recorder(root, images)
    sys.addaudithook(recorder.watch)
    storage = Storage(root, sync=recorder.sync)
    work(storage, recorder)
    recorder.cut()
    recorder.busy = True
    return recorder.count


if __name__ == "__main__":
    print(json.dumps({"seed": SEED, "looked at": main(Path(sys.argv[1]))}))
