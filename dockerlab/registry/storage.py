"""What a registry keeps on disk, laid out as the Distribution project's filesystem driver does.

    ROOT/docker/registry/v2/
      blobs/sha256/ab/abcd…/data
      repositories/NAME/
        _layers/sha256/abcd…/link                       the repository has this blob
        _manifests/revisions/sha256/abcd…/link          … and this manifest
        _manifests/tags/TAG/current/link                what the tag points to
        _manifests/tags/TAG/index/sha256/abcd…/link     all that it has pointed to
        _uploads/UUID/{data,startedat}                  a blob on its way in
      .partial/                                         files and folders not yet in their place

Every file and every new tag is made in `.partial` and moved into place when it is whole and on
the disk, and what is pointed to is in place before what points to it: a crash or a power cut at
any moment leaves garbage at worst. Names, tags and digests must have been checked by the caller.

A blob whose file was changed in the future is promised to somebody: it was just uploaded,
mounted, or said to be there, and a manifest that names it may be on its way. Garbage collection
passes it over. A manifest that arrives or goes keeps its promises: they end now. Who collects
takes a file in hand (`data.taken`) before it goes; whoever misses one there takes it back.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockerlab.errors import InvalidDigest
from dockerlab.image import digest as digests
from dockerlab.registry.disk import Disk, Sync, changed, names, remove, rescue, touch
from dockerlab.registry.listing import Listing, is_repository
from dockerlab.registry.uploads import Upload

if TYPE_CHECKING:
    from filelock import FileLock


PROMISE = 3600  # seconds for which a blob is kept for a manifest that has not come yet
_LINK_LIMIT = 256  # bytes; a digest is shorter
_LOCKS = 64
_TRIES = 10  # how often another process may take away what is made here


class Blob(NamedTuple):
    """A blob's file and its size in bytes."""

    path: Path
    size: int


