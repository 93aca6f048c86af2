"""The second docker host: the learner's own context `host2`, or one that dockerlab plays."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockerlab.engine.daemon import FIRST
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.home import private
from dockerlab.errors import EngineError

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.engine.docker.address import Address

NAME = "host2"
_ADDRESS = "DOCKERLAB_ADDRESS"  # set by who knows better how other hosts reach this machine


@dataclass(frozen=True)
class SecondHost:
    """`engine` carries out its commands; `first` is the address at which it finds the first host.

    `own` is where the learner's own is; None if dockerlab plays it.
    """

    engine: Engine
    first: str
    own: Address | None = None


def second(engine: Engine) -> SecondHost:
    """The second host beside `engine`; one that is to be played is there from now on."""
    own = _own(engine, NAME)
    if own is not None:
        from dockerlab.engine.docker import Docker

        return SecondHost(Docker(own, NAME), first(engine), own)
    played = _played(engine)
    private(played.path)
    return SecondHost(played, first(engine))


def first(engine: Engine) -> str:
    """The address at which the second host finds the first one."""
    own = _own(engine, NAME)
    return os.environ.get(_ADDRESS) or _seen_from(own.url) if own else FIRST


def forget(engine: Engine) -> None:
    """Remove the second host if dockerlab plays it; a learner's own stays as it is."""
    if _played(engine).path.is_dir():
        _played(engine).reset()


def server(words: Sequence[str], engine: Engine) -> Engine:
    """Who serves `docker WORDS`: the engine, or the second host that dockerlab plays beside it."""
    from dockerlab.engine.commands import apart

    if engine.name == Embedded.name or apart(words)[1] != NAME or _own(engine, NAME):
        return engine
    played = _played(engine)
    return played if played.path.is_dir() else engine


def at(engine: Engine, context: str) -> Engine:
    """The docker host that `docker --context` calls so, beside `engine`."""
    from dockerlab.engine.commands.context import exists

    if context == engine.host:
        return engine
    if context == NAME:
        return second(engine).engine
    if own := _own(engine, context):
        from dockerlab.engine.docker import Docker

        return Docker(own, context)
    if not exists(engine, context):
        raise EngineError(f'context "{context}": context not found')
    return engine.neighbour(context)


def _own(engine: Engine, context: str) -> Address | None:
    """The docker context of that name, which the docker CLI reaches."""
    if engine.name == Embedded.name:
        return None
    from dockerlab.engine.docker import places

    return places.known(context)


def _played(engine: Engine) -> Embedded:
    return engine.neighbour(NAME) if isinstance(engine, Embedded) else Embedded(host=NAME)


def _seen_from(url: str) -> str:
    """This machine's address on the way to another one; no packet is sent."""
    target = urlsplit(url).hostname or "192.0.2.1"  # an address that leads outside (RFC 5737)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
