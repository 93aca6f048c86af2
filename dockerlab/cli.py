"""The `dockerlab` command."""

from __future__ import annotations

import click


@click.group()
def main() -> None:
    """Learn Docker registries by doing."""
