"""The `dockerlab` command itself: its options, and how it says what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dockerlab import __version__, i18n
from dockerlab.engine.home import home
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _


class _Course(click.Group):
    """Says what went wrong in one sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DockerlabError as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:  # click ends quietly
            raise
        except OSError as error:
            said = _("dockerlab cannot use its folder {path}: {reason}.")
            path = error.filename or home()
            raise click.ClickException(said.format(path=path, reason=error.strerror)) from None


def _speak(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    i18n.choose(value)
    return value


port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8888,
    show_default=True,
    help=_("Port of JupyterLab; if it is taken, the next free one is used."),
)


@click.group(
    cls=_Course,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_("Learn Docker registries by doing. Without a command: open the course."),
)
@click.option(
    "--lang",
    type=click.Choice(list(i18n.LANGUAGES)),
    callback=_speak,
    is_eager=True,
    help=_("Begin in Bangla or English."),
)
@click.option("--lesson", metavar="LESSON", help=_("Open a lesson, by its number or name."))
@port
@click.option("--no-browser", is_flag=True, help=_("Print the address, open no browser."))
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("~/dockerlab"),
    show_default=True,
    help=_("Where your own copy of the lessons is kept."),
)
@click.version_option(__version__, prog_name="dockerlab")
@click.pass_context
def cli(
    ctx: click.Context,
    lang: str | None,
    lesson: str | None,
    port: int,
    no_browser: bool,
    folder: Path,
) -> None:
    """Open the course, unless a command says otherwise."""
    if ctx.invoked_subcommand is None:
        from dockerlab.start import run

        run(folder, lang=lang, lesson=lesson, port=port, browser=not no_browser)
