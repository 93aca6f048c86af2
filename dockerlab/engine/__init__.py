"""What carries out a docker command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockerlab.errors import UnknownEngine

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

_engines: dict[str, Embedded] = {}


def current() -> Embedded:
    """The engine of this process; another one if DOCKERLAB_HOME has changed.

    UnknownEngine if DOCKERLAB_ENGINE asks for one that there is not.
    """
    from dockerlab.engine.embedded import Embedded
    from dockerlab.engine.home import home

    asked = os.environ.get("DOCKERLAB_ENGINE") or Embedded.name
    if asked != Embedded.name:
        raise UnknownEngine(asked)
    root = home()
    return _engines.setdefault(str(root), Embedded(root))
