"""`dockerlab doctor`: whether this machine is ready for a class."""

from __future__ import annotations

import sys

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red"}


@cli.command(help=_("See whether this machine has all that a class needs, and mend what it lacks."))
@click.option("--json", "as_json", is_flag=True, help=_("For programs: one JSON object."))
def doctor(as_json: bool) -> None:
    """Tell what was found; exit status 1 if a class would stumble over any of it."""
    from dockerlab.doctor import examine, report

    findings = examine()
    if as_json:
        click.echo(report.to_json(findings))
    else:
        for one in findings:
            mark, _dot, rest = report.line(one).partition(" · ")
            click.echo(f"{click.style(mark, fg=_COLOURS[one.state])} · {rest}")
        click.echo(f"\n{report.summary(findings)}")
    sys.exit(0 if report.is_ready(findings) else 1)
