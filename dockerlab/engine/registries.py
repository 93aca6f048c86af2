"""The registries that run, or could run, as containers of a docker host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerlab.engine.container import REGISTRY_ROOT, Container
from dockerlab.image.sample import LABEL as SAMPLE_LABEL

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image

PORT = "5000/tcp"  # where a registry listens in its container


def is_registry(container: Container) -> bool:
    """Whether it keeps the folder of a registry in a volume, as every image of one does."""
    return any(mount.get("Destination") == REGISTRY_ROOT for mount in container.mounts)


def registries(engine: Engine) -> list[Container]:
    """The lab's own, those that run first."""
    known = [one for one in engine.containers.list() if is_registry(one) and owns(engine, one)]
    return sorted(known, key=lambda one: not one.running)


def owns(engine: Engine, thing: Container | Image) -> bool:
    """Whether a container or an image is the lab's, and not the learner's own."""
    if isinstance(thing, Container):
        return engine.owns(thing.config["Labels"])
    return engine.owns(thing.labels) or SAMPLE_LABEL in thing.labels


def ports(engine: Engine, container: Container) -> Sequence[str]:
    """The ports of the docker host that lead to it, or will when it is started."""
    if container.running:
        return sorted(container.published)
    host = container.host
    if "PortBindings" not in host:  # a list of containers does not tell
        host = engine.containers.find(container.id).host
    bound = [line["HostPort"] for lines in (host["PortBindings"] or {}).values() for line in lines]
    return sorted(filter(None, bound))


def address(container: Container) -> str:
    """How image names call a registry that runs; "" if no port leads to it."""
    lines = container.state.ports.get(PORT) or [{"HostPort": one} for one in container.published]
    found = sorted(line["HostPort"] for line in lines)
    return f"localhost:{found[0]}" if found else ""
