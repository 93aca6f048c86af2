"""The registries that a lesson finds running, with images in them (`registries` in lessons.yaml).

    - {name: registry, port: 5000, holds: {hello-registry: {"1.0": 1, latest: 1}}}

`name` is the container's; `holds` says repository -> tag -> version of the sample that the last
part of the repository's name means. With a `user` and a `password` nobody else may look in.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerlab.engine.creation import Settings
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.images import here
from dockerlab.engine.mounts import Mount
from dockerlab.engine.ports import parse as published
from dockerlab.errors import DockerlabError, EngineError, Unavailable
from dockerlab.i18n import _
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import Reference
from dockerlab.registry import client, transfer

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.engine.container import Container
    from dockerlab.registry.client import Registry

IMAGE = "registry:2"
_FOLDER = "/auth"  # in the container
_ENV = (
    "REGISTRY_AUTH=htpasswd",
    "REGISTRY_AUTH_HTPASSWD_REALM=Registry",
    f"REGISTRY_AUTH_HTPASSWD_PATH={_FOLDER}/htpasswd",
)
_COST = 4  # of a toy password: the real registry checks it at each request
_PATIENCE, _PAUSE = 5.0, 0.02  # seconds
_TAKEN = ("already allocated", "already in use", "not available")  # of a port, as docker says it


class PortTaken(DockerlabError):
    """The `port` of a lesson's registry is held by a `container`, or by another program ("")."""

    def __init__(self, port: int, container: str) -> None:
        super().__init__(port, container)
        self.port, self.container = port, container

    def message(self) -> str:
        """What happened, in the learner's language."""
        if self.container:
            said = _(
                "This lesson brings a registry on port {port}, but your container {name} holds "
                "that port. Stop it (docker stop {name}) and run this cell again."
            )
        else:
            said = _(
                "This lesson brings a registry on port {port}, but another program of your "
                "machine holds that port. Stop that program for a while (on a Mac, port 5000 is "
                "AirPlay's: switch AirPlay Receiver off) and run this cell again."
            )
        return said.format(port=self.port, name=self.container)


class NoImage(DockerlabError):
    """The lesson's own registry cannot run; `reason` is docker's, or "" if it never answered."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def message(self) -> str:
        """What happened, in the learner's language."""
        said = _(
            "This lesson brings a registry, which needs a working image registry:2 on your Docker "
            "Engine. Run docker pull registry:2 where there is internet, or see dockerlab hub, "
            "and run this cell again."
        )
        return f"{said}\n{self.reason}".strip()


def prepare(about: Mapping[str, Any], engine: Engine) -> None:
    """Start a lesson's registry and fill it; PortTaken or NoImage if that cannot be."""
    user, password = about.get("user", ""), about.get("password", "")
    container = _create(about, _locked(about["name"], user, password) if user else None, engine)
    try:
        _start(container, about["port"], engine)
        address = f"localhost:{about['port']}"
        with client.Registry(address, username=user, password=password) as registry:
            _wait(registry)
            _fill(registry, about["holds"], _platform(engine))
    except BaseException:
        engine.remove_container(container.id, force=True, volumes=True)
        raise


def _locked(name: str, user: str, password: str) -> Path:
    """The folder with the file that lets only that user in."""
    from dockerlab.engine.home import home, private
    from dockerlab.registry import htpasswd

    folder = private(home() / "prepared" / name)
    htpasswd.add(folder / "htpasswd", user, password, _COST)
    return folder


def _create(about: Mapping[str, Any], auth: Path | None, engine: Engine) -> Container:
    try:
        image = engine.images.ensure(IMAGE, StringIO())
    except EngineError as error:
        raise NoImage(str(error)) from None
    settings = Settings(
        IMAGE,
        about["name"],
        env=_ENV if auth else (),
        ports=published(f"127.0.0.1:{about['port']}:5000"),
        mounts=[Mount(str(auth), _FOLDER, "ro")] if auth else (),
    )
    return engine.create(settings, image)


def _start(container: Container, port: int, engine: Engine) -> None:
    try:
        engine.containers.start(container)
    except EngineError as error:
        if not any(words in str(error) for words in _TAKEN):
            raise NoImage(str(error)) from None
        others = (one for one in engine.containers.list() if one.running)
        holder = next((one.name for one in others if str(port) in one.published), "")
        raise PortTaken(port, holder) from None


def _wait(registry: Registry) -> None:
    """Come back when it answers."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return registry.ping()
        except Unavailable:
            if time.monotonic() > deadline:
                raise NoImage("") from None
            time.sleep(_PAUSE)


def _fill(registry: Registry, holds: Mapping[str, Mapping[str, int]], platform: Platform) -> None:
    """Push the samples, as an engine of that platform would push its own."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        for repository, tags in holds.items():
            for tag, version in tags.items():
                made = sample.build(layout, repository.rpartition("/")[2], version)
                image = transfer.choose(layout.manifest(made), platform)
                name = Reference.parse(f"{registry.host}/{repository}:{tag}")
                transfer.push(layout, image, registry, name)


def _platform(engine: Engine) -> Platform:
    if isinstance(engine, Embedded):
        return here()
    about = engine.about()
    return Platform(about["Os"], about["Arch"])
