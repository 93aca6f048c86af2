"""`dockerlab join` and `dockerlab leave`: a learner's way into a class, and out of it."""

from __future__ import annotations

import sys
from functools import partial

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _


@cli.command(help=_("Join a class with the line from your slip: dockerlab join LOGIN@HOST/SEAL"))
@click.argument("address")
@click.option("--password-stdin", "piped", is_flag=True, help=_("Take the password from stdin."))
@click.option(
    "--share/--no-share",
    default=None,
    help=_("Whether your instructor sees which checks you have tried and passed."),
)
def join(address: str, piped: bool, share: bool | None) -> None:
    """Join a class."""
    from dockerlab.classroom import welcome
    from dockerlab.engine import current

    asked = (lambda _prompt: sys.stdin.readline()) if piped else _hidden
    agree = (lambda _question: False) if piped else partial(click.confirm, default=False)
    docker = "dockerlab docker"
    lines = welcome.join(address, current(), docker, share=share, password=asked, agree=agree)
    click.echo("\n".join(lines))


@cli.command(help=_("Leave the class, and take away all that joining it has brought."))
def leave() -> None:
    """Leave the class."""
    from dockerlab.classroom import welcome
    from dockerlab.engine import current

    click.echo(welcome.leave(current()))


def _hidden(prompt: str) -> str:
    """What is typed at the terminal, not shown; EOFError where there is none."""
    from getpass import getpass

    if not sys.stdin.isatty():
        raise EOFError
    return getpass(prompt)
