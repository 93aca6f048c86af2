"""What carries out a docker command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

_engines: dict[str, Embedded] = {}


def current() -> Embedded:
    """The engine of this process; another one if DOCKERLAB_HOME has changed."""
    from dockerlab.engine.embedded import Embedded
    from dockerlab.engine.home import home

    root = home()
    return _engines.setdefault(str(root), Embedded(root))
