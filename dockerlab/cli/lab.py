"""What the `dockerlab` command does with the lab itself."""

from __future__ import annotations

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _


@cli.command(help=_("Remove all containers, images and volumes of the course."))
@click.option("--yes", is_flag=True, help=_("Do not ask first."))
def reset(yes: bool) -> None:
    """Remove everything on the course's docker hosts; the lessons stay."""
    from dockerlab.course import moving

    _tell_unheard()
    if not yes:
        question = _("Remove all containers, images and volumes of the course? Your lessons stay.")
        click.confirm(question, abort=True)
    _say(moving.reset())


@cli.command(help=_("Bring the lab to the start of a lesson, by its number or name."))
@click.argument("lesson")
def goto(lesson: str) -> None:
    """Bring the lab to a lesson's start, as if all before it had been done."""
    from dockerlab import workspace
    from dockerlab.course import moving

    name = workspace.lesson(lesson).removesuffix(".ipynb")
    _tell_unheard()
    _say(moving.goto(name))


@cli.command(help=_("Take back the last goto or reset."))
def undo() -> None:
    """Take back the last goto or reset."""
    from dockerlab.course import moving

    _tell_unheard()
    _say(moving.undo())


@cli.command(help=_("Do again what was undone."))
def redo() -> None:
    """Do again what was undone."""
    from dockerlab.course import moving

    _tell_unheard()
    _say(moving.undo(again=True))


def _tell_unheard() -> None:
    from dockerlab.engine.telling import unheard

    for problem in unheard():
        click.echo(problem, err=True)


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
