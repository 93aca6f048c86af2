"""What commands, checks and lessons ask of an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO

if TYPE_CHECKING:
    from datetime import datetime

    from dockerlab.engine.container import Container
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.credentials import Credentials, Login
    from dockerlab.engine.progress import Progress
    from dockerlab.errors import DockerlabError
    from dockerlab.image.manifest import Platform
    from dockerlab.image.reference import Reference
    from dockerlab.registry.client import Registry

Json = dict[str, Any]
Say = Callable[[str], None]  # prints a line
Chunk = tuple[bool, bytes]  # whether it is from standard error, and what was written


class Usage(NamedTuple):
    """How many things of a kind there are, how many are in use, and their bytes, all and unused."""

    kind: str
    total: int
    active: int
    size: int
    free: int


class Image(Protocol):
    """A local image."""

    @property
    def id(self) -> str:
        """`sha256:` and 64 hex digits."""

    @property
    def names(self) -> tuple[Reference, ...]:
        """Its names with a tag."""

    @property
    def digests(self) -> tuple[Reference, ...]:
        """Its repository digests."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """All its names and repository digests, in docker's order."""

    @property
    def created(self) -> str:
        """When it was made (RFC 3339)."""

    @property
    def size(self) -> int:
        """Bytes of all its files."""

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""


class Images(Protocol):
    """The images of one docker host."""

    def list(self) -> Sequence[Image]:
        """All images, newest first."""

    def find(self, text: str) -> Image:
        """The image that docker means by a name, a digest or the start of an ID."""

    def tag(self, source: str, target: Reference) -> None:
        """Give the image `source` the name `target` too."""

    def ensure(self, reference: str, out: TextIO, *, platform: Platform | None = None) -> Image:
        """The image for `docker run`: a local one, or one that is pulled with docker's output."""

    def add_sample(
        self, name: str, reference: str, version: int = 1, platform: Platform | None = None
    ) -> Image:
        """Put one of the course's own images here under a name; NoPlatform if there is none."""


class Containers(Protocol):
    """The containers of one docker host."""

    @property
    def damaged(self) -> Sequence[DockerlabError]:
        """What the last `list` could not read."""

    def list(self) -> list[Container]:
        """All containers, the newest first."""

    def find(self, text: str) -> Container:
        """The container with that id, name, or beginning of an id; EngineError if none has."""

    def attached(self, volume: str) -> Sequence[Container]:
        """The containers, running or not, that mount that volume."""

    def start(self, container: Container) -> Container:
        """Start it; EngineError in docker's words if it cannot."""

    def play(self, container: Container, out: TextIO, err: TextIO) -> int:
        """Start it and show what it writes until it ends; Ctrl-C stops it. Its exit status."""

    def output(
        self,
        container: Container,
        *,
        follow: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        tail: int | None = None,
        timestamps: bool = False,
    ) -> Iterator[Chunk]:
        """What it has written since the moment `since`; with `follow` on to its end."""

    def stop(
        self, container: Container, seconds: int | None = None, number: int | None = None
    ) -> None:
        """Ask it to end by that signal, and end it if it takes longer than that."""

    def kill(self, container: Container, number: int) -> None:
        """Send it a signal."""

    def wait(self, container: Container) -> int:
        """Come back when it has ended, with its exit status."""

    def rename(self, container: Container, name: str) -> None:
        """Give it another name."""


class Volume(Protocol):
    """A volume."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def labels(self) -> Mapping[str, str] | None:
        """Its labels."""

    @property
    def folder(self) -> object:
        """Where its files are, on the docker host."""


class Volumes(Protocol):
    """The volumes of one docker host."""

    def list(self) -> Sequence[Volume]:
        """All volumes, by name."""

    def create(self, name: str = "", labels: Mapping[str, str] | None = None) -> Volume:
        """The volume of that name, made if there is none; without a name an anonymous one."""

    def size(self, name: str) -> int:
        """The bytes of all files in the volume of that name; EngineError if there is none."""


class Engine(Protocol):
    """One docker host."""

    name: str  # "embedded" or "docker"
    host: str  # as `--context` calls it

    @property
    def version(self) -> str:
        """The engine's version."""

    @property
    def images(self) -> Images:
        """The images of this host."""

    @property
    def containers(self) -> Containers:
        """The containers of this host."""

    @property
    def volumes(self) -> Volumes:
        """The volumes of this host."""

    @property
    def credentials(self) -> Credentials:
        """The logins that it sends to registries."""

    def expect_login(self, registry: str) -> None:
        """Return if somebody could log in there; EngineError, before she is asked, if not."""

    def connect(self, registry: str) -> Registry:
        """A client of the registry that image names call so, with the lab's login and trust."""

    def authenticate(self, registry: str, login: Login) -> None:
        """Return if the registry lets her in; EngineError in docker's words."""

    @property
    def place(self) -> str:
        """Where it is: an address, or the folder of its state."""

    def hosts(self) -> Sequence[Engine]:
        """All docker hosts of the lab, this one included."""

    def neighbour(self, host: str) -> Engine:
        """Another docker host of the lab."""

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether what bears these labels is the lab's, to be taken away without a question."""

    def stop_all(self) -> None:
        """End every container of the lab; they can be started again."""

    def reset(self) -> None:
        """End and remove all that the lab made on this host, and nothing else."""

    def pull(
        self,
        reference: Reference,
        say: Say,
        *,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Pull one image, or all tags of a repository, with docker's output.

        `progress` is told of each step, and may end it: Cancelled.
        """

    def push(
        self,
        reference: Reference,
        say: Say,
        *,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Push one image, or all tags of a repository; as `pull`."""

    def remove_image(self, text: str, *, force: bool = False) -> list[str]:
        """Remove a name or an image, and return docker's lines."""

    def remove_container(self, text: str, *, force: bool = False, volumes: bool = False) -> None:
        """Delete a container; `volumes`: and its anonymous volumes."""

    def remove_volume(self, name: str, *, force: bool = False) -> None:
        """Delete a volume that no container has; `force`: or that is not there."""

    def ps(self, filters: Mapping[str, Sequence[str]]) -> list[Container]:
        """The containers, running or not, that the filters let through."""

    def prune(self, kind: str, filters: Mapping[str, Sequence[str]]) -> tuple[list[str], int]:
        """Remove unused "containers", "images" or "volumes": what went, and how many bytes."""

    def save(self, names: Sequence[str], target: IO[bytes]) -> None:
        """Write images to a tar."""

    def load(self, source: IO[bytes]) -> list[str]:
        """Read images from a tar, and return docker's lines."""

    def create(self, settings: Settings, image: Image) -> Container:
        """A new container, not started yet."""

    def inspect(self, kind: str, name: str, *, size: bool = False) -> Json:
        """What `docker inspect` shows of a "container", an "image" or a "volume"."""

    def history(self, name: str) -> list[Json]:
        """The steps that made an image, newest first: created, created_by, comment, size, id."""

    def usage(self) -> Sequence[Usage]:
        """What takes how much room."""

    def about(self) -> Json:
        """What `docker version` shows of the server."""

    def info(self) -> Json:
        """What `docker info` shows of the server."""
