"""Garbage collection as the Distribution project's registry has it: mark, then sweep.

Every manifest of a repository keeps what it names. With `untagged` only those manifests do that
a tag points to, with what belongs to them: the manifests that an index lists, and the referrers
of a manifest (signatures, SBOMs). The real one of version 2.8 would remove these. What is promised
to a push stays, so the registry may run meanwhile (`Storage`, `Sweeper`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from dockerlab.image import digest as digests
from dockerlab.registry.journal import log
from dockerlab.registry.sweeping import Sweeper

_FOLDER = "docker/registry/v2"
Say = Callable[[str], object]


class CollectError(Exception):
    """Garbage cannot be collected; `str()` of it is one line, in the real registry's words."""

    def __init__(self, step: str, reason: object) -> None:
        super().__init__(f"failed to garbage collect: failed to {step}: filesystem: {reason}")


class _Manifest(NamedTuple):
    """What a manifest names, in its order, and which other one it is about, or ""."""

    named: list[str]
    subject: str


class _Doomed(NamedTuple):
    """The manifests of a repository that may go, an index before what it lists."""

    repository: str
    manifests: Mapping[str, _Manifest]


def collect(root: Path, say: Say = print, *, dry_run: bool = False, untagged: bool = False) -> None:
    """Remove what no manifest needs, and tell of it as the real registry does.

    CollectError, before anything is removed, if a manifest cannot be read.
    """
    if not (root / _FOLDER / "repositories").is_dir():
        raise CollectError("mark", f"Path not found: /{_FOLDER}/repositories")
    try:
        sweeper = Sweeper(root)
        with sweeper.alone():
            collection = _Collection(sweeper, say)
            doomed = collection.mark(untagged)
            if untagged and not dry_run:
                collection.remove(doomed)
            collection.sweep(sum(len(each.manifests) for each in doomed), dry_run)
    except CycleError as error:  # only files that were tampered with can do that
        raise CollectError("mark", error.args[0]) from None
    except OSError as error:
        raise CollectError("sweep", error) from None


class _Collection:
    """One run."""

    def __init__(self, sweeper: Sweeper, say: Say) -> None:
        self._sweeper, self._say = sweeper, say
        self._marked: set[str] = set()
        self._repositories = sweeper.repositories()

    def mark(self, untagged: bool) -> list[_Doomed]:
        """Mark what is needed; the manifests that are not, by repository."""
        every = []
        for name in self._repositories:
            self._say(name)
            manifests = self._manifests(name)
            kept = _needed(manifests, self._roots(name, manifests)) if untagged else manifests
            for digest, manifest in manifests.items():
                if digest in kept:
                    self._say(f"{name}: marking manifest {digest} ")
                    self._mark(digest, manifest, f"{name}: marking blob ")
                else:
                    self._say(f"manifest eligible for deletion: {digest}")
            doomed = {digest: each for digest, each in manifests.items() if digest not in kept}
            if doomed:
                every.append(_Doomed(name, _ordered(doomed)))
        return every

    def remove(self, doomed: Iterable[_Doomed]) -> None:
        """Remove manifests; one that is wanted again is marked, with what belongs to it."""
        for name, manifests in doomed:
            removed, spared = set[str](), set[str]()
            for digest in manifests:
                if digest in spared:
                    continue
                if self._sweeper.remove_manifest(name, digest, *_subjects(manifests, digest)):
                    log("info", f"deleting manifest: {_revision(name, digest)}")
                    removed.add(digest)
                else:
                    spared |= _needed(manifests, [digest])
            for digest in spared - removed:
                self._mark(digest, manifests[digest])
        for name in self._repositories:
            self._sweeper.forget(name)

    def sweep(self, manifests: int, dry_run: bool) -> None:
        """Remove the blobs that are not marked."""
        unmarked = []
        for digest in self._sweeper.blobs():
            if digest not in self._marked:
                unmarked.append(digest)
            elif not dry_run:
                self._sweeper.put_back(digest)
        blobs = [digest for digest in unmarked if not self._sweeper.is_wanted(digest)]
        self._say(
            f"\n{len(self._marked)} blobs marked, {len(blobs)} blobs and "
            f"{manifests} manifests eligible for deletion"
        )
        for digest in blobs:
            self._say(f"blob eligible for deletion: {digest}")
            if not dry_run and self._sweeper.remove_blob(digest):
                log("info", f"Deleting blob: {_blob(digest)}")
        if promised := len(unmarked) - len(blobs):
            log("info", f"blobs kept for a push, as they were sent or asked for lately: {promised}")
        for name in self._repositories if not dry_run else ():
            self._sweeper.forget_blobs(name)

    def _mark(self, digest: str, manifest: _Manifest, said: str = "") -> None:
        self._marked.update((digest, *manifest.named))
        for each in manifest.named if said else ():
            self._say(said + each)

    def _manifests(self, name: str) -> dict[str, _Manifest]:
        found = {}
        for digest in self._sweeper.manifests(name):
            raw = self._sweeper.manifest(name, digest)
            try:
                if raw is not None:
                    found[digest] = _read(raw)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                reason = f"failed to retrieve manifest for digest {digest}: {error}"
                raise CollectError("mark", reason) from None
        return found

    def _roots(self, name: str, manifests: Iterable[str]) -> list[str]:
        tags = self._sweeper.tags(name) or ()
        tagged = [self._sweeper.resolve(name, tag) or "" for tag in tags]
        return [*tagged, *filter(self._sweeper.is_wanted, manifests)]


def _read(raw: bytes) -> _Manifest:
    """Of any kind: an image, an index, an artifact, and schema 1, which the real one had."""
    data = json.loads(raw)
    items: list[Any] = [data["config"]] if data.get("config") else []
    for key in ("layers", "blobs", "manifests", "fsLayers"):
        items += data.get(key) or []
    named = [item["blobSum"] if "blobSum" in item else item["digest"] for item in items]
    for digest in named:
        digests.split(digest)
    return _Manifest(named, (data.get("subject") or {}).get("digest", ""))


def _needed(manifests: Mapping[str, _Manifest], roots: Iterable[str]) -> set[str]:
    """The manifests that are `roots`, or belong to them: listed by an index, or about it."""
    about: dict[str, list[str]] = {}
    for digest, manifest in manifests.items():
        about.setdefault(manifest.subject, []).append(digest)
    waiting, found = [*roots], set[str]()
    while waiting:
        digest = waiting.pop()
        if digest in manifests and digest not in found:
            found.add(digest)
            waiting += (*manifests[digest].named, *about.get(digest, ()))
    return found


def _subjects(manifests: Mapping[str, _Manifest], digest: str) -> list[str]:
    """What the manifest is about, and what that is about: who needs one of these needs it."""
    found: list[str] = []
    while (digest := manifests[digest].subject) in manifests and digest not in found:
        found.append(digest)
    return found


def _ordered(manifests: Mapping[str, _Manifest]) -> dict[str, _Manifest]:
    """Each before those that it names: a manifest without its index is nothing that is missed."""
    order = TopologicalSorter[str](dict.fromkeys(manifests, ()))
    for digest, manifest in manifests.items():
        for child in manifests.keys() & manifest.named:
            order.add(child, digest)
    return {digest: manifests[digest] for digest in order.static_order()}


def _blob(digest: str) -> str:
    algorithm, name = digests.split(digest)
    return f"/{_FOLDER}/blobs/{algorithm}/{name[:2]}/{name}"


def _revision(repository: str, digest: str) -> str:
    revision = digest.replace(":", "/")
    return f"/{_FOLDER}/repositories/{repository}/_manifests/revisions/{revision}"
