"""What a docker host has of the lab, in the learner's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from dockerlab.course.causes.scene import short
from dockerlab.engine import registries
from dockerlab.engine.base import Engine, Image
from dockerlab.engine.container import Container
from dockerlab.engine.telling import Row
from dockerlab.errors import DockerlabError, Unauthorized
from dockerlab.i18n import _, digits, ngettext
from dockerlab.image import digest as digests

_LIMIT = 100  # repositories that are counted


class Address(NamedTuple):
    """A registry that runs: the name of its container, and how image names call it."""

    name: str
    address: str


@dataclass(frozen=True)
class Inventory:
    """The lab's things on `engine`, and how many are the learner's own."""

    engine: Engine
    containers: tuple[Container, ...]
    images: tuple[Image, ...]
    own_containers: int
    own_images: int
    damaged: tuple[str, ...]

    @property
    def registries(self) -> list[Address]:
        """Those that run."""
        running = [one for one in self.containers if one.running and registries.is_registry(one)]
        found = [Address(one.name, registries.address(one)) for one in running]
        return [one for one in found if one.address]

    @property
    def place(self) -> str:
        """Where the course's own engine keeps all that; "" of a Docker Engine."""
        return self.engine.place if self.engine.name == "embedded" else ""

    @property
    def untouched(self) -> list[str]:
        """What is said of the learner's own things."""
        containers, images = self.own_containers, self.own_images
        said = [
            ngettext(
                "And {count} container of yours, untouched.",
                "And {count} containers of yours, untouched.",
                containers,
            ).format(count=digits(containers)),
            ngettext(
                "And {count} image of yours, untouched.",
                "And {count} images of yours, untouched.",
                images,
            ).format(count=digits(images)),
        ]
        return [text for text, count in zip(said, (containers, images), strict=True) if count]


def look(engine: Engine) -> Inventory:
    """What is there now."""
    engine = engine.neighbour(engine.host)  # whose list of what is damaged nobody else writes
    containers, images = engine.containers.list(), engine.images.list()
    ours = [one for one in containers if registries.owns(engine, one)]
    images_ours = [one for one in images if registries.owns(engine, one)]
    return Inventory(
        engine,
        tuple(sorted(ours, key=lambda one: one.name)),
        tuple(images_ours),
        len(containers) - len(ours),
        len(images) - len(images_ours),
        tuple(map(str, engine.containers.damaged)),
    )


def status(container: Container) -> str:
    """How it is."""
    known = {
        "running": _("running"),
        "exited": _("stopped"),
        "created": _("never started"),
        "paused": _("paused"),
        "restarting": _("restarting"),
    }
    return known.get(container.state.status, container.state.status)


def ports(container: Container) -> str:
    """Which ports of the docker host lead where in it."""
    found = {
        f"{line['HostPort']} → {inside}"
        for inside, lines in container.state.ports.items()
        for line in lines
    }
    return ", ".join(sorted(found))


def names(image: Image) -> str:
    """All that it is called, or what docker says of one without a name."""
    return ", ".join(map(short, image.names)) or "<none>"


def short_id(image: Image) -> str:
    """The twelve digits that docker shows."""
    return digests.short(image.id)


def size(count: int) -> str:
    """Bytes as docker writes them."""
    from dockerlab.engine.commands.format import size as docker_size

    return docker_size(count)


def count_repositories(engine: Engine, address: str) -> str:
    """How many a registry has, or why it does not tell."""
    try:
        with engine.connect(address) as registry:
            count = len(list(islice(registry.catalog(), _LIMIT + 1)))
    except Unauthorized:
        return _("wants a login first")
    except (DockerlabError, OSError):
        return _("does not answer")
    if count > _LIMIT:
        return _("more than {count} repositories").format(count=digits(_LIMIT))
    said = ngettext("{count} repository", "{count} repositories", count)
    return said.format(count=digits(count))


def disk(engine: Engine) -> str:
    """How much room everything takes; of a Docker Engine, all that it has."""
    try:
        total = size(sum(kind.size for kind in engine.usage()))
    except (DockerlabError, OSError):
        return ""
    if engine.name == "embedded":
        return total
    return _("{size}, with all that is yours").format(size=total)


def removable(hosts: Iterable[Engine]) -> list[Row]:
    """What a reset removes, by kind; a host that does not answer keeps what it has."""
    containers: list[str] = []
    images: list[str] = []
    volumes = damaged = 0
    for host in hosts:
        try:
            found = look(host)
            owned: Sequence[object] = [v for v in host.volumes.list() if host.owns(v.labels)]
        except (DockerlabError, OSError):
            continue
        where = "" if host.host == "default" else f" ({host.host})"
        containers += [one.name + where for one in found.containers]
        damaged += len(found.damaged)
        images += [names(one) + where for one in found.images]
        volumes += len(owned)
    listed = [
        (_("Containers"), ", ".join(sorted(containers))),
        (_("Damaged containers"), digits(damaged) if damaged else ""),
        (_("Images"), ", ".join(sorted(images))),
        (_("Volumes"), digits(volumes) if volumes else ""),
    ]
    return [row for row in listed if row[1]]
