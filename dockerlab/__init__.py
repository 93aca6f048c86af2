"""Learn Docker registries by doing: names, registries, and an engine that needs no Docker.

A notebook needs three names from here: `lab`, `Reference` and, through `%load_ext dockerlab`,
`load_ipython_extension`. Each is imported when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, which alone takes longer to import than all of this

if TYPE_CHECKING:
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from dockerlab.image.reference import InvalidReference, Reference
    from dockerlab.lab import lab

__version__ = "0.1.0"
__all__ = ["InvalidReference", "Reference", "lab", "load_ipython_extension"]

_HOMES = {
    "InvalidReference": "dockerlab.image.reference",
    "Reference": "dockerlab.image.reference",
    "lab": "dockerlab.lab",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dockerlab' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add `%docker` and `%lang` to a notebook."""
    from dockerlab import magic

    magic.load(shell)
