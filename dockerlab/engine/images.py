"""The images of one docker host, in an OCI layout.

The index has a line for each tag (`docker.io/library/nginx:latest`), one for each repository
digest (`localhost:5000/my-image@sha256:…`), and one without a name for each dangling image. Each
points to an image manifest, kept verbatim, and remembers what `docker images` shows of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from dockerlab.engine import sweeping
from dockerlab.engine.image import ID, TAGGED, Image, Images, collect, image_id
from dockerlab.engine.pushed import Pushed
from dockerlab.engine.words import NoSuchImage, invalid
from dockerlab.errors import EngineError
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import Descriptor, Platform
from dockerlab.image.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from dockerlab.engine.sources import Source
    from dockerlab.registry.client import Registry
    from dockerlab.registry.transfer import Listener

    Connect = Callable[[str], Registry]

__all__ = ["Image", "ImageStore", "Pulled", "here"]
_HEX = re.compile(r"(?:sha256:)?([0-9a-f]+)")
_WHOLE = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True)
class Pulled:
    """A pulled image, what its name points to in the registry, and whether that is new here."""

    image: Image
    digest: str
    updated: bool


class ImageStore:
    """The images in the layout at `layout_path`; `hub` gives the layout that plays docker.io.

    `connect` gives the client of a registry, by its host.
    """

    def __init__(
        self, layout_path: Path, hub: Callable[[], Layout], connect: Connect | None = None
    ) -> None:
        self.path = Path(layout_path)
        self.hub = hub
        self._connect = connect
        self._layout: Layout | None = None

    @property
    def layout(self) -> Layout:
        """The layout, made if it is not there (any more)."""
        if self._layout is None or not (self.path / "oci-layout").exists():
            self._layout = Layout(self.path)
        return self._layout

    def list(self) -> Images:
        """All images, newest first."""
        found = collect(self.layout, self.entries())
        return sorted(found, key=lambda image: _newest_first(image))

    def entries(self) -> tuple[Entry, ...]:
        """The lines of the index, each with what is to be remembered of its image."""
        entries = self.layout.entries()
        if all(ID in entry.descriptor.annotations for entry in entries):
            return entries
        with self.layout.locked():
            described = [
                entry
                if ID in entry.descriptor.annotations
                else Entry(entry.name, self.describe(entry.descriptor))
                for entry in self.layout.entries()
            ]
            self.layout.update(lambda _: described)
        return tuple(described)

    def find(self, text: str, entries: Iterable[Entry] | None = None) -> Image:
        """The image that docker means by a name, a digest or the start of an ID."""
        images = self.list() if entries is None else collect(self.layout, entries)
        whole = _WHOLE.fullmatch(text)
        if whole:
            digest = f"sha256:{whole[1]}"
            found = [image for image in images if image.id == digest]
            if not found:
                raise NoSuchImage(digest)
            return found[0]
        try:
            reference = Reference.parse(text)
        except InvalidReference as error:
            raise invalid(error) from None
        found = _named(images, reference) or _identified(images, text)
        if len(found) != 1:
            raise NoSuchImage(reference.familiar)
        return found[0]

    def tag(self, source: str, target: Reference) -> None:
        """Give the image `source` the name `target` too, taking it from another if need be."""
        with self.layout.locked():
            image = self.find(source)
            noted = {**image.descriptor.annotations, TAGGED: _now()}
            self.point({str(target): replace(image.descriptor, annotations=noted)})

    def point(self, names: Mapping[str | None, Descriptor]) -> None:
        """Let each name point to a described image; one that loses its last name stays."""

        def change(entries: tuple[Entry, ...]) -> Iterable[Entry]:
            fresh = [Entry(name, descriptor) for name, descriptor in names.items()]
            ids = {image_id(entry) for entry in fresh}
            kept = [
                entry
                for entry in entries
                if entry.name not in names and (entry.name or image_id(entry) not in ids)
            ]
            left = {image_id(entry) for entry in (*kept, *fresh)}
            lost = {image_id(entry): entry for entry in entries if image_id(entry) not in left}
            return *kept, *fresh, *(Entry(None, entry.descriptor) for entry in lost.values())

        self.layout.update(change)

    def pull(
        self,
        reference: Reference,
        on_step: Listener = lambda step: None,
        *,
        platform: Platform | None = None,
        source: Source | None = None,
    ) -> Pulled:
        """Fetch an image and give it its name; RegistryError and others if that fails."""
        with self.busy(), ExitStack() as stack:
            source = source or stack.enter_context(self.source(reference.registry))
            top, chosen = source.pull(self.layout, reference, platform or here(), on_step)
            described = self.describe(chosen)
            name = reference if not reference.digest else reference.with_digest(reference.digest)
            digest = str(reference.with_digest(top.digest))
            with self.layout.locked():
                before = {entry.name: image_id(entry) for entry in self.layout.entries()}
                # An index stands for more than one image; the first one pulled keeps the digest.
                new = {str(name)} | ({digest} - before.keys())
                self.point(dict.fromkeys(new, described))
                self.pushed.learn(reference, [blob.digest for blob in self._layers(described)])
                image = next(i for i in self.list() if i.id == described.annotations[ID])
        return Pulled(image, top.digest, before.get(str(name)) != image.id)

    def push(
        self,
        reference: Reference,
        on_step: Listener = lambda step: None,
        *,
        source: Source | None = None,
    ) -> Descriptor:
        """Send the image that has this very name, and remember its repository digest."""
        with self.busy(), ExitStack() as stack:
            source = source or stack.enter_context(self.source(reference.registry))
            described = self.layout.resolve(str(reference))
            if described is None:
                raise EngineError(f"tag does not exist: {reference.familiar}")
            plain = Descriptor(described.media_type, described.digest, described.size)
            known = self.pushed.of(reference.registry)
            pushed = source.push(self.layout, plain, reference, known, on_step)
            with self.layout.locked():
                if self.layout.resolve(str(reference.with_digest(pushed.digest))) is None:
                    self.point({str(reference.with_digest(pushed.digest)): described})
                self.pushed.learn(reference, [blob.digest for blob in self._layers(plain)])
        return pushed

    def ensure(
        self, reference: str | Reference, out: TextIO, *, platform: Platform | None = None
    ) -> Image:
        """The image for `docker run`: a local one, or one that is pulled with docker's output."""
        text = reference if isinstance(reference, str) else str(reference)
        try:
            return self.find(text)
        except NoSuchImage:
            if _WHOLE.fullmatch(text):
                raise
        from dockerlab.engine.pulling import pull

        wanted = Reference.parse(text)

        def say(line: str) -> None:
            out.write(line + "\n")
            out.flush()

        say(f"Unable to find image '{wanted.familiar}' locally")
        return pull(self, wanted, say, platform=platform)

    def files(self, image: Image, path: str) -> bytes:
        """The content of one file of an image; FileNotFoundError."""
        from dockerlab.engine.contents import read_file

        with ExitStack() as stack:
            layers = (
                stack.enter_context(self.layout.open(layer)) for layer in reversed(image.layers)
            )
            return read_file(layers, path)

    def add_sample(
        self,
        name: str,
        reference: str | Reference,
        version: int = 1,
        platform: Platform | None = None,
    ) -> Image:
        """Put one of the course's own images here under a name; NoPlatform if there is none."""
        from dockerlab.image import sample
        from dockerlab.registry.transfer import choose

        wanted = Reference.parse(reference) if isinstance(reference, str) else reference
        with self.busy():
            index = self.layout.manifest(sample.build(self.layout, name, version))
            chosen = choose(index, platform or here())
            self.point({str(wanted): self.describe(chosen)})
        self.sweep()  # the other platforms
        return self.find(str(wanted))

    def describe(self, descriptor: Descriptor) -> Descriptor:
        """`descriptor` of an image manifest, with what is remembered of the image.

        Reads every layer that no other image has, and says so if one is not what the config names.
        """
        from dockerlab.engine.describing import describe

        return describe(self.layout, descriptor)

    @contextmanager
    def source(self, registry: str) -> Iterator[Source]:
        """What to pull from and push to: a registry, or the Mini Hub for docker.io."""
        from dockerlab.engine import sources

        with sources.open_source(registry, self.hub, self._connect) as source:
            yield source

    @property
    def pushed(self) -> Pushed:
        """What is known of the layers that registries have."""
        return Pushed(self.path / "pushed.json")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While this lasts, no process removes blobs that no name points to yet."""
        with sweeping.busy(self.layout):
            yield

    def sweep(self) -> None:
        """Remove blobs that nothing points to, unless a process may be about to."""
        sweeping.sweep(self.layout)

    def _layers(self, descriptor: Descriptor) -> tuple[Descriptor, ...]:
        return self.layout.manifest(descriptor).layers


def here() -> Platform:
    """The platform of images where none is asked for: DOCKER_DEFAULT_PLATFORM, or the machine's."""
    import platform

    asked = os.environ.get("DOCKER_DEFAULT_PLATFORM", "").split("/")
    machine = asked[1] if len(asked) > 1 else platform.machine()
    arm = machine.lower() in ("aarch64", "arm64")
    return Platform("linux", "arm64" if arm else "amd64")


def _named(images: Images, reference: Reference) -> Images:
    """By its digest alone where there is one, as docker does."""
    if reference.digest:
        wanted = reference.with_digest(reference.digest)
        return [image for image in images if wanted in image.digests]
    return [image for image in images if reference in image.names]


def _identified(images: Images, text: str) -> Images:
    match = _HEX.fullmatch(text)
    return [i for i in images if i.id.startswith(f"sha256:{match[1]}")] if match else []


def _newest_first(image: Image) -> tuple[float, str]:
    from dockerlab.engine.commands.format import parse_time

    names = [str(name) for name in image.references]
    return -int(parse_time(image.created).timestamp()), names[0] if names else image.id


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
