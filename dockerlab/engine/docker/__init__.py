"""A Docker Engine, over docker's SDK for Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cached_property
from typing import IO, TYPE_CHECKING

from dockerlab.engine.base import Json, Say, Usage
from dockerlab.engine.docker.labels import LAB_LABEL

if TYPE_CHECKING:
    from dockerlab.engine import base
    from dockerlab.engine.container import Container
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.credentials import Credentials, Login
    from dockerlab.engine.docker.address import Address
    from dockerlab.engine.docker.client import Client
    from dockerlab.engine.docker.containers import Containers
    from dockerlab.engine.docker.images import Images
    from dockerlab.engine.docker.volumes import Volumes
    from dockerlab.engine.progress import Progress
    from dockerlab.image.manifest import Platform
    from dockerlab.image.reference import Reference
    from dockerlab.registry.client import Registry


class Docker:
    """The Docker Engine at `address`; nothing is opened until something is asked."""

    name = "docker"

    def __init__(self, address: Address, host: str = "default") -> None:
        self.address, self.host = address, host

    @cached_property
    def client(self) -> Client:
        """docker's own client."""
        from dockerlab.engine.docker.client import Client

        return Client(self.address)

    @property
    def version(self) -> str:
        """The engine's version."""
        return str(self.client.version()["Version"])

    @property
    def images(self) -> Images:
        """The images of this engine."""
        from dockerlab.engine.docker.images import Images

        return Images(self.client)

    @property
    def containers(self) -> Containers:
        """The containers of this engine."""
        from dockerlab.engine.docker.containers import Containers

        return Containers(self.client)

    @property
    def volumes(self) -> Volumes:
        """The volumes of this engine."""
        from dockerlab.engine.docker.volumes import Volumes

        return Volumes(self.client)

    @property
    def credentials(self) -> Credentials:
        """The logins of the lab, which docker's CLI keeps."""
        from dockerlab.engine.credentials import Credentials
        from dockerlab.engine.docker import config

        return Credentials(config.folder())

    def expect_login(self, registry: str) -> None:
        """Anybody may try."""

    def authenticate(self, registry: str, login: Login) -> None:
        """Return if the registry lets her in; EngineError in docker's words."""
        from dockerlab.engine.credentials import HUB_KEY, key

        server = key(registry)
        self.client.login(
            login.username,
            login.password,
            registry="" if server == HUB_KEY else server,
            reauth=True,
        )

    def connect(self, registry: str) -> Registry:
        """A client of the registry, with the lab's login, that trusts as the engine here does."""
        from dockerlab.engine import trust
        from dockerlab.engine.docker import config
        from dockerlab.engine.observing import observer
        from dockerlab.registry.client import Registry
        from dockerlab.registry.trust import Trust

        login = self.credentials.find(registry)
        try:
            believed = trust.known(config.engines(), registry)
        except OSError:  # which only root may read
            believed = Trust()
        return Registry(
            registry,
            username=login.username if login else "",
            password=login.password if login else "",
            trust=believed,
            observe=observer(),
        )

    @property
    def place(self) -> str:
        """Its address."""
        return self.address.url

    def hosts(self) -> Sequence[Docker]:
        """All docker hosts of the lab: this one."""
        return [self]

    def neighbour(self, host: str) -> Docker:
        """This one, whatever its name: for another, docker's CLI is wanted."""
        return self

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether what bears these labels is the lab's."""
        return LAB_LABEL in (labels or {})

    def stop_all(self) -> None:
        """End every container of the lab; they can be started again."""
        for container in self.containers.list():
            if container.running and self.owns(container.config["Labels"]):
                self.containers.stop(container)

    def reset(self) -> None:
        """Remove the containers, volumes, networks and images that bear the lab's labels.

        What cannot go stays, and is told of when all else is gone.
        """
        from dockerlab.engine.docker.sweeping import sweep

        sweep(self.client)

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
        self.images.pull(reference, say, platform=platform, all_tags=all_tags, progress=progress)

    def push(
        self,
        reference: Reference,
        say: Say,
        *,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Push one image, or all tags of a repository, with docker's output."""
        self.images.push(reference, say, all_tags=all_tags, progress=progress)

    def remove_image(self, text: str, *, force: bool = False) -> list[str]:
        """Remove a name or an image, and return docker's lines."""
        return self.images.remove(text, force=force)

    def remove_container(self, text: str, *, force: bool = False, volumes: bool = False) -> None:
        """Delete a container; `volumes`: and its anonymous volumes."""
        self.client.remove_container(text, v=volumes, force=force)

    def remove_volume(self, name: str, *, force: bool = False) -> None:
        """Delete a volume that no container has; `force`: or that is not there."""
        from dockerlab.engine.docker.client import Missing

        try:
            self.client.remove_volume(name, force=force)
        except Missing:
            if not force:
                raise

    def ps(self, filters: Mapping[str, Sequence[str]]) -> list[Container]:
        """The containers, running or not, that the filters let through."""
        return self.containers.list(filters)

    def prune(self, kind: str, filters: Mapping[str, Sequence[str]]) -> tuple[list[str], int]:
        """Remove unused "containers", "images" or "volumes": what went, and how many bytes."""
        told = getattr(self.client, f"prune_{kind}")(dict(filters))
        lines = []
        for gone in told.get(f"{kind.title()}Deleted") or ():
            named = gone.items() if isinstance(gone, dict) else ()
            lines += [f"{what.lower()}: {name}" for what, name in named] or [gone]
        return lines, int(told.get("SpaceReclaimed") or 0)

    def save(self, names: Sequence[str], target: IO[bytes]) -> None:
        """Write images to a tar."""
        with closing(self.client.ask("GET", "/images/get", names=list(names))) as answer:
            for chunk in self.client.pieces(answer):
                target.write(chunk)

    def load(self, source: IO[bytes]) -> list[str]:
        """Read images from a tar, and return docker's lines."""
        return self.images.load(source)

    def create(self, settings: Settings, image: base.Image) -> Container:
        """A new container, not started yet; volumes that it brings into being are the lab's."""
        for mount in settings.mounts:
            if mount.source and not mount.is_folder:
                self.volumes.create(mount.source)
        return self.containers.create(settings)

    def inspect(self, kind: str, name: str, *, size: bool = False) -> Json:
        """What `docker inspect` shows of a "container", an "image" or a "volume"."""
        if kind == "container" and size:
            with closing(self.client.ask("GET", f"/containers/{name}/json", size=1)) as answer:
                return dict(self.client.read(answer))
        return dict(getattr(self.client, f"inspect_{kind}")(name))

    def history(self, name: str) -> list[Json]:
        """The steps that made an image, newest first: created, created_by, comment, size, id."""
        from dockerlab.engine.docker.images import moment

        return [
            {
                "created": moment(step["Created"]),
                "created_by": step["CreatedBy"],
                "comment": step["Comment"],
                "size": step["Size"],
                "id": step["Id"],
            }
            for step in self.client.history(name)
        ]

    def usage(self) -> list[Usage]:
        """What takes how much room."""
        from dockerlab.engine.docker.usage import usage

        return usage(self.client.df())

    def about(self) -> Json:
        """What `docker version` shows of the server."""
        return dict(self.client.version())

    def info(self) -> Json:
        """What `docker info` shows of the server."""
        return dict(self.client.info())
