"""The `dockerlab` command: every module here but `group` adds commands to it."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from pkgutil import iter_modules

from dockerlab.cli.group import cli

__all__ = ["cli", "main"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def main() -> None:
    """The entry point: `dockerlab`, `python -m dockerlab`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Bangla, even into a pipe on Windows
            stream.reconfigure(encoding="utf-8")
    cli(prog_name="dockerlab")
