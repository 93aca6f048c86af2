"""What the offline hub holds: the course's images, the packed registry, and images from files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dockerlab.engine.embedded import Embedded
from dockerlab.engine.loading import load
from dockerlab.errors import BadArchive, EngineError
from dockerlab.hub import packing
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import Descriptor
from dockerlab.image.reference import Reference
from dockerlab.registry.storage import Storage
from dockerlab.registry.transfer import walk

_HOST = "docker.io"
_REGISTRY = "docker.io/library/registry"
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Stock:
    """A registry's storage, and the familiar names of its images: each with where it came from.

    That is "" for the course itself.
    """

    storage: Storage
    names: dict[str, str] = field(default_factory=dict)

    def add(self, layout: Layout, entries: Iterable[Entry], origin: str = "") -> None:
        """Take over the images that names of docker.io point to, in place of older ones."""
        for entry in entries:
            reference = Reference.parse(entry.name) if entry.name else None
            if reference and reference.registry == _HOST and reference.tag:
                self._put(layout, reference, entry.descriptor)
                self.names[reference.familiar] = origin

    def _put(self, layout: Layout, reference: Reference, descriptor: Descriptor) -> None:
        repository = reference.repository
        for manifest in walk(layout, descriptor):
            for blob in manifest.blobs:
                self._copy(layout, repository, blob)
            last = manifest.digest == descriptor.digest
            tag = reference.tag if last else None
            self.storage.put_manifest(repository, manifest.digest, manifest.raw, tag)

    def _copy(self, layout: Layout, repository: str, blob: Descriptor) -> None:
        if self.storage.blob(repository, blob.digest):
            return
        upload = self.storage.begin(repository)
        try:
            with layout.open(blob) as file:
                while piece := file.read(_PIECE):
                    upload.write([piece])
            upload.close()
            self.storage.keep(repository, blob.digest, upload)
        finally:
            self.storage.finish(upload)


def gather(folder: Path, archives: Iterable[Path] = ()) -> Stock:
    """All that the hub offers, in a new `folder`; BadArchive for a file without such an image."""
    host = Embedded(folder)
    stock = Stock(Storage(folder / "registry", sync=int))  # it is made anew at each start
    samples = host.hub()
    stock.add(samples, samples.entries())
    if program := packing.find():
        packed = packing.pack(samples, program)
        named = [Entry(f"{_REGISTRY}:{tag}", packed) for tag in program.tags]
        stock.add(samples, named, f"{packing.PROGRAM} {program.version}")
    for path in archives:
        stock.add(host.images.layout, _loaded(host, path), path.name)
    return stock


def _loaded(host: Embedded, path: Path) -> list[Entry]:
    """The images of a `docker save` file, by the names that they have there."""
    before = host.images.layout.entries()
    try:
        with path.open("rb") as file:
            load(host.images, file)
    except EngineError as error:
        raise BadArchive(path, error.text) from None
    except OSError as error:
        raise BadArchive(path, (error.strerror or str(error)).lower()) from None
    new = [entry for entry in host.images.layout.entries() if entry not in before]
    found = [entry for entry in new if (entry.name or "").startswith(f"{_HOST}/")]
    if not found:
        raise BadArchive(path, "none of its images has a name on docker.io")
    return found
