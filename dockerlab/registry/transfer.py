"""Whole images between an OCI layout and a registry: layers in parallel, the name last.

Nothing is half done: a registry gets a manifest only when it has all that this names, and a
layout gets a blob only when it is whole and verified. No name in the layout is touched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import Literal

from dockerlab.errors import NoPlatform, SizeMismatch
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Descriptor, Manifest, Platform
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry

WORKERS = 4
State = Literal["waiting", "exists", "mounted", "uploading", "downloading", "unpacking", "done"]
# The variant that is meant where none is stated, and the older ones that each also runs.
_VARIANTS = {
    "arm64": ("v8",),
    "arm": ("v7", "v6", "v5"),
    "amd64": ("v1",),
}


@dataclass(frozen=True)
class Step:
    """How far one blob has come, in bytes; `source` is the repository it was mounted from."""

    digest: str
    state: State
    current: int
    total: int
    source: str = ""


Listener = Callable[[Step], None]


def push(
    layout: Layout,
    descriptor: Descriptor,
    registry: Registry,
    reference: Reference,
    *,
    sources: Mapping[str, Collection[str]] | None = None,
    on_step: Listener = lambda step: None,
) -> Descriptor:
    """Send an image, or an index with all its images, and return what the name now points to.

    `sources` maps a blob's digest to repositories of that registry that may have it already.
    """
    manifests = tuple(walk(layout, descriptor))
    blobs = _blobs(manifests)
    for blob in blobs:
        layout.open(blob).close()  # missing or cut short: say so before anything is sent
    target = reference.repository
    steps = _Steps(on_step, blobs)

    def send(blob: Descriptor) -> None:
        if registry.has_blob(target, blob.digest):
            return steps.tell(blob, "exists", blob.size)
        for source in (sources or {}).get(blob.digest, ()):
            if source != target and registry.mount(target, blob.digest, source):
                return steps.tell(blob, "mounted", blob.size, source)
        steps.tell(blob, "uploading", 0)
        registry.upload(
            target, blob, partial(layout.open, blob), partial(steps.tell, blob, "uploading")
        )
        steps.tell(blob, "done", blob.size)

    steps.each(send)
    *children, top = manifests
    for child in children:
        registry.put_manifest(target, child.digest, child)
    registry.put_manifest(target, reference.tag or top.digest, top)
    return top.descriptor


def pull(
    layout: Layout,
    registry: Registry,
    reference: Reference,
    *,
    platform: Platform | None,
    on_step: Listener = lambda step: None,
) -> tuple[Descriptor, Descriptor]:
    """Fetch an image; returns what the name points to, and the image for `platform`.

    Without a platform an index is fetched with all its images, and both are the index.
    """
    repository = reference.repository
    top = registry.manifest(repository, reference.digest or reference.tag or "latest")
    image = top
    while platform and image.is_index:
        image = _fetch(registry, repository, choose(image, platform))
    manifests = tuple(_remote(registry, repository, image))
    blobs = _blobs(manifests)
    steps = _Steps(on_step, blobs)

    def receive(blob: Descriptor) -> None:
        if layout.has(blob):
            return steps.tell(blob, "exists", blob.size)
        steps.tell(blob, "downloading", 0)
        with layout.writer(blob) as writer:
            for chunk in registry.stream(repository, blob):
                writer.write(chunk)
                steps.tell(blob, "downloading", writer.verifier.size)
        steps.tell(blob, "done", blob.size)

    steps.each(receive)
    for manifest in manifests:
        layout.add(manifest.raw, manifest.media_type)
    return top.descriptor, image.descriptor


def choose(index: Manifest, platform: Platform) -> Descriptor:
    """The image of an index that runs best on `platform`; NoPlatform if none does."""
    for variant in _runs(platform):
        for entry in index.manifests:
            found = entry.platform
            if not found or (found.os, found.architecture) != (platform.os, platform.architecture):
                continue
            if variant == (found.variant or _default(found.architecture)):
                return entry
    raise NoPlatform(platform)


def _runs(platform: Platform) -> tuple[str, ...]:
    """The variants that run on `platform`, best first."""
    known = _VARIANTS.get(platform.architecture, ("",))
    variant = platform.variant or known[0]
    return known[known.index(variant) :] if variant in known else (variant, *known)


def _default(architecture: str) -> str:
    return _VARIANTS.get(architecture, ("",))[0]


def walk(layout: Layout, descriptor: Descriptor) -> Iterator[Manifest]:
    """The manifest of `descriptor`, behind all those that it names."""
    manifest = layout.manifest(descriptor)
    for child in manifest.manifests:
        yield from walk(layout, child)
    yield manifest


def _remote(registry: Registry, repository: str, manifest: Manifest) -> Iterator[Manifest]:
    for child in manifest.manifests:
        yield from _remote(registry, repository, _fetch(registry, repository, child))
    yield manifest


def _fetch(registry: Registry, repository: str, descriptor: Descriptor) -> Manifest:
    manifest = registry.manifest(repository, descriptor.digest)
    if len(manifest.raw) != descriptor.size:
        raise SizeMismatch(descriptor.digest, descriptor.size, len(manifest.raw))
    return manifest


def _blobs(manifests: tuple[Manifest, ...]) -> tuple[Descriptor, ...]:
    """All blobs of these manifests, each once."""
    return tuple({blob.digest: blob for found in manifests for blob in found.blobs}.values())


class _Stopped(Exception):
    """Another blob has failed: no need to go on with this one."""


class _Steps:
    """Works on all blobs at once and tells a listener how they come on, one step at a time."""

    def __init__(self, listener: Listener, blobs: tuple[Descriptor, ...]) -> None:
        self._listener, self._blobs = listener, blobs
        self._lock = threading.Lock()
        self._stopped = False
        for blob in blobs:
            self.tell(blob, "waiting", 0)

    def tell(self, blob: Descriptor, state: State, current: int, source: str = "") -> None:
        if self._stopped:
            raise _Stopped
        with self._lock:
            self._listener(Step(blob.digest, state, current, blob.size, source))

    def each(self, work: Callable[[Descriptor], None]) -> None:
        """Do `work` on every blob; the first failure ends the others and is raised."""
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for future in as_completed([pool.submit(work, blob) for blob in self._blobs]):
                    future.result()
            except BaseException:
                self._stopped = True
                pool.shutdown(wait=False, cancel_futures=True)
                raise
