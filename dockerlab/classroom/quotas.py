"""Room on the instructor's disk: so much for each learner, and some that nobody gets.

What counts is the bytes of the distinct blobs in a learner's repositories, and of her uploads.
Both are counted from the folder when she first writes, kept up from then on, and counted again
before anything is refused: garbage collection, in whichever process, gives room back.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerlab.classroom.sizes import said
from dockerlab.i18n import _
from dockerlab.image import digest as digests
from dockerlab.registry.collect import CollectError, collect
from dockerlab.registry.disk import changed, names
from dockerlab.registry.journal import log
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.storage import PROMISE, Storage, named
from dockerlab.registry.uploads import Upload

_IDLE = 300  # seconds after which an upload makes way for others of its learner
_SELDOM = 1  # seconds between two counts of the same learner's, at least
_FLOOR, _SHARE = 1024**3, 0.05  # of the disk: the smaller one stays free
_SLEPT = 60  # seconds between two calls of what is done every few seconds
_LOOK = 0.25  # seconds between two looks at the disk


class Metered(Storage):
    """A registry's folder in which every namespace has room for `quota` bytes.

    What is too much raises a Refusal, and the upload that it came with is gone.
    """

    def __init__(self, root: Path, quota: int) -> None:
        super().__init__(root)
        self.quota = quota
        self._repositories = self._base / "repositories"
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()
        self._looked, self._free = 0.0, 0
        self._deleted = threading.Event()
        self._tidied, self._not_before = time.time(), 0.0

    def used(self, namespace: str) -> int:
        """The bytes that a namespace has, counted now."""
        return self._account(namespace).used

    def size(self, digest: str) -> int:
        """The bytes of a blob, whoever has it; 0 if nobody."""
        blob = self._data(digest)
        return blob.size if blob else 0

    def tidy(self) -> None:
        """Collect garbage, if something was deleted since the last time."""
        now = time.time()
        if now - self._tidied > _SLEPT:  # this machine did, and promises may have run out unheard
            self._not_before = now + PROMISE
        self._tidied = now
        if now > self._not_before and self._deleted.is_set():
            self._deleted.clear()
            try:
                collect(self.root, lambda line: None)
            except CollectError as error:
                log("error", str(error))

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Remove a manifest; what it alone needs goes when it is tidied."""
        self._deleted.set()
        return super().delete_manifest(repository, digest)

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Take the blob out of the repository; its bytes go when it is tidied."""
        self._deleted.set()
        return super().delete_blob(repository, digest)

    def begin(self, repository: str, algorithm: str = "sha256") -> Upload:
        """Start an upload, if there is any room at all."""
        self._check_disk(1)
        account = self._account(repository)
        account.take(None, 1)
        return self._watched(account, super().begin(repository, algorithm))

    def upload(self, repository: str, identifier: str) -> Upload | None:
        """The upload that was begun under that UUID."""
        found = super().upload(repository, identifier)
        return self._watched(self._account(repository), found) if found else None

    def finish(self, upload: Upload) -> None:
        """Forget an upload."""
        super().finish(upload)
        namespace = upload.folder.relative_to(self._repositories).parts[0]
        self._account(namespace).forget(upload.folder)

    def keep(self, repository: str, digest: str, upload: Upload) -> None:
        """Make an upload a blob of the repository."""
        with self._account(repository).gaining(digest, upload.size, upload.folder):
            super().keep(repository, digest, upload)

    def mount(self, repository: str, digest: str, source: str | None = None) -> bool:
        """Give the repository a blob that another one has."""
        there = self._data(digest)
        if not there:
            return False
        with self._account(repository).gaining(digest, there.size):
            return super().mount(repository, digest, source)

    def put_manifest(
        self,
        repository: str,
        digest: str,
        raw: bytes,
        *tags: str | None,
        check: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Store a manifest, which counts as a blob does."""
        with self._account(repository).gaining(digest, len(raw)):
            return super().put_manifest(repository, digest, raw, *tags, check=check)

    def _watched(self, account: _Account, upload: Upload) -> Upload:
        def allow(size: int) -> None:
            try:
                self._check_disk(size)
                account.take(upload.folder, size)
            except Refusal:
                self._uploads.pop(upload.folder, None)
                account.forget(upload.folder)
                raise

        upload.allow = allow
        return upload

    def _account(self, repository: str) -> _Account:
        namespace = repository.partition("/")[0]
        with self._lock:
            if namespace not in self._accounts:
                account = _Account(self, self._repositories / namespace, namespace)
                self._accounts[namespace] = account
            return self._accounts[namespace]

    def _check_disk(self, size: int) -> None:
        now = time.monotonic()
        if now - self._looked > _LOOK:
            usage = shutil.disk_usage(self.root)
            self._looked, self._free = now, usage.free - int(min(_FLOOR, usage.total * _SHARE))
        self._free -= size
        if self._free < 0:
            message = _(
                "the disk of the class's machine is nearly full; what is there can be pulled "
                "still. Tell your instructor."
            )
            raise Refusal("DENIED", message=message)


