"""`dockerlab classroom`: the instructor's part of a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.classroom.room import Room

_PORT = click.IntRange(0, 65535)


@cli.group(
    invoke_without_command=True,
    help=_(
        "Hold a class: a registry for the room, until Ctrl-C. It stays on this machine alone, "
        "unless --host says otherwise."
    ),
)
@click.option("--name", help=_("What the class is called."))
@click.option(
    "--learners",
    "roll",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=_("Let in whose names are in the file: one a line, or a CSV's first column."),
)
@click.option("--learner", "names", metavar="NAME", multiple=True, help=_("Let one learner in."))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help=_("Address to listen on; 0.0.0.0 opens the class to the network."),
)
@click.option(
    "--port", default=5443, type=_PORT, show_default=True, help=_("Port of the registry.")
)
@click.option(
    "--quota", default="2GB", show_default=True, help=_("Room for the images of each learner.")
)
@click.option(
    "--page-port", default=5480, type=_PORT, show_default=True, help=_("Port of your own page.")
)
@click.option(
    "--mirror-port", default=5999, type=_PORT, show_default=True, help=_("Port of the mirror.")
)
@click.option("--no-mirror", is_flag=True, help=_("Serve no mirror of Docker Hub."))
@click.pass_context
def classroom(
    ctx: click.Context,
    name: str | None,
    roll: Path | None,
    names: tuple[str, ...],
    host: str,
    port: int,
    quota: str,
    page_port: int,
    mirror_port: int,
    no_mirror: bool,
) -> None:
    """Hold a class."""
    if ctx.invoked_subcommand is not None:
        return
    from dockerlab.classroom import sizes
    from dockerlab.classroom.serving import Plan, hold
    from dockerlab.registry.process import ServeError

    try:
        size = sizes.parse(quota)
    except ValueError:
        said = _("“{text}” is no size; write it like 500MB or 2GB.").format(text=quota)
        raise click.BadParameter(said, param_hint="--quota") from None
    room = _opened(name, roll, names)
    plan = Plan(host, port, page_port, None if no_mirror else mirror_port, size)
    try:
        hold(room, plan, click.echo)
    except ServeError as error:
        raise click.ClickException(str(error)) from None


def _opened(name: str | None, roll: Path | None, names: tuple[str, ...]) -> Room:
    """The class as it was, or a new one, with these learners in it."""
    from dockerlab.classroom import roll as rolls
    from dockerlab.classroom.room import opened

    wanted = rolls.unique([*(rolls.read(roll) if roll else ()), *names])
    return opened(rolls.tidy(name or ""), wanted)


@classroom.command("list", help=_("Show who is in the class, by which login, with how much room."))
def show() -> None:
    """Show who is in the class."""
    from dockerlab.classroom.quotas import Metered
    from dockerlab.classroom.room import present
    from dockerlab.classroom.sizes import said

    room = present()
    storage = Metered(room.folder / "registry", 0)
    click.echo(_("Class “{name}”").format(name=room.name))
    width = max(map(len, room.learners), default=0)
    for login, full in room.learners.items():
        click.echo(f"  {login:{width}}  {said(storage.used(login)):>8}  {full}")


@classroom.command(help=_("Give a learner a new password; the old one ends."))
@click.argument("login")
@click.option(
    "--address",
    metavar="HOST:PORT",
    help=_("Where learners reach this machine; found out if nothing is said."),
)
@click.pass_context
def renew(ctx: click.Context, login: str, address: str | None) -> None:
    """Give a learner a new password, on a slip."""
    from dockerlab.classroom.room import present

    room = present(login)
    slips = classroom.get_command(ctx, "slips")
    if slips:
        ctx.invoke(slips, logins=(login,), address=address, yes=True)
    else:
        room.renew(login)


@classroom.command(help=_("Remove the class: its learners, all that they pushed, its certificate."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
def forget(yes: bool) -> None:
    """Remove the class."""
    from dockerlab.classroom.room import DamagedRoom, present
    from dockerlab.classroom.serving import remove

    try:
        name = present().name
    except DamagedRoom:
        name = "?"
    asked = _("Remove the class “{name}” with all that was pushed? It cannot be undone.")
    if yes or click.confirm(asked.format(name=name)):
        remove()
        click.echo(_("The class “{name}” is gone.").format(name=name))
