"""The course's images, for the mirror and for the class's own registry."""

from __future__ import annotations

from dockerlab.image.manifest import Manifest
from dockerlab.registry.storage import Storage

_PIECE = 1024 * 1024


def lend(source: Storage, target: Storage) -> None:
    """Every tag of one registry's folder in another one, too."""
    for name in source.repositories():
        for tag in source.tags(name) or ():
            digest = source.resolve(name, tag)
            if digest and target.resolve(name, tag) != digest:
                _copy(source, target, name, digest, tag)


def _copy(source: Storage, target: Storage, name: str, digest: str, *tags: str) -> None:
    raw = source.manifest(name, digest) or b""
    manifest = Manifest.parse(raw)
    for child in manifest.manifests:
        _copy(source, target, name, child.digest)
    for blob in manifest.blobs:
        _copy_blob(source, target, name, blob.digest)
    target.put_manifest(name, digest, raw, *tags)


def _copy_blob(source: Storage, target: Storage, name: str, digest: str) -> None:
    there = source.blob(name, digest)
    if not there or target.mount(name, digest):
        return
    upload = target.begin(name)
    try:
        with there.path.open("rb") as file:
            while piece := file.read(_PIECE):
                upload.write([piece])
        upload.close()
        target.keep(name, digest, upload)
    finally:
        target.finish(upload)
