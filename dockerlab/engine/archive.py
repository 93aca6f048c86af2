"""`docker save`: images as one tar, an OCI layout with docker's manifest.json on top.

Each blob is written as it is stored, so that digests survive.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from dockerlab.engine.image import Image
from dockerlab.engine.images import ImageStore
from dockerlab.engine.words import NoSuchImage, Refused, invalid
from dockerlab.image import digest as digests
from dockerlab.image.layout import REF_NAME
from dockerlab.image.manifest import (
    OCI_INDEX,
    encode,
)
from dockerlab.image.reference import InvalidReference, Reference


def save(store: ImageStore, names: Sequence[str], target: IO[bytes]) -> None:
    """Write images to a tar; nothing is written if one of the names is wrong."""
    with store.busy():
        chosen = _chosen(store, names)
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            written: set[str] = set()
            for image, _ in chosen:
                for blob in (image.descriptor, *image.manifest.blobs):
                    if blob.digest not in written:
                        written.add(blob.digest)
                        with store.layout.open(blob) as file:
                            _add(archive, blob_path(blob.digest), file, blob.size)
            _add_json(archive, "oci-layout", {"imageLayoutVersion": "1.0.0"})
            _add_json(archive, "index.json", _index(chosen))
            _add_json(archive, "manifest.json", [_line(image, tags) for image, tags in chosen])


def _chosen(store: ImageStore, names: Sequence[str]) -> list[tuple[Image, list[Reference]]]:
    """The images to save, each once, with the tags to save of each."""
    found: dict[str, tuple[Image, list[Reference]]] = {}
    for text in names:
        for image, tags in _lookup(store, text):
            known = found.setdefault(image.id, (image, []))[1]
            known.extend(tag for tag in tags if tag not in known)
    return list(found.values())


def _lookup(store: ImageStore, text: str) -> Iterator[tuple[Image, list[Reference]]]:
    images = store.list()
    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        if len(text.removeprefix("sha256:")) != 64:
            raise invalid(error) from None
        yield store.find(text), []
        return
    bare = ":" not in text.rpartition("/")[2] and "@" not in text
    if bare:
        named = [
            (image, [name for name in image.names if name.locator == reference.locator])
            for image in images
        ]
        named = [(image, tags) for image, tags in named if tags]
        if named:
            yield from named
            return
    try:
        image = store.find(text)
    except NoSuchImage:
        raise Refused(f"No such image: {text}" if bare else "reference does not exist") from None
    yield image, [name for name in image.names if name == reference]


def blob_path(digest: str) -> str:
    """Where a blob lies in the archive."""
    return "blobs/" + "/".join(digests.split(digest))


def _line(image: Image, tags: Sequence[Reference]) -> dict[str, Any]:
    return {
        "Config": blob_path(image.id),
        "RepoTags": [tag.familiar for tag in tags] or None,
        "Layers": [blob_path(layer.digest) for layer in image.layers],
    }


def _index(chosen: Sequence[tuple[Image, Sequence[Reference]]]) -> dict[str, Any]:
    manifests: list[dict[str, Any]] = []
    for image, tags in chosen:
        plain = {
            "mediaType": image.descriptor.media_type,
            "digest": image.descriptor.digest,
            "size": image.descriptor.size,
        }
        manifests += [
            {**plain, "annotations": {"io.containerd.image.name": str(tag), REF_NAME: tag.tag}}
            for tag in tags
        ] or [plain]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    archive.addfile(member, file)


def _add_json(archive: tarfile.TarFile, name: str, data: Any) -> None:
    content = encode(data)
    _add(archive, name, io.BytesIO(content), len(content))
