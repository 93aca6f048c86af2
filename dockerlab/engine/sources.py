"""Where images come from and go to: a registry over HTTP, or the Mini Hub on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from dockerlab.engine.hub import MiniHub
from dockerlab.errors import RegistryError, Unavailable
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor, Platform
from dockerlab.image.reference import Reference
from dockerlab.registry import transfer
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import Listener


class Source(Protocol):
    """What the engine needs of a registry."""

    def ping(self) -> None:
        """Unavailable if there is no answer at all."""

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository; RegistryError."""

    def pull(
        self, layout: Layout, reference: Reference, platform: Platform, on_step: Listener
    ) -> tuple[Descriptor, Descriptor]:
        """As transfer.pull."""

    def push(
        self,
        layout: Layout,
        descriptor: Descriptor,
        reference: Reference,
        sources: Mapping[str, Collection[str]],
        on_step: Listener,
    ) -> Descriptor:
        """As transfer.push."""


class Remote:
    """A registry over HTTP."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def ping(self) -> None:
        """Unavailable if there is no answer; that one wants a login shows later, as in docker."""
        try:
            self._registry.ping()
        except Unavailable:
            raise
        except RegistryError:
            pass

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository."""
        return list(self._registry.tags(repository))

    def pull(
        self, layout: Layout, reference: Reference, platform: Platform, on_step: Listener
    ) -> tuple[Descriptor, Descriptor]:
        """As transfer.pull."""
        return transfer.pull(layout, self._registry, reference, platform=platform, on_step=on_step)

    def push(
        self,
        layout: Layout,
        descriptor: Descriptor,
        reference: Reference,
        sources: Mapping[str, Collection[str]],
        on_step: Listener,
    ) -> Descriptor:
        """As transfer.push."""
        return transfer.push(
            layout, descriptor, self._registry, reference, sources=sources, on_step=on_step
        )


@contextmanager
def open_source(
    registry: str, hub: Callable[[], Layout], connect: Callable[[str], Registry] | None = None
) -> Iterator[Source]:
    """The registry that image names call `registry`."""
    if registry == "docker.io":
        yield MiniHub(hub())
        return
    with (connect or Registry)(registry) as client:
        yield Remote(client)
