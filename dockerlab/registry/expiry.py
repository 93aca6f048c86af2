"""What a pull-through cache has fetched goes again after a while (`proxy.ttl`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dockerlab.image import digest as digests
from dockerlab.registry.chores import regularly
from dockerlab.registry.journal import log
from dockerlab.registry.storage import Storage

_SELDOM = 3600  # seconds; at least so often it is looked for what has expired


class Expiry:
    """Knows when blobs and manifests were fetched: a file for each, changed then.

    What was pushed before the registry became a cache is not its business.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._folder = storage.root / ".fetched"

    def note(self, digest: str) -> None:
        """It is fetched now, or is found to be as it was; to be said before it is kept."""
        file = self._folder.joinpath(*digests.split(digest))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    def remove(self, before: float) -> None:
        """Remove from all repositories what was fetched before that moment."""
        for file in self._folder.glob("*/*"):
            if file.stat().st_mtime >= before:
                continue
            digest = f"{file.parent.name}:{file.name}"
            for repository in self._storage.repositories():
                self._storage.delete_manifest(repository, digest)
                self._storage.delete_blob(repository, digest)
            self._storage.drop(digest)
            file.unlink()
            log("info", f"{digest} has expired")

    @contextmanager
    def watching(self, life: float) -> Iterator[None]:
        """Meanwhile, remove what was fetched `life` seconds ago; nothing if that is 0."""
        if not life:
            yield
            return
        with regularly(min(life / 2, _SELDOM), lambda: self.remove(time.time() - life), "expiry"):
            yield
