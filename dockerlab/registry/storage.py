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

Every file and every new tag is made in `.partial` and moved into place when it is whole, and
what is pointed to is in place before what points to it: a crash at any moment leaves garbage
at worst. Names, tags and digests must have been checked by the caller.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockerlab.errors import InvalidDigest
from dockerlab.image import digest as digests
from dockerlab.registry.uploads import Upload

if TYPE_CHECKING:
    from filelock import FileLock


_LINK_LIMIT = 256  # bytes; a digest is shorter


class Blob(NamedTuple):
    """A blob's file and its size in bytes."""

    path: Path
    size: int


class Storage:
    """The registry directory at `root`; made if it is not there. Methods block; any thread."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self._base = self.root / "docker" / "registry" / "v2"
        self._partial = self._base / ".partial"
        self._change = threading.RLock()
        self._owner: FileLock | None = None
        self._uploads: dict[Path, Upload] = {}
        for folder in (self._base / "blobs", self._base / "repositories", self._partial):
            folder.mkdir(parents=True, exist_ok=True)
        self._stage(b"").unlink()  # a root that cannot be written to shows now

    def claim(self) -> bool:
        """Become the directory's only server and remove half uploads; False if one is at it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._base / ".lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        self._owner = lock
        self._clean()
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

    def mount(self, repository: str, digest: str, source: str) -> bool:
        """Give `repository` the blob that `source` has; False if it has not."""
        if not self.blob(source, digest):
            return False
        self._link(self._layer(repository, digest), digest)
        return True

    def keep(self, repository: str, digest: str, upload: Upload) -> None:
        """Make an upload a blob of the repository; DigestMismatch if it is another."""
        upload.verify(digest)
        self._keep(digest, upload.data)
        self._link(self._layer(repository, digest), digest)

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Take the blob out of the repository; False if it was not there."""
        return _unlink(self._layer(repository, digest))

    # Uploads

    def begin(self, repository: str) -> Upload:
        """Start an upload to the repository."""
        upload = Upload.begin(self._upload(repository, str(uuid.uuid4())))
        self._uploads[upload.folder] = upload
        return upload

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
            return None

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether the repository has the manifest."""
        return bool(self._read(self._revision(repository, digest)) and self._data(digest))

    def put_manifest(self, repository: str, digest: str, raw: bytes, tag: str | None) -> None:
        """Store a manifest whose digest was verified, then let `tag` point to it."""
        with self._change:
            self._keep(digest, self._stage(raw))
            self._link(self._revision(repository, digest), digest)
            if tag is not None:
                self._tag(repository, tag, digest)

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Remove a manifest and the tags that point to it; False if it was not there."""
        with self._change:
            for tag in self.tags(repository) or ():
                if self.resolve(repository, tag) == digest:
                    self.untag(repository, tag)
            return _unlink(self._revision(repository, digest))

    def manifests(self, repository: str) -> Iterator[str]:
        """The digests of all manifests in the repository."""
        revisions = self._manifests(repository) / "revisions"
        for algorithm in _names(revisions):
            for name in _names(revisions / algorithm):
                if self._read(revisions / algorithm / name / "link"):
                    yield f"{algorithm}:{name}"

    def resolve(self, repository: str, tag: str) -> str | None:
        """The digest that a tag points to."""
        return self._read(self._manifests(repository) / "tags" / tag / "current" / "link")

    def untag(self, repository: str, tag: str) -> bool:
        """Remove a tag; False if it was not there."""
        with self._change:
            return self._discard(self._manifests(repository) / "tags" / tag)

    def tags(self, repository: str) -> list[str] | None:
        """The repository's tags in order; None if there is no such repository."""
        folder = self._repository(repository)
        if not _is_repository(folder):
            return None
        tags = folder / "_manifests" / "tags"
        return sorted(tag for tag in _names(tags) if (tags / tag / "current" / "link").is_file())

    def repositories(self) -> list[str]:
        """All repositories in order."""
        return sorted(_walk(self._base / "repositories", ""))

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
            return None

    # Reading and writing

    def _read(self, link: Path) -> str | None:
        try:
            with open(link, "rb", buffering=0) as file:
                digest = file.read(_LINK_LIMIT).decode("ascii").strip()
            digests.split(digest)
            return digest
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError, InvalidDigest):
            return None

    def _link(self, link: Path, digest: str) -> None:
        self._move(self._stage(digest.encode()), link)

    def _keep(self, digest: str, file: Path) -> None:
        present = self._data(digest)
        if present and present.size == file.stat().st_size:
            file.unlink()
        else:
            self._move(file, self._blob_path(digest))

    def _tag(self, repository: str, tag: str, digest: str) -> None:
        folder = self._manifests(repository) / "tags" / tag
        index = Path("index", *digests.split(digest), "link")
        if self._read(folder / "current" / "link"):
            self._link(folder / index, digest)
            self._link(folder / "current" / "link", digest)
        else:
            new = self._new()
            for link in (new / index, new / "current" / "link"):
                link.parent.mkdir(parents=True)
                link.write_bytes(digest.encode())
            self._discard(folder)
            self._move(new, folder)

    def _new(self) -> Path:
        return self._partial / uuid.uuid4().hex

    def _stage(self, content: bytes) -> Path:
        file = self._new()
        try:
            file.write_bytes(content)
        except OSError:
            file.unlink(missing_ok=True)
            raise
        return file

    def _move(self, staged: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, target)
        except OSError:
            _remove(staged)
            raise

    def _discard(self, folder: Path) -> bool:
        gone = self._new()
        try:
            os.replace(folder, gone)
        except FileNotFoundError:
            return False
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def _clean(self) -> None:
        for name in _names(self._partial):
            _remove(self._partial / name)
        for folder, children, _files in os.walk(self._base / "repositories"):
            if "_uploads" in children:
                shutil.rmtree(Path(folder, "_uploads"), ignore_errors=True)
            children[:] = [name for name in children if not name.startswith("_")]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_repository(folder: Path) -> bool:
    return (folder / "_manifests").is_dir() or (folder / "_layers").is_dir()


def _walk(folder: Path, name: str) -> Iterator[str]:
    if name and _is_repository(folder):
        yield name
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("_") and entry.is_dir():
                yield from _walk(folder / entry.name, f"{name}/{entry.name}".lstrip("/"))


def _unlink(file: Path) -> bool:
    try:
        file.unlink()
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
