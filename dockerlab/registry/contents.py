"""What a registry holds, asked for as it is looked at, and kept: names first, manifests last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError, NotFound, RegistryError, Unavailable
from dockerlab.i18n import _
from dockerlab.image.manifest import SIZE_LIMIT

if TYPE_CHECKING:
    from dockerlab.image.manifest import Descriptor, Manifest
    from dockerlab.registry.client import Registry

PAGE = 1000  # names asked for at once; registry:2 gives no more
MOST = 100_000  # names of repositories that are kept, or of tags of one
PLATFORMS = 50  # images of one index that are looked at
SMALL = 100  # names asked for where PAGE is refused, or first, as few come sooner
ATTESTATION = "unknown/unknown"  # the platform of notes about an image (BuildKit)


@dataclass(frozen=True)
class Image:
    """One image that a tag leads to; `platform` is empty where the tag leads to this one only."""

    platform: str
    manifest: Manifest

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The layers, from the bottom up."""
        return self.manifest.layers

    @property
    def size(self) -> int:
        """Bytes of its config and layers, as they travel: compressed."""
        return sum(blob.size for blob in self.manifest.blobs)


@dataclass(frozen=True)
class Tag:
    """A tag and what it points to; `trouble` says why that is not known.

    `stated` is the digest that the registry last gave for it, right or wrong.
    """

    name: str
    manifest: Manifest | None
    images: tuple[Image, ...] = ()
    trouble: str = ""
    stated: str = ""

    @property
    def digest(self) -> str:
        """The digest of the manifest that the tag points to."""
        return self.manifest.digest if self.manifest else ""

    @property
    def media_type(self) -> str:
        """What kind of manifest that is, in the registry's words."""
        return self.manifest.media_type if self.manifest else ""

    @property
    def kind(self) -> str:
        """What kind of manifest that is, in the learner's language."""
        if self.manifest and self.manifest.is_index:
            return _("image for several platforms")
        return _("image")

    @property
    def size(self) -> int:
        """Bytes of all its images, what they share counted once."""
        blobs = {blob.digest: blob.size for image in self.images for blob in image.manifest.blobs}
        return sum(blobs.values())

    @property
    def unseen(self) -> int:
        """How many images of its index were not looked at."""
        return max(0, len(self.manifest.manifests) - PLATFORMS) if self.manifest else 0

    @property
    def is_misstated(self) -> bool:
        """Whether the registry gives it a digest that its bytes do not have."""
        return self.stated.startswith("sha256:") and self.stated != self.digest


@dataclass
class Repository:
    """A repository: its tags by name once `known`, and what was looked at of them in `tags`."""

    name: str
    known: bool = False
    names: tuple[str, ...] = ()
    tags: dict[str, Tag] = field(default_factory=dict)
    trouble: str = ""


