"""`dockerlab docker`: a docker command in a terminal."""

from __future__ import annotations

import sys

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _

_INTERRUPTED = 130


class _Verbatim(click.Command):
    """Takes every word after its name as it stands, `--` and `--help` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["words"] = list(args)
        return []


@cli.command(
    cls=_Verbatim,
    add_help_option=False,
    help=_("Run a docker command on the course's engine: dockerlab docker ps"),
)
def docker(words: list[str]) -> None:
    """Run a docker command, then explain what went wrong, if anything did."""
    from dockerlab.course.causes import explained
    from dockerlab.course.explain import Overheard
    from dockerlab.engine.serving import serve
    from dockerlab.engine.telling import unheard

    for problem in unheard():
        click.echo(problem, err=True)
    complaints = Overheard(sys.stderr)
    try:
        status = serve(words, sys.stdout, complaints, sys.stdin.buffer)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    if status and (meaning := explained(complaints.text, words)):
        click.echo(f"\n{meaning}", err=True)
    sys.exit(status)
