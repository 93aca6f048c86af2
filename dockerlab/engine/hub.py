"""The Mini Hub, which plays docker.io where there is no internet: read-only, a layout on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dockerlab.errors import EngineError
from dockerlab.i18n import _
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor, Platform
from dockerlab.image.reference import Reference
from dockerlab.registry.shelf import Shelf, denied
from dockerlab.registry.transfer import Listener, Step, choose

HOST = "docker.io"


class MiniHub:
    """Pulls from the course's stand-in for Docker Hub; it denies what Docker Hub would."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._shelf = layout, Shelf(layout, HOST)

    def ping(self) -> None:
        """It is always there."""

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository, in alphabetical order."""
        return self._shelf.tags(repository)

    def pull(
        self, layout: Layout, reference: Reference, platform: Platform, on_step: Listener
    ) -> tuple[Descriptor, Descriptor]:
        """Copy an image from the hub, told in the same steps as a pull from a registry."""
        name = reference.digest or reference.tag or ""
        top = image = self._shelf.manifest(reference.repository, name)
        while image.is_index:
            image = self._layout.manifest(choose(image, platform))
        for blob in image.blobs:
            on_step(Step(blob.digest, "waiting", 0, blob.size))
        for blob in image.blobs:
            if layout.has(blob):
                on_step(Step(blob.digest, "exists", blob.size, blob.size))
                continue
            on_step(Step(blob.digest, "downloading", 0, blob.size))
            with layout.writer(blob) as writer:
                for chunk in self._shelf.stream(reference.repository, blob):
                    writer.write(chunk)
            on_step(Step(blob.digest, "done", blob.size, blob.size))
        layout.add(image.raw, image.media_type)
        return top.descriptor, image.descriptor

    def push(
        self,
        layout: Layout,
        descriptor: Descriptor,
        reference: Reference,
        sources: Mapping[str, Collection[str]],
        on_step: Listener,
    ) -> Descriptor:
        """Denied, as Docker Hub does without a login."""
        raise denied()


def no_accounts() -> EngineError:
    """What `docker login` says instead of asking for an account of Docker Hub."""
    return EngineError(
        _(
            "Here docker.io is the course’s Mini Hub, a stand-in without accounts: never give it "
            "your Docker Hub password. Log in to a registry of your own, such as "
            "docker login localhost:5001."
        )
    )


def hint(reference: Reference) -> str:
    """What to say below docker's words when docker.io has not got an image."""
    if reference.registry != HOST:
        return ""
    from dockerlab.image.sample import HUB

    names = [
        Reference.parse(f"{HOST}/{repository}:{tag}").familiar
        for repository, tags in HUB.items()
        for tag in tags
    ]
    return _(
        "Here docker.io is the course’s Mini Hub, a stand-in that needs no internet. "
        "It has {names}."
    ).format(names=", ".join(names))
