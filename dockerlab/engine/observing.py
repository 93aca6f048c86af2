"""Who listens to the requests that a command sends to registries: nobody, unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerlab.registry.exchange import Exchange

    Listener = Callable[[Exchange], None]

# It is looked at where a client is made: so a client's threads tell it too, and what other threads
# ask meanwhile, such as a widget that looks at the same registry, is none of its business.
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def observing(listener: Listener) -> Iterator[None]:
    """Hear every exchange, from any thread, of the clients that are made here meanwhile."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def observer() -> Listener | None:
    """Who listens here."""
    return _listener.get()
