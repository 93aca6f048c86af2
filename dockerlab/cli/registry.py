"""`dockerlab registry`: the course's registry alone."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _


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
