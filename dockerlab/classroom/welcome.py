"""What is said to a learner who joins a class, or leaves it; in a terminal or in a notebook."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING

from dockerlab.classroom import joining, mistakes
from dockerlab.course import membership
from dockerlab.course.membership import Membership
from dockerlab.engine.embedded import Embedded
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine


def join(
    line: str,
    engine: Engine,
    docker: str,
    *,
    share: bool | None = None,
    password: Callable[[str], str] = getpass.getpass,
    agree: Callable[[str], bool],
) -> list[str]:
    """Join the class; what is to be said then. `docker` is how docker's commands begin here."""
    door = joining.knock(line)
    asked = _("The class is “{name}”, and the seal is right. Password of {login} (not shown):")
    try:
        given = password(asked.format(name=door.name, login=door.ticket.login) + " ")
        made = door.enter(given, share, lambda: agree(_question()), engine)
    except (EOFError, NotImplementedError):
        raise mistakes.CannotAsk(str(door.ticket)) from None
    return [*_welcome(made), *_trust(made, engine), *_onward(made, docker)]


def leave(engine: Engine) -> str:
    """Leave the class; what is to be said then."""
    there, withdrawn = joining.leave(engine)
    said = _(
        "You have left the class “{name}”. Login and certificate are gone from this lab; what you "
        "pushed is still in the class's registry."
    ).format(name=there.name)
    if not isinstance(engine, Embedded):
        said += " " + _(
            "If your Docker Engine was told to trust the class, its file certs.d/{address}/ca.crt "
            "is yours to delete."
        ).format(address=there.address)
    if there.share and withdrawn:
        return f"{said} " + _("The class has forgotten what you shared.")
    if there.share:
        return f"{said} " + _(
            "The instructor's machine does not answer now: what you shared stays there until your "
            "instructor lets the class be forgotten. Nothing more is shared."
        )
    return said


def _question() -> str:
    return _(
        "Shall your instructor see which lesson you are in, and which checks you have tried and "
        "passed? Nothing else is told, and “leave” ends it."
    )


def _welcome(made: Membership) -> list[str]:
    shares = _("Your instructor sees at which check you are.")
    keeps = _("What you do in the lessons stays with you.")
    return [
        _("You are in the class “{name}” as {login}.").format(name=made.name, login=made.login),
        shares if made.share else keeps,
    ]


def _onward(made: Membership, docker: str) -> list[str]:
    """The next lines to type."""
    there = f"{made.address}/{made.login}/my-image"
    return [
        _("Now give an image its name for the class, and push it:"),
        f"    {docker} image tag my-image {there}",
        f"    {docker} push {there}",
    ]


def _trust(made: Membership, engine: Engine) -> list[str]:
    """What she has to do herself, so that her own Docker Engine believes the class."""
    if isinstance(engine, Embedded):
        return []
    from dockerlab.widgets.certificate import trust

    first = _("Before you push, your Docker Engine has to trust the certificate of the class.")
    return [first, str(trust(engine, made.address, "", membership.authority()))]
