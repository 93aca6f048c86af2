"""A registry that is a folder: the images of a layout whose names begin with its host."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.errors import NotFound, Unauthorized
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor, Manifest
from dockerlab.image.reference import Reference

_CHUNK = 1024 * 1024


class Shelf:
    """Gives what registry.client gives of a registry at `host`; it denies what Docker Hub would."""

    def __init__(self, layout: Layout, host: str) -> None:
        self.layout, self.host = layout, host

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository, in alphabetical order."""
        return sorted(tag for tag, _ in self._images(repository))

    def resolve(self, repository: str, reference: str) -> Descriptor:
        """What a tag or digest points to."""
        return self.manifest(repository, reference).descriptor

    def manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest."""
        for tag, manifest in self._images(repository):
            if tag == reference:
                return manifest
            for known in (manifest.descriptor, *manifest.manifests):
                if known.digest == reference:
                    return self.layout.manifest(known)
        raise NotFound(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def find_blob(self, repository: str, digest: str) -> Descriptor:
        """What points to a blob."""
        for _, top in self._images(repository):
            for manifest in (top, *map(self.layout.manifest, top.manifests)):
                for blob in manifest.blobs:
                    if blob.digest == digest:
                        return blob
        raise NotFound(404, "BLOB_UNKNOWN", "blob unknown to registry")

    def stream(self, repository: str, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob's bytes."""
        with self.layout.open(descriptor) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def _images(self, repository: str) -> list[tuple[str, Manifest]]:
        """The repository's tags, and what they point to."""
        named = [(entry.name, entry.descriptor) for entry in self.layout.entries() if entry.name]
        references = [(Reference.parse(name), descriptor) for name, descriptor in named]
        found = [
            (reference.tag or "", self.layout.manifest(descriptor))
            for reference, descriptor in references
            if (reference.registry, reference.repository) == (self.host, repository)
        ]
        if not found:
            raise denied()
        return found


def denied() -> Unauthorized:
    """What Docker Hub says of a repository that it has not, or not for everybody."""
    return Unauthorized(403, "DENIED", "requested access to the resource is denied")
