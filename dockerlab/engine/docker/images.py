"""The images of a Docker Engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TextIO

from dockerlab.engine.base import Json, Say
from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.following import follow
from dockerlab.engine.docker.labels import ours
from dockerlab.engine.progress import Progress
from dockerlab.engine.words import NoSuchImage
from dockerlab.errors import EngineError, NotOurs
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import InvalidReference, Reference

Lines = list[str]


@dataclass(frozen=True)
class Image:
    """A local image, as a Docker Engine tells of it."""

    id: str
    names: tuple[Reference, ...]
    digests: tuple[Reference, ...]
    created: str
    size: int
    labels: dict[str, str]

    @property
    def references(self) -> tuple[Reference, ...]:
        """All its names and repository digests, in docker's order."""
        return tuple(sorted(self.names + self.digests, key=str))


class Images:
    """All images of one Docker Engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> Sequence[Image]:
        """All images, newest first."""
        found = [_listed(entry) for entry in self._client.images()]
        return sorted(found, key=_newest_first)

    def find(self, text: str) -> Image:
        """The image that docker means by a name, a digest or the start of an ID."""
        try:
            return _inspected(self._client.inspect_image(text))
        except Missing as error:
            raise NoSuchImage(error.reason.rpartition("o such image: ")[2]) from None

    def tag(self, source: str, target: Reference) -> None:
        """Give the image `source` the name `target` too."""
        self._client.tag(source, target.locator, target.tag or "latest", force=True)

    def ensure(self, reference: str, out: TextIO, *, platform: Platform | None = None) -> Image:
        """The image for `docker run`: a local one, or one that is pulled with docker's output."""
        try:
            return self.find(reference)
        except NoSuchImage:
            wanted = Reference.parse(reference)

        def say(line: str) -> None:
            out.write(line + "\n")
            out.flush()

        say(f"Unable to find image '{wanted.familiar}' locally")
        self.pull(wanted, say, platform=platform)
        return self.find(reference)

    def pull(
        self,
        reference: Reference,
        say: Say,
        *,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Pull one image, or all tags of a repository, with docker's output."""
        asked = {
            "fromImage": reference.locator,
            "tag": None if all_tags else reference.digest or reference.tag,
            "platform": str(platform) if platform else None,
        }
        self._transfer(reference, "/images/create", asked, say, progress)

    def push(
        self,
        reference: Reference,
        say: Say,
        *,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Push one image, or all tags of a repository, with docker's output."""
        asked = {"tag": None if all_tags else reference.tag}
        self._transfer(reference, f"/images/{reference.familiar_name}/push", asked, say, progress)

    def _transfer(
        self, reference: Reference, path: str, asked: Json, say: Say, progress: Progress | None
    ) -> None:
        """Let the engine work, as long as the connection on which it tells of it is open."""
        progress = progress or Progress()
        with self._client.telling(path, reference.registry, asked) as (steps, cut):
            progress.abort = cut
            progress.check()
            try:
                follow(steps, say, progress)
            except EngineError:  # it may be that we have cut it ourselves
                progress.check()
                raise
        progress.check()

    def add_sample(
        self,
        name: str,
        reference: str | Reference,
        version: int = 1,
        platform: Platform | None = None,
    ) -> Image:
        """Put one of the course's own images here under a name; NotOurs if another has it."""
        wanted = Reference.parse(reference) if isinstance(reference, str) else reference
        with suppress(NoSuchImage):
            if not ours(self.find(str(wanted)).labels):
                raise NotOurs("image", wanted.familiar)
        about = self._client.version()
        platform = platform or Platform(about["Os"], about["Arch"])
        with sample_tar(name, wanted, version, platform) as tar:
            self.load(tar)
        return self.find(str(wanted))

    def load(self, source: IO[bytes]) -> Lines:
        """Read images from a tar, and return docker's lines."""
        steps = self._client.steps("load_image", source, quiet=True)
        return [line for step in steps for line in step.get("stream", "").splitlines()]

    def remove(self, text: str, *, force: bool = False) -> Lines:
        """Remove a name or an image, and return docker's lines."""
        lines = self._client.remove_image(text, force=force)
        return [f"{what}: {name}" for line in lines for what, name in line.items()]


@contextmanager
def sample_tar(
    name: str, reference: Reference, version: int, platform: Platform
) -> Iterator[IO[bytes]]:
    """One of the course's own images as `docker load` takes it; NoPlatform if there is none."""
    from dockerlab.engine import archive
    from dockerlab.engine.images import ImageStore
    from dockerlab.image import sample
    from dockerlab.image.layout import Layout
    from dockerlab.registry.transfer import choose

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as tar:
        store = ImageStore(Path(folder) / "images", lambda: Layout(Path(folder) / "hub"))
        index = store.layout.manifest(sample.build(store.layout, name, version))
        store.point({str(reference): store.describe(choose(index, platform))})
        archive.save(store, [str(reference)], tar)
        tar.seek(0)
        yield tar


def moment(seconds: float) -> str:
    """A time of docker's lists, seconds since 1970, as RFC 3339."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(entry: Json) -> Image:
    """An image of docker's list."""
    return _image(entry, moment(entry["Created"]), entry.get("Labels"))


def _inspected(told: Json) -> Image:
    """An image that docker was asked for."""
    return _image(told, told["Created"], (told.get("Config") or {}).get("Labels"))


def _image(told: Json, created: str, labels: dict[str, str] | None) -> Image:
    names, digests = (_names(told.get(key)) for key in ("RepoTags", "RepoDigests"))
    return Image(told["Id"], names, digests, created, told["Size"], labels or {})


def _names(texts: Iterable[str] | None) -> tuple[Reference, ...]:
    found = []
    for text in texts or ():
        with suppress(InvalidReference):  # <none>:<none>
            found.append(Reference.parse(text))
    return tuple(found)


def _newest_first(image: Image) -> tuple[float, str]:
    from dockerlab.engine.commands.format import parse_time

    names = [str(name) for name in image.references]
    return -parse_time(image.created).timestamp(), names[0] if names else image.id
