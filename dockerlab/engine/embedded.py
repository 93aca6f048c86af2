"""A docker host without Docker: images, containers and volumes in one folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dockerlab.engine.daemon import FIRST
from dockerlab.engine.home import home, private
from dockerlab.errors import EngineError, RegistryError

if TYPE_CHECKING:
    from dockerlab.engine import base
    from dockerlab.engine.base import Json, Say
    from dockerlab.engine.container import Container
    from dockerlab.engine.containers import Containers
    from dockerlab.engine.creation import Settings
    from dockerlab.engine.credentials import Credentials, Login
    from dockerlab.engine.daemon import Daemon
    from dockerlab.engine.images import ImageStore
    from dockerlab.engine.progress import Progress
    from dockerlab.engine.volumes import Volumes
    from dockerlab.image.layout import Layout
    from dockerlab.image.manifest import Platform
    from dockerlab.image.reference import Reference
    from dockerlab.registry.client import Registry

DEFAULT = "default"  # the host that a lab begins with
_HUB = "hub"  # the folder of the Mini Hub
_HOST = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")


class Embedded:
    """One docker host, with its state in `root`/hosts/`host`."""

    name = "embedded"

    def __init__(self, root: Path | None = None, host: str = DEFAULT) -> None:
        if not _HOST.fullmatch(host):
            raise ValueError(host)
        self.root = root or home()
        self.host = host
        self.path = self.root / "hosts" / host

    @property
    def version(self) -> str:
        """dockerlab's version."""
        from dockerlab import __version__

        return __version__

    @cached_property
    def images(self) -> ImageStore:
        """The images of this host."""
        from dockerlab.engine.images import ImageStore

        return ImageStore(private(self.path) / "images", self.hub, self.connect)

    @cached_property
    def containers(self) -> Containers:
        """The containers of this host."""
        from dockerlab.engine.containers import Containers

        return Containers(self.path, self.volumes, self.root / _HUB)

    @cached_property
    def volumes(self) -> Volumes:
        """The volumes of this host."""
        from dockerlab.engine.volumes import Volumes

        return Volumes(self.path)

    @property
    def daemon(self) -> Daemon:
        """The settings of this host's daemon."""
        from dockerlab.engine.daemon import Daemon

        return Daemon(self.path, self._publishes)

    @property
    def credentials(self) -> Credentials:
        """The logins, which all hosts share, and a Docker Engine too."""
        from dockerlab.engine.credentials import FOLDER, Credentials

        return Credentials(private(self.root / FOLDER))

    def expect_login(self, registry: str) -> None:
        """The Mini Hub has no accounts, and should be told no password."""
        from dockerlab.engine import hub

        if registry == hub.HOST:
            raise hub.no_accounts()

    def authenticate(self, registry: str, login: Login) -> None:
        """Return if the registry lets her in; Refused in docker's words."""
        from dockerlab.engine import words

        self.expect_login(registry)
        try:
            with self.connect(registry, login) as client:
                client.ping()
        except RegistryError as error:
            raise words.Refused(words.login_refused(error)) from None

    def connect(self, registry: str, login: Login | None = None) -> Registry:
        """A client of the registry that image names call so, as this host reaches it."""
        from dockerlab.engine import trust
        from dockerlab.engine.observing import observer
        from dockerlab.registry.client import Registry

        insecure = [registry] if self.daemon.is_insecure(registry) else []
        known = login or self.credentials.find(registry)
        return Registry(
            registry,
            username=known.username if known else "",
            password=known.password if known else "",
            insecure=insecure,
            trust=None if insecure else trust.known(self.path, registry, self.root),
            route=self.daemon.route if self._is_inside(registry) else None,
            observe=observer(),
        )

    def trust(self, registry: str, authority: bytes) -> Path:
        """Let this host trust an authority (PEM) at a registry; where its certificate is now."""
        from dockerlab.engine import trust

        return trust.believe(self.path, registry, authority)

    def _is_inside(self, registry: str) -> bool:
        """Whether the way there is one that only this lab knows."""
        host, _, port = registry.partition(":")
        own = host == FIRST and port.isdecimal() and self._publishes(int(port))
        return own or self.host != DEFAULT

    def _publishes(self, port: int) -> bool:
        running = (container for container in self.containers.list() if container.running)
        return any(str(port) in container.published for container in running)

    def hub(self) -> Layout:
        """The Mini Hub, which plays docker.io; all hosts share it."""
        from dockerlab.image import sample

        return sample.hub(private(self.root) / _HUB)

    def stop_all(self) -> None:
        """End every process of this host; its containers can be started again."""
        self.containers.stop_all()

    def reset(self) -> None:
        """End every process of this host and delete all that it has."""
        self.containers.reset()
        self.forget()
        if self.path.is_dir():
            shutil.rmtree(self.path)

    def forget(self) -> None:
        """Look anew at what is in the folder, which may be another one now."""
        for name in ("containers", "volumes", "images"):
            self.__dict__.pop(name, None)

    def neighbour(self, host: str) -> Embedded:
        """Another docker host in the same root."""
        return Embedded(self.root, host)

    def hosts(self) -> list[Embedded]:
        """All docker hosts in the same root."""
        folder = self.root / "hosts"
        names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        return [self.neighbour(name) for name in sorted({DEFAULT, *names})]

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whatever is here is the lab's."""
        return True

    @property
    def place(self) -> str:
        """Where its state is."""
        return str(self.path)

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
        from dockerlab.engine import pulling

        way = pulling.pull_all if all_tags else pulling.pull
        way(self.images, reference, say, platform=platform, progress=progress)

    def push(
        self,
        reference: Reference,
        say: Say,
        *,
        all_tags: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Push one image, or all tags of a repository, with docker's output."""
        from dockerlab.engine import pushing

        pushing.push(self.images, reference, say, all_tags=all_tags, progress=progress)

    def save(self, names: Sequence[str], target: IO[bytes]) -> None:
        """Write images to a tar."""
        from dockerlab.engine import archive

        archive.save(self.images, names, target)

    def load(self, source: IO[bytes]) -> list[str]:
        """Read images from a tar, and return docker's lines."""
        from dockerlab.engine import loading

        return loading.load(self.images, source)

    def create(self, settings: Settings, image: base.Image) -> Container:
        """A new container, not started yet; NeedsEngine if it is neither registry nor sample."""
        from dockerlab.engine.container import kind_of

        found, greeting = self.images.find(image.id), ""
        if kind_of(settings.image_name, found.config) == "sample":
            greeting = self.images.files(found, "greeting").decode(errors="replace")
        return self.containers.create(settings, found, greeting)

    def remove_container(self, text: str, *, force: bool = False, volumes: bool = False) -> None:
        """Delete a container; one whose record cannot be read only by force."""
        from dockerlab.engine.state import Damaged

        try:
            self.containers.remove(self.containers.find(text), force=force, volumes=volumes)
        except Damaged:
            if not force:
                raise
            self.containers.remove_damaged(text)

    def remove_image(self, text: str, *, force: bool = False) -> list[str]:
        """Remove a name or an image, and return docker's lines."""
        from dockerlab.engine import removal, selecting

        return removal.remove(self.images, text, force=force, users=selecting.users(self))

    def remove_volume(self, name: str, *, force: bool = False) -> None:
        """Delete a volume that no container has; `force`: or that is not there."""
        if users := self.containers.attached(name):
            ids = ", ".join(container.id for container in users)
            raise EngineError(
                f"Error response from daemon: remove {name}: volume is in use - [{ids}]"
            )
        try:
            self.volumes.remove(name)
        except EngineError:
            if not force:
                raise

    def ps(self, filters: Mapping[str, Sequence[str]]) -> list[Container]:
        """The containers, running or not, that the filters let through."""
        from dockerlab.engine import selecting

        return selecting.containers(self, filters)

    def prune(self, kind: str, filters: Mapping[str, Sequence[str]]) -> tuple[list[str], int]:
        """Remove unused "containers", "images" or "volumes": what went, and how many bytes."""
        from dockerlab.engine import selecting

        ways = {
            "containers": selecting.prune_containers,
            "images": selecting.prune_images,
            "volumes": selecting.prune_volumes,
        }
        return ways[kind](self, filters)

    def inspect(self, kind: str, name: str, *, size: bool = False) -> Json:
        """What `docker inspect` shows of a "container", an "image" or a "volume"."""
        from dockerlab.engine import inspecting

        if kind == "container":
            return inspecting.of_container(self.containers, self.containers.find(name), size)
        if kind == "image":
            return inspecting.of_image(self.images.find(name))
        return self.volumes.find(name).to_json()

    def history(self, name: str) -> list[Json]:
        """The steps that made an image, newest first: created, created_by, comment, size, id."""
        from dockerlab.engine import inspecting

        return list(inspecting.steps(self.images.find(name)))

    def usage(self) -> list[base.Usage]:
        """What takes how much room."""
        from dockerlab.engine import inspecting

        return inspecting.usage(self)

    def about(self) -> Json:
        """What `docker version` shows of the server."""
        from dockerlab.engine import inspecting

        return inspecting.about(self)

    def info(self) -> Json:
        """What `docker info` shows of the server."""
        from dockerlab.engine import inspecting

        return inspecting.info(self)
