"""The Mini Hub, which plays docker.io where there is no internet: read-only, a layout on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dockerlab.errors import EngineError, NotFound, Unauthorized
from dockerlab.i18n import _
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor, Manifest, Platform
from dockerlab.image.reference import Reference
from dockerlab.registry.transfer import Listener, Step, choose

_CHUNK = 1024 * 1024
HOST = "docker.io"


class MiniHub:
    """Pulls from the course's stand-in for Docker Hub; it denies what Docker Hub would."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def ping(self) -> None:
        """It is always there."""

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository, in alphabetical order."""
        tags = sorted(name.tag or "" for name, _ in self._names() if name.repository == repository)
        if not tags:
            raise _denied()
        return tags

    def pull(
        self, layout: Layout, reference: Reference, platform: Platform, on_step: Listener
    ) -> tuple[Descriptor, Descriptor]:
        """Copy an image from the hub, told in the same steps as a pull from a registry."""
        top = image = self._find(reference)
        while image.is_index:
            image = self._layout.manifest(choose(image, platform))
        for blob in image.blobs:
            on_step(Step(blob.digest, "waiting", 0, blob.size))
        for blob in image.blobs:
            if layout.has(blob):
                on_step(Step(blob.digest, "exists", blob.size, blob.size))
                continue
            on_step(Step(blob.digest, "downloading", 0, blob.size))
            with self._layout.open(blob) as file, layout.writer(blob) as writer:
                while chunk := file.read(_CHUNK):
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
        raise _denied()

    def _names(self) -> list[tuple[Reference, Descriptor]]:
        entries = self._layout.entries()
        return [(Reference.parse(entry.name), entry.descriptor) for entry in entries if entry.name]

    def _find(self, reference: Reference) -> Manifest:
        here = [
            (name.tag, self._layout.manifest(descriptor))
            for name, descriptor in self._names()
            if name.repository == reference.repository
        ]
        if not here:
            raise _denied()
        for tag, manifest in here:
            if reference.digest is None and tag == reference.tag:
                return manifest
            for child in (manifest.descriptor, *manifest.manifests):
                if child.digest == reference.digest:
                    return self._layout.manifest(child)
        raise NotFound(404, "MANIFEST_UNKNOWN", "manifest unknown")


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


def _denied() -> Unauthorized:
    return Unauthorized(403, "DENIED", "requested access to the resource is denied")