class Contents:
    """All that is known of a registry so far; `complete` when no name is missing.

    Each method asks a little more, with the client that it is given.
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.complete = False
        self.repositories: dict[str, Repository] = {}
        self.configs: dict[str, bytes | str] = {}  # by digest: the bytes, or why there are none
        self._manifests: dict[str, Manifest] = {}

    def repository(self, name: str) -> Repository:
        """What is known of a repository, which may be nothing."""
        return self.repositories.setdefault(name, Repository(name))

    def list_names(self, registry: Registry) -> Iterator[None]:
        """Ask for the names of repositories, and come back after each page with one more."""
        if not self.names:
            self.names = tuple(islice(registry.catalog(SMALL), SMALL))
            self.complete = len(self.names) < SMALL
            if self.complete:
                return
            yield
        names = _pages(registry)
        first = tuple(islice(names, PAGE))
        if len(first) < PAGE:
            self.names, self.complete = first, True
            return
        here = set(first)
        later = [name for name in self.names if name not in here and name > first[-1]]
        self.names = (*first, *later)
        if self.complete:
            return
        yield
        found = list(first)
        while page := list(islice(names, min(PAGE, MOST - len(found)))):
            found += page
            self.names = tuple(found)
            yield
        self.complete = len(found) < MOST

    def list_tags(self, registry: Registry, name: str) -> None:
        """Ask for the names of a repository's tags."""
        repository = self.repository(name)
        try:
            _expect_plain(name)
            found = islice(registry.tags(name), MOST)
            repository.names = tuple(sorted(found))  # the real registry has them in any order
            repository.trouble = ""
        except NotFound:  # known to the catalogue, but all its tags are gone
            repository.names = ()
        except Unavailable:
            raise
        except DockerlabError as error:
            repository.trouble = error.message()
        gone = repository.tags.keys() - set(repository.names)
        for tag in gone:
            repository.tags.pop(tag, None)
        repository.known = True

    def look(self, registry: Registry, name: str, tag: str, stated: str = "") -> None:
        """Fetch what a tag points to."""
        repository = self.repository(name)
        try:
            _expect_plain(tag)
            manifest = registry.manifest(name, tag)
            images = tuple(self._images(registry, name, manifest))
            repository.tags[tag] = Tag(tag, manifest, images, stated=stated)
        except NotFound:  # deleted since it was listed
            repository.tags.pop(tag, None)
            repository.names = tuple(each for each in repository.names if each != tag)
        except Unavailable:
            raise
        except DockerlabError as error:
            repository.tags[tag] = Tag(tag, None, trouble=error.message(), stated=stated)

    def check(self, registry: Registry, name: str, tag: str) -> None:
        """Ask where a tag points to now, and fetch that if it is another place than before."""
        known = self.repository(name).tags.get(tag)
        if known is None:
            return self.look(registry, name, tag)
        try:
            stated = registry.resolve(name, tag).digest
        except Unavailable:
            raise
        except DockerlabError:
            return  # the list of tags will tell
        if stated != (known.stated or known.digest):
            self.look(registry, name, tag, stated)
        elif not known.stated:
            self.repository(name).tags[tag] = replace(known, stated=stated)

    def look_at_config(self, registry: Registry, name: str, manifest: Manifest) -> None:
        """Fetch the config of an image."""
        blob = manifest.config
        if blob is None or isinstance(self.configs.get(blob.digest), bytes):
            return
        try:
            if blob.size > SIZE_LIMIT:
                raise DockerlabError(_("This config is larger than 4 MiB, and was not fetched."))
            self.configs[blob.digest] = registry.read(name, blob)
        except Unavailable:
            raise
        except DockerlabError as error:
            self.configs[blob.digest] = error.message()

    def holders(self) -> dict[str, list[str]]:
        """Which tags, of those that were looked at, have each layer: NAME:TAG by digest."""
        found: dict[str, dict[str, None]] = {}
        for repository in list(self.repositories.values()):
            for tag in list(repository.tags.values()):
                for image in tag.images:
                    for layer in image.layers:
                        found.setdefault(layer.digest, {})[f"{repository.name}:{tag.name}"] = None
        return {digest: list(names) for digest, names in found.items()}

    def _images(self, registry: Registry, name: str, manifest: Manifest) -> Iterator[Image]:
        if not manifest.is_index:
            yield Image("", manifest)
        for entry in manifest.manifests[:PLATFORMS]:
            try:
                found = self._manifests.get(entry.digest) or registry.manifest(name, entry.digest)
            except NotFound:  # an index may name platforms that were never pushed
                continue
            self._manifests[entry.digest] = found
            yield Image(str(entry.platform or "?"), found)


def _pages(registry: Registry) -> Iterator[str]:
    """All repositories, in pages as large as the registry lets us have."""
    names = registry.catalog(PAGE)
    try:
        first = next(names, None)
    except RegistryError as error:
        if error.status != 400:
            raise
        names = registry.catalog(SMALL)
        first = next(names, None)
    if first is not None:
        yield first
        yield from names


def _expect_plain(name: str) -> None:
    """DockerlabError if a name, put into an address, would lead elsewhere."""
    odd = any(sign in name for sign in "?#\\") or not name.isprintable()
    if odd or {"", ".", ".."} & set(name.split("/")):
        raise DockerlabError(_("No name in a registry may look like this; it is not asked for."))
