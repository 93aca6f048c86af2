"""A registry opened up: repositories, tags, manifests, layers and sizes, as they are right now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError, NotFound, Unauthorized, Unavailable
from dockerlab.i18n import _
from dockerlab.image import digest as digests
from dockerlab.widgets.html import render

if TYPE_CHECKING:
    from dockerlab.image.manifest import Descriptor, Manifest
    from dockerlab.registry.client import Registry

REPOSITORIES = 50
TAGS = 50


@dataclass(frozen=True)
class Tag:
    """A tag, and the manifest that it points to."""

    name: str
    manifest: Manifest

    @property
    def kind(self) -> str:
        """What the manifest describes, in the learner's language."""
        if self.manifest.is_index:
            return _("image for several platforms")
        return _("image")

    @property
    def parts(self) -> tuple[Descriptor, ...]:
        """The layers, or an index's manifests."""
        return self.manifest.manifests if self.manifest.is_index else self.manifest.layers

    @property
    def size(self) -> int:
        """Bytes of all that the manifest lists."""
        return sum(part.size for part in (*self.manifest.blobs, *self.manifest.manifests))


@dataclass(frozen=True)
class Repository:
    """A repository's name and tags; `more` when there are more tags than shown."""

    name: str
    tags: tuple[Tag, ...]
    more: bool = False


@dataclass(frozen=True)
class RegistryView:
    """What the registry at `address` held when asked; `trouble` says why nothing is known."""

    address: str
    repositories: tuple[Repository, ...] = ()
    more: bool = False
    trouble: str = ""

    def __repr__(self) -> str:
        if self.trouble:
            return f"{self.address}\n{self.trouble}"
        lines = [self.address, *(() if self.repositories else (_("(no repositories yet)"),))]
        for repository in self.repositories:
            lines.append(f"└─ {repository.name}")
            for tag in repository.tags:
                lines.append(f"   └─ {tag.name}  {tag.manifest.digest}  {size(tag.size)}")
                lines += [
                    f"      └─ {digests.short(part.digest)}  {size(part.size)}"
                    for part in tag.parts
                ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return render("registry", view=self, size=size, short=digests.short)


def look(address: str) -> RegistryView:
    """Ask the registry at `address` for all it holds; a registry in trouble is shown as such."""
    from dockerlab.registry.client import Registry

    try:
        with Registry(address) as registry:
            repositories, more = _first(registry.catalog(), REPOSITORIES)
            found = tuple(_repository(registry, name) for name in repositories)
            return RegistryView(address, found, more)
    except Unavailable as error:
        trouble = _("Nobody answers at {address} ({detail}). Is the registry running?")
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


def _repository(registry: Registry, name: str) -> Repository:
    try:
        tags, more = _first(registry.tags(name), TAGS)
    except NotFound:  # known to the catalogue, but all its tags are gone
        return Repository(name, ())
    found = []
    for tag in tags:
        try:
            found.append(Tag(tag, registry.manifest(name, tag)))
        except NotFound:  # deleted since it was listed
            continue
    return Repository(name, tuple(found), more)


def _first(names: Iterable[str], count: int) -> tuple[list[str], bool]:
    taken = list(islice(names, count + 1))
    return taken[:count], len(taken) > count
