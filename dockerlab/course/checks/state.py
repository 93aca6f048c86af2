"""What checks may look at, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerlab.errors import DockerlabError, NotFound
from dockerlab.image.reference import Reference

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image
    from dockerlab.engine.second import SecondHost
    from dockerlab.image.manifest import Manifest

REGISTRY = "localhost:5000"
NOTHING = "sha256:" + 64 * "0"  # no manifest has this digest
Seen = tuple[str, Mapping[str, str | int]]  # `ok` or a hint's key, and what fills its text
CHECKS: dict[str, Callable[[State, Any], Seen]] = {}


class State:
    """What a check may look at: the engine's images, and registries over HTTP."""

    def __init__(self, engine: Engine, registry: str = "") -> None:
        self.engine = engine
        self.registry = registry or _published(engine)

    @cached_property
    def other(self) -> SecondHost:
        """The second docker host."""
        from dockerlab.engine.second import second

        return second(self.engine)

    def image(self, name: str, engine: Engine | None = None) -> Image | None:
        """The image of that name, here or on another engine."""
        wanted = Reference.parse(name)
        images = (engine or self.engine).images.list()
        return next((image for image in images if wanted in image.names), None)

    def from_other(self, name: str) -> str:
        """What the second host calls `name` of the learner's registry."""
        return f"{self.other.first}:{self.registry.rpartition(':')[2]}/{name}"

    def names(self) -> list[Reference]:
        """All names of local images."""
        return [name for image in self.engine.images.list() for name in image.names]

    def manifest(self, repository: str, tag: str) -> Manifest | None:
        """What the learner's registry holds under a tag; Unavailable if it does not answer."""
        with self.engine.connect(self.registry) as registry:
            try:
                return registry.manifest(repository, tag)
            except NotFound:
                return None

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository in the learner's registry."""
        with self.engine.connect(self.registry) as registry:
            try:
                return list(registry.tags(repository))
            except NotFound:
                return []


def check(name: str) -> Callable[[Callable[[State, Any], Seen]], Callable[[State, Any], Seen]]:
    """Make a function the check called `name`."""

    def register(function: Callable[[State, Any], Seen]) -> Callable[[State, Any], Seen]:
        if name in CHECKS:
            raise ValueError(f"there is a check called {name} already")
        CHECKS[name] = function
        return function

    return register


def same(there: Manifest, here: Image) -> bool:
    """Whether the registry's image is the local one; engines differ in what they call its ID."""
    names = {there.digest, there.config.digest if there.config else ""}
    return here.id in names or there.digest in {name.digest for name in here.digests}


def missing(state: State, name: str) -> Seen:
    """Why the registry has no `name`: nobody pushed it, or nothing here is called so."""
    tagged = state.image(f"{state.registry}/{name}")
    return ("not-pushed" if tagged else "not-tagged"), {}


def _published(engine: Engine) -> str:
    """Where the learner's registry is: port 5000, unless a container has it on another only."""
    ports: list[str] = []
    with suppress(
        DockerlabError, OSError
    ):  # a damaged container is no reason not to check an answer
        running = [
            each
            for each in engine.containers.list()
            if each.running and engine.owns(each.config["Labels"])
        ]
        bound = [line for each in running for line in each.state.ports.get("5000/tcp") or ()]
        ports = [line["HostPort"] for line in bound]
    return f"localhost:{ports[0]}" if ports and "5000" not in ports else REGISTRY
