"""A registry opened up: repositories, tags, manifests, layers and sizes, as they are right now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from dockerlab.errors import DockerlabError, NotFound, Unauthorized, Unavailable
from dockerlab.i18n import _
from dockerlab.image import digest as digests
from dockerlab.image.grammar import DOMAIN
from dockerlab.widgets.html import render

if TYPE_CHECKING:
    from dockerlab.image.manifest import Descriptor, Manifest
    from dockerlab.registry.client import Registry

LIMIT = 50  # repositories shown, and tags of each
Node: TypeAlias = "tuple[str, list[Node]]"  # a label, and the nodes below it


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
    """A tag and what it points to; `trouble` says why that is not known."""

    name: str
    manifest: Manifest | None
    images: tuple[Image, ...] = ()
    trouble: str = ""

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


@dataclass(frozen=True)
class Repository:
    """A repository's name and tags; `more` when there are more tags than shown."""

    name: str
    tags: tuple[Tag, ...]
    more: bool = False


@dataclass(frozen=True)
class RegistryView:
    """What the registry at `address` held when asked; `trouble` says why nothing is known.

    `warnings` are what it warned of, in its own words.
    """

    address: str
    repositories: tuple[Repository, ...] = ()
    more: bool = False
    trouble: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def warned(self) -> list[str]:
        """The warnings as lines for the learner."""
        return [_("The registry warns: {text}").format(text=text) for text in self.warnings]

    def __repr__(self) -> str:
        if self.trouble:
            return f"{self.address}\n{self.trouble}"
        if not self.repositories:
            nothing = _("No repositories yet. What you push appears here.")
            return "\n".join([self.address, *self.warned, nothing])
        tree: list[Node] = [(each.name, _tags(each)) for each in self.repositories]
        if self.more:
            tree.append((_("… and more repositories"), []))
        return "\n".join([self.address, *self.warned, *_lines(tree)])

    def _repr_html_(self) -> str:
        return render("registry", view=self, size=size, short=digests.short)


def look(
    address: str, connect: Callable[[str], Registry] | None = None, *, limit: int = LIMIT
) -> RegistryView:
    """Ask the registry at `address` for all it holds; a registry in trouble is shown as such.

    `connect` makes the client: without it, it is nobody that asks, and trusts nobody.
    """
    from dockerlab.registry.client import Registry

    address = re.sub("^https?://", "", str(address).strip()).rstrip("/")
    if not DOMAIN.fullmatch(address):
        trouble = _("That is not the address of a registry. Write it like localhost:5000.")
        return RegistryView(address, trouble=trouble)
    try:
        with (connect or Registry)(address) as registry:
            names, more = _first(registry.catalog(), limit)
            found = tuple(_repository(registry, name, limit) for name in names)
            return RegistryView(address, found, more, warnings=registry.warnings)
    except Unavailable as error:
        trouble = _("Nobody answers at {address} ({detail}). Is the registry running?")
        if error.detail.startswith("x509: "):
            trouble = _("The certificate of {address} is not to be trusted: {detail}.")
        return RegistryView(address, trouble=trouble.format(address=address, detail=error.detail))
    except Unauthorized:
        trouble = _("The registry at {address} wants a login first.")
        return RegistryView(address, trouble=trouble.format(address=address))
    except DockerlabError as error:
        trouble = _("What answers at {address} does not behave like a registry. {error}")
        return RegistryView(address, trouble=trouble.format(address=address, error=error))


def size(count: int) -> str:
    """Bytes as docker writes them: 1.5kB."""
    from dockerlab.engine.commands.format import size as docker_size

    return docker_size(count)


def _repository(registry: Registry, name: str, limit: int) -> Repository:
    try:
        tags, more = _first(registry.tags(name), limit)
    except NotFound:  # known to the catalogue, but all its tags are gone
        return Repository(name, ())
    found = (_tag(registry, name, tag) for tag in tags)
    return Repository(name, tuple(tag for tag in found if tag), more)


def _tag(registry: Registry, repository: str, name: str) -> Tag | None:
    try:
        manifest = registry.manifest(repository, name)
        return Tag(name, manifest, tuple(_images(registry, repository, manifest)))
    except NotFound:  # deleted since it was listed
        return None
    except (Unavailable, Unauthorized):
        raise
    except DockerlabError as error:
        return Tag(name, None, trouble=str(error))


def _images(registry: Registry, repository: str, manifest: Manifest) -> Iterator[Image]:
    if not manifest.is_index:
        yield Image("", manifest)
    for entry in manifest.manifests:
        with suppress(NotFound):  # an index may name platforms that were never pushed
            yield Image(str(entry.platform or "?"), registry.manifest(repository, entry.digest))


def _first(names: Iterable[str], count: int) -> tuple[list[str], bool]:
    taken = list(islice(names, count + 1))
    return taken[:count], len(taken) > count


def _tags(repository: Repository) -> list[Node]:
    tree = [_node(tag) for tag in repository.tags]
    return [*tree, (_("… and more tags"), [])] if repository.more else tree


def _node(tag: Tag) -> Node:
    if tag.trouble:
        return f"{tag.name}  {tag.trouble}", []
    below: list[Node] = []
    for image in tag.images:
        layers: list[Node] = [
            (f"{digests.short(layer.digest)}  {size(layer.size)}", []) for layer in image.layers
        ]
        below += [(f"{image.platform}  {size(image.size)}", layers)] if image.platform else layers
    return f"{tag.name}  {tag.digest}  {size(tag.size)}", below


def _lines(nodes: list[Node], indent: str = "") -> Iterator[str]:
    """A tree, drawn in lines."""
    for place, (label, below) in enumerate(nodes, 1):
        last = place == len(nodes)
        yield f"{indent}{'└─' if last else '├─'} {label}"
        yield from _lines(below, indent + ("   " if last else "│  "))
