"""`dockerlab bundle`: the course in one file, for machines without internet."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _

_KINDS = ("windows", "macos", "macos-intel", "linux", "linux-arm")


def _versions(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        if not re.fullmatch(r"3\.[1-9][0-9]", value):
            raise click.BadParameter(_("Write it as 3.12; the course needs 3.10 or newer."))
    return values


@cli.group(help=_("The whole course in one file, for machines without internet."))
def bundle() -> None:
    """What can be done with a bundle."""


@bundle.command(help=_("Write the course as it is installed here to FILE, which Python can run."))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help=_("Another kind of machine that the bundle is for too; needs internet."),
)
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="VERSION",
    callback=_versions,
    help=_("A version of Python on those machines, such as 3.12; the one here if nothing is said."),
)
@click.option(
    "--image",
    "archives",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=_("Take along the images of a file that docker save has made."),
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=lambda: os.environ.get("DOCKERLAB_WHEELS") or None,
    metavar="FOLDER",
    help=_("Take wheels that must be fetched from this folder, not from the internet."),
)
def save(
    file: Path,
    kinds: tuple[str, ...],
    pythons: tuple[str, ...],
    archives: tuple[Path, ...],
    wheels: Path | None,
) -> None:
    """Write a bundle."""
    from dockerlab.bundle.collecting import machines
    from dockerlab.bundle.saving import save as write

    write(file.absolute(), machines(kinds, pythons), archives, wheels, click.echo)


@bundle.command(help=_("Bring this installation up to date from FILE, and load its images."))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--images", "alone", is_flag=True, help=_("Load the images only."))
def load(file: Path, alone: bool) -> None:
    """Load a bundle."""
    from dockerlab.bundle.loading import load as read
    from dockerlab.bundle.loading import load_images

    if alone:
        load_images(file.absolute(), click.echo)
    else:
        read(file.absolute(), Path(sys.prefix), click.echo)
