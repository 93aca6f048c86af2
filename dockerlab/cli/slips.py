"""`dockerlab classroom slips`: new passwords, on paper."""

from __future__ import annotations

from pathlib import Path

import click

from dockerlab.cli.classroom import classroom
from dockerlab.i18n import _, digits


@classroom.command(help=_("New passwords for learners, all or those named, on slips to print."))
@click.argument("logins", nargs=-1, metavar="[LOGIN]…")
@click.option(
    "--address",
    metavar="HOST:PORT",
    help=_("Where learners reach this machine; found out if nothing is said."),
)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("The file to write, which must not be there yet; slips.html if nothing is said."),
)
@click.option("--yes", is_flag=True, help=_("Do not ask first."))
def slips(logins: tuple[str, ...], address: str | None, path: Path | None, yes: bool) -> None:
    """Make slips anew."""
    from dockerlab.classroom import slips as paper
    from dockerlab.classroom.room import present

    room = present()
    for login in logins:
        present(login)
    wanted = logins or tuple(room.learners)
    if not wanted:
        said = _("There is nobody in the class “{name}” yet.")
        raise click.ClickException(said.format(name=room.name))
    place = paper.place(room, address)
    if not yes:
        click.confirm(_question(len(wanted), wanted[0]), abort=True)
    made = paper.renew(room, wanted, place, path or paper.free(Path(paper.FILE)))
    said = _("Print {path} from your browser, then delete it: passwords are in it, for {address}.")
    click.echo(said.format(path=made, address=place))


def _question(number: int, first: str) -> str:
    many = _("{number} learners get new passwords; what their older slips say ends at once. Go on?")
    one = _("{login} gets a new password; what an older slip says ends at once. Go on?")
    return one.format(login=first) if number == 1 else many.format(number=digits(number))
