"""Images of random layers, as large as a test wants them."""

from __future__ import annotations

import io
import os
import tarfile

from dockerlab.engine.images import ImageStore
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, encode


def add(store: ImageStore, name: str, *sizes: int) -> str:
    """An image under its canonical `name`, one layer for each size; the manifest's digest."""
    tars = [_tar(f"file-{number}", os.urandom(size)) for number, size in enumerate(sizes)]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digests.of(tar) for tar in tars]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": store.layout.add(encode(config), OCI_CONFIG).to_json(),
        "layers": [store.layout.add(tar, OCI_LAYER).to_json() for tar in tars],
    }
    top = store.layout.add(encode(manifest), OCI_MANIFEST)
    store.point({name: store.describe(top)})
    return top.digest


def _tar(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return file.getvalue()
