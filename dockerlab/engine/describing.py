"""What the index remembers of an image, so that listing images reads no other file."""

from __future__ import annotations

from dataclasses import replace

from dockerlab.engine.contents import measure
from dockerlab.engine.image import CREATED, ID, SIZES, read_config
from dockerlab.errors import BlobMissing, DockerlabError, EngineError, InvalidManifest
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor

_UNKNOWN = "1970-01-01T00:00:00Z"


def describe(layout: Layout, descriptor: Descriptor) -> Descriptor:
    """`descriptor` of an image manifest with its ID, time and sizes; EngineError if it lies."""
    manifest = layout.manifest(descriptor)
    if manifest.config is None:
        raise InvalidManifest("it is an index, not an image")
    config = read_config(layout.read(manifest.config.digest))
    known = _known(layout)
    measured = []
    for layer in manifest.layers:
        if layer.digest not in known:
            with layout.open(layer) as file:
                known[layer.digest] = measure(file)
        measured.append(known[layer.digest])
    if [diff_id for diff_id, _ in measured] != config["rootfs"]["diff_ids"]:
        raise EngineError("layers from manifest don't match image configuration")
    notes = {
        ID: manifest.config.digest,
        CREATED: str(config.get("created") or _UNKNOWN),
        SIZES: ",".join(str(size) for _, size in measured),
    }
    return replace(descriptor, platform=None, annotations=notes)


def _known(layout: Layout) -> dict[str, tuple[str, int]]:
    """What was measured before: stored layer -> its diff ID and size."""
    known: dict[str, tuple[str, int]] = {}
    for entry in {entry.descriptor.digest: entry for entry in layout.entries()}.values():
        notes = entry.descriptor.annotations
        if SIZES not in notes:
            continue
        try:
            layers = layout.manifest(entry.descriptor).layers
            diff_ids = read_config(layout.read(notes[ID]))["rootfs"]["diff_ids"]
        except (BlobMissing, DockerlabError):
            continue  # broken: it tells us nothing
        sizes = [int(size) for size in notes[SIZES].split(",") if size]
        for layer, diff_id, size in zip(layers, diff_ids, sizes, strict=False):
            known[layer.digest] = (diff_id, size)
    return known
