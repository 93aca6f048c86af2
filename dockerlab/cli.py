"""The `dockerlab` command."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from dockerlab import __version__, i18n
from dockerlab.engine.home import home
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

_INTERRUPTED = 130


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


class _Verbatim(click.Command):
    """Takes every word after its name as it stands, `--` and `--help` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["words"] = list(args)
        return []


def _speak(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    i18n.choose(value)
    return value


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
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8888,
    show_default=True,
    help=_("Port of JupyterLab; if it is taken, the next free one is used."),
)
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


@cli.group(help=_("The course's own registry."))
def registry() -> None:
    """What can be done with the course's registry."""


@registry.command(help=_("Run a registry on a folder until Ctrl-C."))
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help=_("Folder that holds what is pushed."),
)
@click.option("--host", help=_("Address to listen on; 127.0.0.1 if nothing is said."))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=_("Port to listen on; 0 takes any free one, and 5000 is usual."),
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=_("Settings as registry:2 has them, in YAML; REGISTRY_* variables count too."),
)
def serve(root: Path | None, host: str | None, port: int | None, config: Path | None) -> None:
    """Run a registry on a folder."""
    from dockerlab.registry.configuration import SettingsError
    from dockerlab.registry.process import ServeError
    from dockerlab.registry.serve import configured
    from dockerlab.registry.serve import serve as run

    if not root and not config:
        raise click.UsageError(_("Say where what is pushed is kept: --root FOLDER."))
    usual = {} if config else {"REGISTRY_STORAGE_DELETE_ENABLED": "true"}
    try:
        run(configured(config, root, host, port, env={**usual, **os.environ}))
    except SettingsError as error:
        raise click.ClickException(str(error.named(os.environ))) from None
    except ServeError as error:
        raise click.ClickException(str(error)) from None


@registry.command(
    "garbage-collect",
    help=_("Remove from a folder what no manifest needs; a registry may run on it meanwhile."),
)
@click.option("-d", "--dry-run", is_flag=True, help=_("Only tell what would be removed."))
@click.option(
    "-m",
    "--delete-untagged",
    is_flag=True,
    help=_("Remove manifests without a tag too, but none that belongs to a tagged one."),
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help=_("Folder that holds what is pushed."),
)
@click.argument("config", required=False, type=click.Path(path_type=Path))
def garbage_collect(
    dry_run: bool, delete_untagged: bool, root: Path | None, config: Path | None
) -> None:
    """Remove from a folder what no manifest needs."""
    from dockerlab.registry.collect import CollectError, collect
    from dockerlab.registry.configuration import SettingsError
    from dockerlab.registry.process import ServeError
    from dockerlab.registry.serve import configured

    if not root and not config:
        raise click.UsageError(_("Say where what is pushed is kept: --root FOLDER."))
    try:
        folder = configured(config, root).storage.filesystem.rootdirectory
        collect(folder, click.echo, dry_run=dry_run, untagged=delete_untagged)
    except SettingsError as error:
        raise click.ClickException(str(error.named(os.environ))) from None
    except (ServeError, CollectError) as error:
        raise click.ClickException(str(error)) from None


@cli.command(help=_("Play Docker Hub for a Docker Engine without internet, until Ctrl-C."))
@click.option("--host", default="127.0.0.1", show_default=True, help=_("Address to listen on."))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5999,
    show_default=True,
    help=_("Port to listen on; 0 takes any free one."),
)
@click.option(
    "--image",
    "archives",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=_("Offer the images of a file that docker save has made, too."),
)
@click.option(
    "--cache",
    "caching",
    is_flag=True,
    help=_("Fetch other images from the real Docker Hub, once each."),
)
def hub(host: str, port: int, archives: tuple[Path, ...], caching: bool) -> None:
    """Serve the course's images as a registry mirror."""
    from dockerlab.hub.serving import serve as run
    from dockerlab.registry.process import ServeError

    try:
        run(host, port, archives, click.echo, caching=caching)
    except ServeError as error:
        raise click.ClickException(str(error)) from None


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


def main() -> None:
    """The entry point: `dockerlab`, `python -m dockerlab`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Bangla, even into a pipe on Windows
            stream.reconfigure(encoding="utf-8")
    cli(prog_name="dockerlab")
