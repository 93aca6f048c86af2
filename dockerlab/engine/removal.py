"""`docker rmi` and `docker image prune`: which names go, which images, and what docker says.

A name goes first; an image goes when nothing points to it any more. A container that uses an
image protects the image, and the last name of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from dockerlab.engine.image import Image, collect, image_id
from dockerlab.engine.images import ImageStore
from dockerlab.engine.words import Refused
from dockerlab.errors import DockerlabError, EngineError
from dockerlab.image import digest as digests
from dockerlab.image.layout import Entry
from dockerlab.image.reference import Reference


class Use(NamedTuple):
    """A container that was made from an image."""

    container: str
    running: bool


Users = Callable[[str], Sequence[Use]]  # image ID -> its containers


def nobody(image: str) -> Sequence[Use]:
    """No containers at all."""
    return ()


def remove(
    store: ImageStore, text: str, *, force: bool = False, users: Users = nobody
) -> list[str]:
    """Remove a name or an image and return docker's lines; EngineError in docker's words."""
    with store.layout.locked():
        removal = Removal(store, users)
        removal.remove(text, force)
        removal.commit()
    return [f"{what}: {name}" for what, name in removal.lines]


def prune(
    store: ImageStore,
    chosen: Callable[[Image], bool],
    *,
    named: bool = False,
    users: Users = nobody,
) -> tuple[list[str], int]:
    """Remove the unused images that are `chosen` (with `named` also those with tags).

    Returns docker's lines and the number of bytes that were freed.
    """
    with store.layout.locked():
        removal = Removal(store, users)
        for image in store.list():
            if not chosen(image) or (image.names and not named):
                continue
            for text in [str(name) for name in image.references] or [image.id]:
                with suppress(EngineError):  # a container uses it
                    removal.remove(text, force=False)
        removal.commit()
    return [f"{what.lower()}: {name}" for what, name in removal.lines], removal.freed


class Removal:
    """Changes a copy of the index until `commit`; the layout must be locked all the while."""

    def __init__(self, store: ImageStore, users: Users) -> None:
        self._store, self._users = store, users
        self._entries = list(store.entries())
        self.lines: list[tuple[str, str]] = []
        self.freed = 0

    def remove(self, text: str, force: bool) -> None:
        """One argument of `docker rmi`."""
        image = self._store.find(text, self._entries)
        if image.id.startswith(text) or image.id.startswith(f"sha256:{text}"):
            self._remove_id(image, force)
        else:
            self._remove_name(image, text, force)

    def commit(self) -> None:
        """Write the index, then remove blobs that nothing needs."""
        self._store.layout.update(lambda _: self._entries)
        self._store.sweep()

    def _remove_name(self, image: Image, text: str, force: bool) -> None:
        uses = self._users(image.id)
        if uses and not force and _single(image.references):
            raise Refused(
                f'conflict: unable to remove repository reference "{text}" (must force) - '
                f"container {uses[0].container[:12]} is using its referenced image "
                f"{digests.short(image.id)}"
            )
        reference = Reference.parse(text)
        if reference.digest:
            reference = reference.with_digest(reference.digest)
        self._untag(image, reference)
        left = self._references(image)
        same = [name for name in left if name.locator == reference.locator]
        if not reference.digest and all(name.digest for name in same):
            for name in same:
                self._untag(image, name)
        if not self._references(image):
            self._delete(image, force, quiet=True)

    def _remove_id(self, image: Image, force: bool) -> None:
        references = self._references(image)
        if _single(references):
            self._check(image, force, ignore_names=True)
            for name in references:
                self._untag(image, name)
        self._delete(image, force, quiet=False)

    def _delete(self, image: Image, force: bool, quiet: bool) -> None:
        try:
            self._check(image, force)
        except Refused:
            if quiet:
                return  # the names are gone, the image stays for its containers
            raise
        for name in self._references(image):
            self._untag(image, name)
        others = collect_others(self._store, self._entries, image)
        self._entries = [entry for entry in self._entries if image_id(entry) != image.id]
        self.lines.append(("Deleted", image.id))
        self._delete_layers(image, others)

    def _delete_layers(self, image: Image, others: Iterable[Image]) -> None:
        try:
            mine = image.chain_ids
        except DockerlabError:
            return  # its config is broken: nobody knows its layers
        kept: set[str] = set()
        for other in others:
            try:
                kept.update(other.chain_ids)
            except DockerlabError:
                continue
        for chain_id, size in reversed(list(zip(mine, image.sizes, strict=False))):
            if chain_id not in kept:
                self.lines.append(("Deleted", chain_id))
                self.freed += size

    def _check(self, image: Image, force: bool, ignore_names: bool = False) -> None:
        uses = self._users(image.id)
        running = next((use for use in uses if use.running), None)
        if running:
            raise _conflict(
                image, "cannot be forced", "being used by running container", running.container
            )
        if force:
            return
        if self._references(image) and not ignore_names:
            raise _conflict(image, "must be forced", "referenced in multiple repositories")
        if uses:
            raise _conflict(
                image, "must be forced", "being used by stopped container", uses[0].container
            )

    def _references(self, image: Image) -> tuple[Reference, ...]:
        names = [e.name for e in self._entries if e.name and image_id(e) == image.id]
        return tuple(Reference.parse(name) for name in sorted(names))

    def _untag(self, image: Image, reference: Reference) -> None:
        gone = next(entry for entry in self._entries if entry.name == str(reference))
        self._entries.remove(gone)
        if not any(image_id(entry) == image.id for entry in self._entries):
            self._entries.append(Entry(None, gone.descriptor))
        self.lines.append(("Untagged", reference.familiar))


def collect_others(store: ImageStore, entries: Iterable[Entry], image: Image) -> list[Image]:
    """All images of these lines but one."""
    return [other for other in collect(store.layout, entries) if other.id != image.id]


def _single(references: Sequence[Reference]) -> bool:
    """Whether all names are one tag, and digests of its repository."""
    if len(references) <= 1:
        return True
    tags = [name for name in references if not name.digest]
    if len(tags) > 1:
        return False
    digested = {name.locator for name in references if name.digest}
    return digested == {(tags or references)[0].locator}


def _conflict(image: Image, force: str, reason: str, container: str = "") -> Refused:
    by = f" {container[:12]}" if container else ""
    return Refused(
        f"conflict: unable to delete {digests.short(image.id)} ({force}) - image is {reason}{by}"
    )
