"""`dockerlab present` and `dockerlab slides`: a lesson in front of a class."""

from __future__ import annotations

from pathlib import Path

import click

from dockerlab import i18n
from dockerlab.cli.group import cli, port
from dockerlab.i18n import _


def _speak(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value:
        i18n.choose(value)


_language = click.option(
    "--lang",
    type=click.Choice(list(i18n.LANGUAGES)),
    callback=_speak,
    expose_value=False,
    help=_("In Bangla or English."),
)


@cli.command(help=_("Present a lesson on a projector, with your notes in a second window."))
@click.argument("lesson")
@_language
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("~/dockerlab"),
    show_default=True,
    help=_("The lesson is presented from a copy of its own, in the folder “present” in there."),
)
@port
@click.option("--no-browser", is_flag=True, help=_("Print the addresses, open no browser."))
def present(lesson: str, folder: Path, port: int, no_browser: bool) -> None:
    """Open a lesson and its notes."""
    from dockerlab.presenting import present as run

    run(folder, lesson, port=port, browser=not no_browser)


@cli.command(help=_("Write a lesson as slides, with all that its cells show, into one file."))
@click.argument("lesson")
@_language
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("The file, instead of LESSON.LANGUAGE.html here."),
)
def slides(lesson: str, output: Path | None) -> None:
    """Write the slides."""
    from dockerlab.presenting.slides import write

    click.echo(write(lesson, output))
