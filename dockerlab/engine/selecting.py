"""Which containers, images and volumes of the embedded engine `--filter` means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dockerlab.engine.commands.container_filters import container_test, volume_test
from dockerlab.engine.commands.filters import labelled, moment, sift
from dockerlab.engine.commands.format import parse_time
from dockerlab.engine.images import Image
from dockerlab.engine.removal import Use, Users, prune

if TYPE_CHECKING:
    from dockerlab.engine.container import Container
    from dockerlab.engine.embedded import Embedded

Filters = Mapping[str, Sequence[str]]
Pruned = tuple[list[str], int]


def containers(engine: Embedded, filters: Filters) -> list[Container]:
    """The containers that pass, the newest first."""
    test = container_test(filters, engine)
    return [one for one in engine.containers.list() if test(one)]


def users(engine: Embedded) -> Users:
    """The containers of this host, by the image that they were made from."""

    def of(image: str) -> list[Use]:
        return [Use(one.id, one.running) for one in engine.containers.using(image)]

    return of


def prune_containers(engine: Embedded, filters: Filters) -> Pruned:
    """Remove all stopped containers that pass."""
    gone = [one for one in containers(engine, filters) if not one.running]
    for container in gone:
        engine.containers.remove(container)
    return [one.id for one in gone], 0


def prune_images(engine: Embedded, filters: Filters) -> Pruned:
    """Remove the unused images that pass, those without a name unless `dangling` is false."""
    sift(filters, ("dangling", "label", "label!", "until"))
    named = "false" in filters.get("dangling", ())
    return prune(engine.images, _chooser(filters), named=named, users=users(engine))


def prune_volumes(engine: Embedded, filters: Filters) -> Pruned:
    """Remove the volumes that pass and that no container has."""
    test = volume_test(filters, lambda name: bool(engine.containers.attached(name)))
    unused = [
        volume
        for volume in engine.volumes.list()
        if test(volume) and not engine.containers.attached(volume.name)
    ]
    return [one.name for one in unused], sum(engine.volumes.remove(one.name) for one in unused)


def _chooser(wanted: Filters) -> Callable[[Image], bool]:
    until = [moment(value) for value in wanted.get("until", ())]

    def chosen(image: Image) -> bool:
        created = parse_time(image.created)
        return (
            all(created <= limit for limit in until)
            and labelled(image.labels, wanted.get("label", ()))
            and not any(labelled(image.labels, [label]) for label in wanted.get("label!", ()))
        )

    return chosen