class Storage:
    """The registry directory at `root`; made if it is not there. Methods block; any thread."""

    def __init__(self, root: Path, sync: Sync = os.fsync) -> None:
        self.root = Path(root).absolute()
        self._base = self.root / "docker" / "registry" / "v2"
        self._disk = Disk(self._base / ".partial", sync)
        self._listing = Listing()
        self._changes = [threading.RLock() for _ in range(_LOCKS)]
        self._owner: FileLock | None = None
        self._uploads: dict[Path, Upload] = {}
        for folder in (self._base / "blobs", self._base / "repositories", self._disk.partial):
            self._disk.make(folder)
        self._disk.stage(b"").unlink()  # a root that cannot be written to shows now

    def check(self) -> None:
        """Return if files can be written here; OSError."""
        self._disk.stage(b"\0").unlink()

    def claim(self, *, resume: bool = False) -> bool:
        """Become the directory's only server; False if one is at it. Half uploads may `resume`."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._base / ".lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        self._owner = lock
        self._clean(resume)
        return True

    def release(self) -> None:
        """Let another server become the directory's owner."""
        if self._owner:
            self._owner.release()
            self._owner = None

    # Blobs

    def blob(self, repository: str, digest: str) -> Blob | None:
        """The blob, if it is in the repository."""
        return self._data(digest) if self._read(self._layer(repository, digest)) else None

    def has(self, digest: str) -> bool:
        """Whether the bytes are here, for whichever repository."""
        return self._data(digest) is not None

    def promise(self, repository: str, digest: str) -> Blob | None:
        """The blob, if it is in the repository, where it now stays for a while."""
        return self._promise(self._layer(repository, digest), digest)

    def mount(self, repository: str, digest: str, source: str | None = None) -> bool:
        """Give `repository` the blob that `source`, or any other, has; False if it has not."""
        there = self.blob(source, digest) if source else self._data(digest)
        if not there or not self._hold(digest):
            return False
        self._link(self._layer(repository, digest), digest)
        return self._hold(digest) is not None

    def keep(self, repository: str, digest: str, upload: Upload) -> None:
        """Make an upload a blob of the repository; DigestMismatch if it is another."""
        upload.verify(digest)
        self._disk.sync_file(upload.data)
        self._keep(digest, upload.data, self._layer(repository, digest))

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Take the blob out of the repository; False if it was not there."""
        self.settle([digest])
        return self._unlink(self._layer(repository, digest))

    def settle(self, digests: Iterable[str]) -> None:
        """End the promises about blobs: manifests alone say from now on whether they stay."""
        for digest in digests:
            touch(self._blob_path(digest))

    def drop(self, digest: str) -> None:
        """Remove the bytes of what no repository has any more."""
        self._disk.discard(self._blob_path(digest).parent)

    # Uploads

    def begin(self, repository: str, algorithm: str = "sha256") -> Upload:
        """Start an upload to the repository, of a blob whose digest will have that algorithm."""
        folder = self._upload(repository, str(uuid.uuid4()))
        self._disk.make(folder.parent)
        upload = Upload.begin(folder, algorithm)
        self._uploads[upload.folder] = upload
        return upload

    def uploads(self) -> int:
        """How many uploads are open in this process."""
        return len(self._uploads)

    def purge(self, age: float, *, dry_run: bool = False) -> list[Path]:
        """Remove the uploads to which nobody has written for `age` seconds; gives their folders."""
        before = time.time_ns() - int(age * 1e9)
        every = (folder / name for folder in self._upload_folders() for name in names(folder))
        found = [each for each in every if (changed(each / "data") or changed(each)) < before]
        for folder in found if not dry_run else ():
            self._uploads.pop(folder, None)
            shutil.rmtree(folder, ignore_errors=True)
        return found

    def upload(self, repository: str, identifier: str) -> Upload | None:
        """The upload that was begun under that UUID, if it goes on still."""
        folder = self._upload(repository, identifier)
        if (folder / "data").exists():
            return self._uploads.setdefault(folder, Upload(folder))
        self._uploads.pop(folder, None)
        return None

    def finish(self, upload: Upload) -> None:
        """Forget an upload, with what is left of its bytes."""
        upload.remove()
        self._uploads.pop(upload.folder, None)

    # Manifests and tags

    def manifest(self, repository: str, digest: str) -> bytes | None:
        """The manifest's bytes, if it is in the repository."""
        if not self._read(self._revision(repository, digest)):
            return None
        try:
            with open(self._blob_path(digest), "rb", buffering=0) as file:
                return file.readall()
        except FileNotFoundError:
            return self.manifest(repository, digest) if self._data(digest) else None

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether the repository has the manifest."""
        return bool(self._read(self._revision(repository, digest)) and self._data(digest))

    def promise_manifest(self, repository: str, digest: str) -> Blob | None:
        """The manifest's file, if it is in the repository, where it now stays for a while."""
        return self._promise(self._revision(repository, digest), digest)

    def put_manifest(
        self,
        repository: str,
        digest: str,
        raw: bytes,
        *tags: str | None,
        check: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Store a manifest whose digest was verified, then let the tags point to it.

        `check` says whether all that it names is there; it is asked when the manifest is in its
        place, as who collects garbage knows of it only then. If not, it goes again, and False.
        """
        revision = self._revision(repository, digest)
        staged = self._disk.stage(raw)
        with self._changing(repository):
            self._keep(digest, staged, revision)
            whole = check()
            for tag in filter(None, tags if whole else ()):
                self._tag(repository, tag, digest)
            if whole and not self._read(revision):  # deleted by another process meanwhile
                self._link(revision, digest)
                whole = check()
            if not whole:
                self.delete_manifest(repository, digest)
        return whole

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Remove a manifest and the tags that point to it; False if it was not there."""
        with self._changing(repository):
            self._hold(digest)  # or who collects garbage goes on with it when the tags are gone
            for tag in self._pointing(repository, digest):
                self.untag(repository, tag)
            removed = self._unlink(self._revision(repository, digest))
            self.settle([digest])
            if removed and any(True for _ in self._pointing(repository, digest)):
                self._link(self._revision(repository, digest), digest)  # another process's push
        return removed

    def manifests(self, repository: str) -> Iterator[str]:
        """The digests of all manifests in the repository."""
        for digest in self.revisions(repository):
            if self._read(self._revision(repository, digest)):
                yield digest

    def revisions(self, repository: str) -> Iterator[str]:
        """The digests of all manifests that are or were in the repository."""
        revisions = self._manifests(repository) / "revisions"
        for algorithm in digests.SIZES:
            yield from named(revisions / algorithm, algorithm)

    def stamp(self, repository: str) -> tuple[int, ...]:
        """What differs when `revisions` gives other digests than before, but for a second."""
        revisions = self._manifests(repository) / "revisions"
        return tuple(changed(revisions / algorithm) for algorithm in digests.SIZES)

    def resolve(self, repository: str, tag: str) -> str | None:
        """The digest that a tag points to."""
        return self._read(self._manifests(repository) / "tags" / tag / "current" / "link")

    def untag(self, repository: str, tag: str) -> bool:
        """Remove a tag; False if it was not there."""
        with self._changing(repository):
            return self._disk.discard(self._manifests(repository) / "tags" / tag)

    def tags(self, repository: str, after: str = "", limit: int | None = None) -> list[str] | None:
        """The repository's tags in order, from `after` on; None if there is no such repository."""
        folder = self._repository(repository)
        if not is_repository(folder):
            return None
        tags = folder / "_manifests" / "tags"
        every = self._listing.names(tags, after)
        return list(islice((n for n in every if (tags / n / "current/link").is_file()), limit))

    def repositories(self, after: str = "", limit: int | None = None) -> list[str]:
        """The repositories in order, from `after` on."""
        every = self._listing.repositories(self._base / "repositories", after)
        return list(islice(every, limit))

    # Where things are

    def _repository(self, name: str) -> Path:
        return self._base.joinpath("repositories", *name.split("/"))

    def _manifests(self, repository: str) -> Path:
        return self._repository(repository) / "_manifests"

    def _upload(self, repository: str, identifier: str) -> Path:
        return self._repository(repository) / "_uploads" / identifier

    def _layer(self, repository: str, digest: str) -> Path:
        return self._repository(repository).joinpath("_layers", *digests.split(digest), "link")

    def _revision(self, repository: str, digest: str) -> Path:
        return self._manifests(repository).joinpath("revisions", *digests.split(digest), "link")

    def _blob_path(self, digest: str) -> Path:
        algorithm, name = digests.split(digest)
        return self._base / "blobs" / algorithm / name[:2] / name / "data"

    def _data(self, digest: str) -> Blob | None:
        path = self._blob_path(digest)
        try:
            return Blob(path, path.stat().st_size)
        except FileNotFoundError:
            return self._data(digest) if rescue(path, PROMISE) else None

    # Reading and writing

    def _read(self, link: Path) -> str | None:
        try:
            with open(link, "rb", buffering=0) as file:
                digest = file.read(_LINK_LIMIT).decode("ascii").strip()
            digests.split(digest)
            return digest
        except FileNotFoundError:
            return self._read(link) if rescue(link) else None
        except (NotADirectoryError, UnicodeDecodeError, InvalidDigest):
            return None

    def _changing(self, repository: str) -> threading.RLock:
        return self._changes[hash(repository) % _LOCKS]

    def _hold(self, digest: str) -> Blob | None:
        touch(self._blob_path(digest), PROMISE)
        return self._data(digest)  # looked up last: who collects garbage looks after taking away

    def _promise(self, link: Path, digest: str) -> Blob | None:
        held = self._hold(digest) if self._read(link) else None
        return held if held and self._read(link) else None  # it may have gone before the promise

    def _link(self, link: Path, digest: str) -> None:
        self._disk.move(self._disk.stage(digest.encode()), link)

    def _unlink(self, link: Path) -> bool:
        """Remove a link, though somebody has it in hand; False if it was not there."""
        removed = False
        while self._read(link):
            removed = self._disk.unlink(link) or removed
        return removed

    def _keep(self, digest: str, file: Path, link: Path) -> None:
        """Make a file, whose content is on the disk, the blob that `link` points to."""
        blob, size = self._blob_path(digest), file.stat().st_size
        touch(file, PROMISE)
        held = self._hold(digest)
        if held and held.size == size:
            self._disk.sync_folder(blob.parent)  # whoever put it there may not have come to that
        else:
            self._disk.move(file, blob)
        try:
            self._link(link, digest)
            if file.exists() and not self._hold(digest):  # collected after all
                self._disk.move(file, blob)
        finally:
            file.unlink(missing_ok=True)

    def _tag(self, repository: str, tag: str, digest: str) -> None:
        folder = self._manifests(repository) / "tags" / tag
        index, current = Path("index", *digests.split(digest), "link"), Path("current", "link")
        for tries in range(_TRIES, -1, -1):
            if self._read(folder / current):
                self._link(folder / index, digest)
                self._link(folder / current, digest)
                if self._read(folder / index):
                    return
            else:
                new = self._disk.new()
                for link in (new / index, new / current):
                    self._disk.make(link.parent)
                    self._disk.stage(digest.encode(), link)
                    self._disk.sync_folder(link.parent)
                try:
                    return self._disk.move(new, folder)
                except OSError:  # another process makes that tag, or died over it
                    if not tries:
                        raise
                    if not self._read(folder / current):
                        self._disk.discard(folder)

    def _pointing(self, repository: str, digest: str) -> Iterator[str]:
        for tag in self.tags(repository) or ():
            if self.resolve(repository, tag) == digest:
                yield tag

    def _upload_folders(self) -> Iterator[Path]:
        for folder, children, _files in os.walk(self._base / "repositories"):
            if "_uploads" in children:
                yield Path(folder, "_uploads")
            children[:] = [name for name in children if not name.startswith("_")]

    def _clean(self, resume: bool) -> None:
        for name in names(self._disk.partial):
            remove(self._disk.partial / name)
        for folder in () if resume else self._upload_folders():
            remove(folder)


def named(folder: Path, algorithm: str) -> Iterator[str]:
    """The digests that the names in a folder are, in order."""
    for name in sorted(names(folder)):
        with suppress(InvalidDigest):
            digests.split(f"{algorithm}:{name}")
            yield f"{algorithm}:{name}"
