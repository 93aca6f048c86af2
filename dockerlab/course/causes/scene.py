"""What can be seen where a command failed: what was typed, what docker named, what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dockerlab.course.causes.act import Act, Line
from dockerlab.engine import registries
from dockerlab.image.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image
    from dockerlab.engine.container import Container

HUB = "docker.io"
_URL = re.compile(r"https?://(?:[^/@\s\"]*@)?([^/\s\"]+)")
_DIALLED = re.compile(r"dial tcp (\S+?:\d+): ")
_MOST = 8  # names in a sentence


class CannotSee(Exception):
    """The command was for a docker host that is not ours to look at."""


class Seen(NamedTuple):
    """Which sentence of causes.yaml fits, what stands in it, and what can be done."""

    key: str
    facts: Mapping[str, str]
    acts: tuple[Act, ...] = ()


def seen(key: str, *acts: Act | None, **facts: str) -> Seen:
    """What was seen; what cannot be done is left out."""
    return Seen(key, facts, tuple(act for act in acts if act))


class Scene:
    """A failed command: docker's `text`, the `words` after `docker`, what the pattern caught."""

    def __init__(
        self, text: str, words: Sequence[str], facts: Mapping[str, str], engine: Engine
    ) -> None:
        self.text, self.words, self.facts, self.engine = text, tuple(words), facts, engine

    @cached_property
    def _apart(self) -> tuple[int, str]:
        from dockerlab.engine.commands import apart

        return apart(self.words)

    @property
    def context(self) -> str:
        """The docker context that was named, or ""."""
        return self._apart[1]

    @property
    def start(self) -> int:
        """Where the command begins in the words."""
        return self._apart[0]

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command itself: `image tag` is `tag`."""
        rest = self.words[self.start :]
        return rest[1:] if rest[:1] in (("image",), ("container",)) else rest

    @property
    def verb(self) -> str:
        """`push`, `run` …; or ""."""
        return self.command[0] if self.command else ""

    @cached_property
    def host(self) -> Engine:
        """The docker host that the command was for; CannotSee if it is another's."""
        from dockerlab.engine import second
        from dockerlab.engine.commands.context import exists

        before = self.words[: self.start]
        if any(re.match(r"-H|--host|--tls|--config", word) for word in before):
            raise CannotSee
        host = second.server(self.words, self.engine)
        if self.context in ("", host.host):
            return host
        if host.name != "embedded" or not exists(host, self.context):
            raise CannotSee
        return host.neighbour(self.context)

    def line(self, *words: str) -> Line:
        """A docker line for the same docker host."""
        return ("--context", self.context, *words) if self.context else words

    def instead(self, old: str, new: str) -> Line:
        """What was typed, with another word in the place of `old`."""
        return tuple(new if word == old else word for word in self.words)

    @cached_property
    def reference(self) -> Reference | None:
        """The image that it is about, if it has a valid name."""
        typed = self.command[-1:] if self.verb in ("push", "pull") else ()
        for name in (*typed, self.facts.get("name", "")):
            try:
                return Reference.parse(name)
            except InvalidReference:
                continue
        return None

    @cached_property
    def address(self) -> str:
        """The registry that was asked, as image names call it; or ""."""
        if self.verb == "login" and (typed := self.command[-1:]) and ":" in typed[0]:
            return typed[0]
        if self.reference and self.reference.registry not in ("", HUB):
            return self.reference.registry
        found = _URL.search(self.text) or _DIALLED.search(self.text)
        return found[1] if found else ""

    @cached_property
    def containers(self) -> list[Container]:
        """All that the host has."""
        return self.host.containers.list()

    @cached_property
    def images(self) -> Sequence[Image]:
        """All that the host has."""
        return self.host.images.list()

    def container(self, text: str) -> Container | None:
        """The one with that name, or whose id begins so."""
        name = text.removeprefix("/")
        fitting = [one for one in self.containers if name == one.name]
        fitting += [one for one in self.containers if len(text) >= 4 and one.id.startswith(text)]
        return fitting[0] if fitting else None

    def image(self, name: Reference) -> Image | None:
        """The local image of that name."""
        return next((one for one in self.images if name in one.names), None)

    def ours(self, thing: Container | Image) -> bool:
        """Whether it is the lab's."""
        return registries.owns(self.host, thing)

    @property
    def names(self) -> list[str]:
        """The names of all local images, as docker shows them, `latest` left out."""
        return [short(name) for image in self.images for name in image.names]

    @cached_property
    def registry(self) -> str:
        """Where the lab's registry is, or would be."""
        running = [one for one in registries.registries(self.engine) if one.running]
        return next(filter(None, map(registries.address, running)), "localhost:5000")

    def user(self, registry: str) -> str:
        """Who she is logged in as there, or ""."""
        login = self.host.credentials.find(registry)
        return login.username if login else ""


def short(name: Reference) -> str:
    """A name as one would type it."""
    return name.familiar.removesuffix(":latest")


def near(name: str, names: Iterable[str]) -> str:
    """The one of `names` that may have been meant, or ""."""
    found = get_close_matches(name, list(names), n=1, cutoff=0.7)
    return found[0] if found else ""


def listed(names: Iterable[str]) -> str:
    """Names one after another; of many, the first."""
    every = sorted(set(names))
    return ", ".join(every[:_MOST]) + (" …" if len(every) > _MOST else "")
