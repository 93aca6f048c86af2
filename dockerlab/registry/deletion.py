"""Deleting one tag, where registries may only be able to delete its manifest with all its tags."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError, NotFound, RegistryError, Unauthorized, Unavailable
from dockerlab.image.manifest import INDEXES

if TYPE_CHECKING:
    from dockerlab.registry.client import Registry

MOST = 500  # tags that are asked where they point to
_CANNOT = (400, 405)  # what registries answer that delete by digest only


@dataclass(frozen=True)
class Twins:
    """What a tag points to, and the other tags that point there too.

    `within` are the tags of indexes that name it, `unsure` those that the registry could not tell
    of; `more` when some were not looked at.
    """

    digest: str
    names: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    more: bool = False

    @property
    def is_alone(self) -> bool:
        """Whether nothing else goes with it."""
        return not (self.names or self.within or self.unsure or self.more)


class Deletion:
    """A tag on its way out: `twins` once they are known, `whole` if only all can go together."""

    def __init__(self, repository: str, tag: str) -> None:
        self.repository, self.tag = repository, tag
        self.twins: Twins | None = None
        self.whole = False

    def check(self, registry: Registry) -> None:
        """Ask which other tags point to the same manifest; NotFound."""
        digest = registry.resolve(self.repository, self.tag).digest
        same, within, unsure = [], [], []
        tags = list(islice(registry.tags(self.repository), MOST + 1))
        for name in tags[:MOST]:
            if name == self.tag:
                continue
            try:
                found = registry.resolve(self.repository, name)
                if found.digest == digest:
                    same.append(name)
                elif found.media_type in INDEXES and self._names(registry, name, digest):
                    within.append(name)
            except NotFound:  # deleted since it was listed
                continue
            except (Unavailable, Unauthorized):
                raise
            except DockerlabError:
                unsure.append(name)
        self.twins = Twins(digest, tuple(same), tuple(within), tuple(unsure), len(tags) > MOST)

    def carry_out(self, registry: Registry, whole: bool = False) -> bool:
        """Delete it, and whether that was done; if not, there is more to be agreed to first.

        `whole`: all tags of its manifest, if they are still those in `twins`.
        """
        if not whole and self._alone(registry):
            return True
        agreed = self.twins if whole else None
        self.check(registry)
        assert self.twins
        self.whole = True
        if self.twins != agreed and not self.twins.is_alone:
            return False
        with suppress(NotFound):  # somebody else was faster
            registry.delete(self.repository, self.twins.digest)
        return True

    def _names(self, registry: Registry, tag: str, digest: str) -> bool:
        """Whether the index of a tag names the manifest."""
        entries = registry.manifest(self.repository, tag).manifests
        return any(entry.digest == digest for entry in entries)

    def _alone(self, registry: Registry) -> bool:
        try:
            registry.delete(self.repository, self.tag)
        except NotFound:
            return True
        except RegistryError as error:
            if error.status in _CANNOT:
                return False
            raise
        return True
