"""What the `dockerlab` command does with the lab itself."""

from __future__ import annotations

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _


@cli.command(help=_("Remove all containers, images and volumes of the course."))
@click.option("--yes", is_flag=True, help=_("Do not ask first."))
def reset(yes: bool) -> None:
    """Remove everything on the course's docker hosts; the lessons stay."""
    from dockerlab.engine.telling import unheard
    from dockerlab.start import hosts

    for problem in unheard():
        click.echo(problem, err=True)
    if not yes:
        question = _("Remove all containers, images and volumes of the course? Your lessons stay.")
        click.confirm(question, abort=True)
    for host in hosts():
        host.reset()
    click.echo(_("Your lab is empty again."))
