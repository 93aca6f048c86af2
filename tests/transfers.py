"""What the tests of transfers share."""

from dockerlab.image import digest as digests
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, encode
from dockerlab.registry.transfer import Step


def image(layout: Layout, *layers: bytes) -> Descriptor:
    """An image of these layers in `layout`."""
    blobs = [layout.add(layer, OCI_LAYER).to_json() for layer in layers]
    config = layout.add(encode({"made of": len(layers)}), OCI_CONFIG).to_json()
    data = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": blobs}
    return layout.add(encode(data), OCI_MANIFEST)


def blobs(layout: Layout) -> set[str]:
    """The digests of all files below blobs/, each verified."""
    found = set()
    for path in (layout.path / "blobs").glob("*/*"):
        digest = f"{path.parent.name}:{path.name}"
        assert digests.of(layout.read(digest), path.parent.name) == digest
        found.add(digest)
    return found


def states(steps: list[Step]) -> dict[str, list[str]]:
    """What happened to each blob, repetitions left out."""
    found: dict[str, list[str]] = {}
    for step in steps:
        seen = found.setdefault(step.digest, [])
        if seen[-1:] != [step.state]:
            seen.append(step.state)
    return found