class _Account:
    """What one namespace has: blobs by digest, uploads by folder, each with its bytes."""

    def __init__(self, storage: Metered, folder: Path, namespace: str) -> None:
        self._storage, self._folder, self._namespace = storage, folder, namespace
        self._lock = threading.RLock()
        self._held: dict[str, int] = {}
        self._open: dict[Path, int] = {}
        self._coming: Counter[str] = Counter()  # blobs that are on their way to their place
        self._counted = 0.0

    def take(self, upload: Path | None, size: int) -> None:
        """So many more bytes arrive, in an upload or to begin one; Refusal if there is no room."""
        with self._lock:
            self._fit(size)
            if upload:
                self._open[upload] = self._open.get(upload, 0) + size

    def forget(self, upload: Path) -> None:
        """An upload has ended."""
        with self._lock:
            self._open.pop(upload, None)

    @contextmanager
    def gaining(self, digest: str, size: int, upload: Path | None = None) -> Iterator[None]:
        """Meanwhile a blob gets to its place; Refusal if there is no room."""
        with self._lock:
            if upload:
                self._open.pop(upload, None)
            if digest not in self._held:
                self._fit(size)
            self._held[digest] = size
            self._coming[digest] += 1
        try:
            yield
        finally:
            with self._lock:
                self._coming[digest] -= 1

    def _count(self) -> None:
        """Begin anew from the folder, where what is on its way is not yet."""
        with self._lock:
            coming = {digest for digest, times in (+self._coming).items() if times}
            kept = {digest: self._held[digest] for digest in coming if digest in self._held}
            self._held = {**self._blobs(), **kept}
            before, self._open = self._open, {}
            for upload in self._uploads():
                if time.time_ns() - changed(upload / "data") > _IDLE * 1e9:
                    Storage.finish(self._storage, Upload(upload))
                else:
                    self._open[upload] = before.get(upload) or _size(upload / "data")
            self._counted = time.monotonic()

    @property
    def used(self) -> int:
        """All that is in the repositories, counted now."""
        return sum(self._blobs().values())

    @property
    def _sum(self) -> int:
        return sum(self._held.values()) + sum(self._open.values())

    def _fit(self, size: int) -> None:
        quota = self._storage.quota
        if not self._counted:
            self._count()
        if self._sum + size > quota and time.monotonic() - self._counted > _SELDOM:
            self._count()
        if self._sum + size > quota:
            message = _(
                "this does not fit in: {login} has room for {quota}, and {used} of it is taken. "
                "Images that are deleted make room again."
            ).format(login=self._namespace, quota=said(quota), used=said(sum(self._held.values())))
            raise Refusal("DENIED", message=message)

    def _blobs(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder in self._inside("_layers", "_manifests"):
            folder = folder / "revisions" if folder.name == "_manifests" else folder
            for algorithm in digests.SIZES:
                for digest in named(folder / algorithm, algorithm):
                    size = found.get(digest) or self._storage.size(digest)
                    if size and folder.joinpath(*digests.split(digest), "link").exists():
                        found[digest] = size
        return found

    def _uploads(self) -> list[Path]:
        return [folder / name for folder in self._inside("_uploads") for name in names(folder)]

    def _inside(self, *wanted: str) -> Iterator[Path]:
        """The folders of those names in all repositories of the namespace."""
        for folder, children, _files in os.walk(self._folder):
            yield from (Path(folder, name) for name in children if name in wanted)
            children[:] = [name for name in children if not name.startswith("_")]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
