"""Who refers to whom (distribution-spec § Listing Referrers).

The manifests themselves say it, whoever pushed them through whichever server: each is read once,
and what it says is remembered as long as this process runs. Nothing of it is kept on disk.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from dockerlab.errors import InvalidManifest
from dockerlab.image.manifest import Manifest
from dockerlab.registry.storage import Storage

Item = dict[str, Any]

_MOST = 200_000  # manifests that are remembered, of all repositories
_LARGE = 4096  # bytes of a descriptor that are read again rather than remembered
_FRESH = 1_000_000_000  # ns; a folder that changed so lately may change unseen by its clock


@dataclass
class _Repository:
    stamp: tuple[int, ...] = ()
    seen: set[str] = field(default_factory=set)
    items: dict[str, dict[str, Item | None]] = field(default_factory=dict)  # by subject and digest
    reading: threading.Lock = field(default_factory=threading.Lock)


class Subjects:
    """Answers what refers to a manifest; from any thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._repositories: dict[str, _Repository] = {}
        self._choosing = threading.Lock()

    def referrers(self, name: str, subject: str) -> list[Item]:
        """Descriptors of the manifests about `subject`, in the order of their digests."""
        known = self._known(name)
        with known.reading:
            self._update(name, known)
            found = sorted(known.items.get(subject, {}).items())
        items = []
        for digest, item in found:
            if self._storage.has_manifest(name, digest):
                item = item or read(digest, self._storage.manifest(name, digest) or b"")[1]
                items.append(item)
        return items

    def _known(self, name: str) -> _Repository:
        with self._choosing:
            known = self._repositories.pop(name, None) or _Repository()
            while sum(len(each.seen) for each in self._repositories.values()) > _MOST:
                self._repositories.pop(next(iter(self._repositories)))
            self._repositories[name] = known
            return known

    def _update(self, name: str, known: _Repository) -> None:
        stamp = self._storage.stamp(name)
        if stamp == known.stamp:
            return
        settled = time.time_ns() - max(stamp) > _FRESH
        for digest in self._storage.revisions(name):
            if digest in known.seen:
                continue
            raw = self._storage.manifest(name, digest)
            if raw is None:  # on its way in, or deleted
                settled = False
                continue
            known.seen.add(digest)
            subject, item = read(digest, raw)
            if subject:
                small = len(str(item)) <= _LARGE
                known.items.setdefault(subject, {})[digest] = item if small else None
        known.stamp = stamp if settled else ()


def read(digest: str, raw: bytes) -> tuple[str, Item]:
    """The subject of a stored manifest, if it has one, and the descriptor for its referrers."""
    if b"subject" not in raw and b"\\u" not in raw:  # most have none, and need no parsing
        return "", {}
    try:
        manifest = Manifest.parse(raw)
    except InvalidManifest:
        return "", {}
    if not manifest.subject:
        return "", {}
    return manifest.subject.digest, replace(manifest.referrer, digest=digest).to_json()
