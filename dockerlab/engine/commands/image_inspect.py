"""`docker image inspect`, and what `docker inspect` says of an image."""

from __future__ import annotations

from dockerlab.engine.base import Json
from dockerlab.engine.commands.inspect import inspect_each
from dockerlab.engine.commands.parse import FORMAT, Session, command
from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError


@command(
    "image inspect",
    usage="IMAGE [IMAGE...]",
    summary="Display detailed information on one or more images",
    options=[FORMAT],
    arguments=(1, None),
    completes="images",
)
def inspect(session: Session, *images: str, format: str) -> int:
    """`docker image inspect`."""
    return inspect_each(session, images, format, lambda name: look_up(session, name))


def look_up(session: Session, name: str) -> Json:
    """What docker says of an image; EngineError in docker's words."""
    if not name:
        raise EngineError("Error: No such image: ")
    try:
        return session.engine.inspect("image", name)
    except Refused as error:
        before = f"no such image: {name}: "
        raise Refused(before + error.reason.removeprefix(before)) from None
