"""A docker host without Docker: images, containers and volumes in one folder."""

from __future__ import annotations

import re
import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.engine.home import home, private

if TYPE_CHECKING:
    from dockerlab.engine.containers import Containers
    from dockerlab.engine.daemon import Daemon
    from dockerlab.engine.images import ImageStore
    from dockerlab.engine.volumes import Volumes
    from dockerlab.image.layout import Layout
    from dockerlab.registry.client import Registry

DEFAULT = "default"  # the host that a lab begins with
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

        return Containers(self.path, self.volumes)

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

    def connect(self, registry: str) -> Registry:
        """A client of the registry that image names call so, as this host reaches it."""
        from dockerlab.registry.client import Registry

        daemon = self.daemon
        insecure = [registry] if daemon.is_insecure(registry) else []
        route = None if self.host == DEFAULT else daemon.route
        return Registry(registry, insecure=insecure, route=route)

    def _publishes(self, port: int) -> bool:
        bound = [
            line
            for container in self.containers.list()
            if container.running
            for lines in container.state.ports.values()
            for line in lines
        ]
        return any(line["HostPort"] == str(port) for line in bound)

    def hub(self) -> Layout:
        """The Mini Hub, which plays docker.io; all hosts share it."""
        from dockerlab.image import sample

        return sample.hub(private(self.root) / "hub")

    def stop_all(self) -> None:
        """End every process of this host; its containers can be started again."""
        self.containers.stop_all()

    def reset(self) -> None:
        """End every process of this host and delete all that it has."""
        self.containers.reset()
        for name in ("containers", "volumes", "images"):
            self.__dict__.pop(name, None)
        if self.path.is_dir():
            shutil.rmtree(self.path)

    def neighbour(self, host: str) -> Embedded:
        """Another docker host in the same root."""
        return Embedded(self.root, host)
