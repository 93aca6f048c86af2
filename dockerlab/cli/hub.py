"""`dockerlab hub`: Docker Hub's part."""

from __future__ import annotations

from pathlib import Path

import click

from dockerlab.cli.group import cli
from dockerlab.i18n import _


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
