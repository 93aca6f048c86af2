"""`docker pull` as it is seen: the lines that it prints, in an order that never varies.

Layers come in parallel, yet a line is printed only when all that belong before it are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from dockerlab.engine.hub import hint
from dockerlab.engine.image import Images
from dockerlab.engine.images import Image, ImageStore
from dockerlab.engine.progress import Progress
from dockerlab.engine.sources import Source
from dockerlab.engine.words import Refused, pull_refused
from dockerlab.errors import (
    Cancelled,
    DockerlabError,
    EngineError,
    LayoutError,
    NoPlatform,
    RegistryError,
)
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import Reference
from dockerlab.registry.transfer import Step

AT_ONCE = 3  # docker's max-concurrent-downloads
Say = Callable[[str], None]


def pull(
    store: ImageStore,
    reference: Reference,
    say: Say,
    *,
    platform: Platform | None = None,
    progress: Progress | None = None,
) -> Image:
    """Pull one image; EngineError in docker's words, or Cancelled."""
    progress = progress or Progress()
    with store.source(reference.registry) as source:
        image, updated = _one(store, source, reference, say, platform, progress)
    _status(say, _shown(reference), updated)
    if platform and (image.platform.os, image.platform.architecture) != (
        platform.os,
        platform.architecture,
    ):
        say(
            f"WARNING: image with reference {reference.locator} was found but does not match the "
            f"specified platform: wanted {platform}, actual: {image.platform}"
        )
    return image


def pull_all(
    store: ImageStore,
    reference: Reference,
    say: Say,
    *,
    platform: Platform | None = None,
    progress: Progress | None = None,
) -> None:
    """Pull every tag of a repository; EngineError in docker's words, or Cancelled."""
    progress = progress or Progress()
    with store.source(reference.registry) as source:
        try:
            tags = source.tags(reference.repository)
        except RegistryError as error:
            words = pull_refused(error, reference, whole=True)
            raise Refused(words, hint(reference)) from error
        names = [reference.with_tag(tag) for tag in tags]
        results = [_one(store, source, name, say, platform, progress)[1] for name in names]
    _status(say, reference.familiar_name, any(results))


def _one(
    store: ImageStore,
    source: Source,
    reference: Reference,
    say: Say,
    platform: Platform | None,
    progress: Progress,
) -> tuple[Image, bool]:
    title = f"{_title(reference)}: Pulling from {reference.repository}"
    printer = _Printer(store, title, say, progress)
    try:
        pulled = store.pull(reference, printer.step, platform=platform, source=source)
    except (Cancelled, EngineError, LayoutError):
        raise
    except NoPlatform as error:
        printer.begin()
        raise EngineError(error.detail) from error
    except DockerlabError as error:
        words = pull_refused(error, reference)
        if printer.begun:
            raise EngineError(words) from error
        raise Refused(words, hint(reference)) from error
    printer.end()
    say(f"Digest: {pulled.digest}")
    return pulled.image, pulled.updated


class _Printer:
    """Makes docker's lines of the steps of a pull."""

    def __init__(self, store: ImageStore, title: str, say: Say, progress: Progress) -> None:
        self._title, self._say, self._progress = title, say, progress
        images = store.list()
        self._images = {image.id for image in images}
        self._layers = set(_layers(images))
        self._blobs: dict[str, Step] = {}
        self._told: set[str] = set()  # the layers that docker speaks of
        self._missing: list[str] | None = None
        self._done: set[str] = set()
        self._printed = 0
        self.begun = False

    def begin(self) -> None:
        """The first line, once the manifest is there."""
        if not self.begun:
            self.begun = True
            self._say(self._title)

    def step(self, step: Step) -> None:
        """The next step; all that wait come first, and of these the config (see transfer)."""
        self._progress.check()
        self.begin()
        if step.state == "waiting":
            self._blobs[step.digest] = step
            return
        self._list()
        if step.digest in self._told:
            self._progress.step(replace(step, digest=digests.short(step.digest)))
        if step.state in ("done", "exists"):
            self._done.add(step.digest)
            self._flush()

    def end(self) -> None:
        """The image is there and has its name."""
        self.begin()
        for digest in self._list():
            self._say(f"{digests.short(digest)}: Pull complete")

    def _list(self) -> list[str]:
        """Say once which layers are to come, before the first of them does."""
        if self._missing is not None:
            return self._missing
        blobs = list(self._blobs)
        config, layers = blobs[:1], blobs[1:]
        if self._images.intersection(config):
            layers = []  # the image is here: docker does not speak of its layers
        self._told = set(layers)
        self._missing = []
        for layer in layers:
            # Docker counts a layer as here only if all those below it are.
            here = not self._missing and layer in self._layers
            self._progress.step(replace(self._blobs[layer], digest=digests.short(layer)))
            self._say(f"{digests.short(layer)}: {'Already exists' if here else 'Pulling fs layer'}")
            if not here:
                self._missing.append(layer)
        for digest in self._missing[AT_ONCE:]:
            self._say(f"{digests.short(digest)}: Waiting")
        return self._missing

    def _flush(self) -> None:
        missing = self._list()
        while self._printed < len(missing) and missing[self._printed] in self._done:
            short = digests.short(missing[self._printed])
            self._say(f"{short}: Verifying Checksum")
            self._say(f"{short}: Download complete")
            self._printed += 1


def _layers(images: Images) -> Iterator[str]:
    """The layers that local images have; blobs may be here that are nobody's yet."""
    for image in images:
        with suppress(DockerlabError):  # broken: its layers are not known
            yield from (layer.digest for layer in image.layers)


def _title(reference: Reference) -> str:
    if reference.digest:
        return str(reference.with_digest(reference.digest))
    return reference.tag or "latest"


def _shown(reference: Reference) -> str:
    """The name in the status: without the tag if there is a digest."""
    digest = reference.digest
    return (reference.with_digest(digest) if digest else reference).familiar


def _status(say: Say, name: str, updated: bool) -> None:
    what = "Downloaded newer image" if updated else "Image is up to date"
    say(f"Status: {what} for {name}")
