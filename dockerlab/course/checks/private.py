"""Checks of a private registry that a lesson finds running, with its own login where need be."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dockerlab.course import outline
from dockerlab.course.checks.looking import prepared
from dockerlab.course.checks.state import Seen, State, check
from dockerlab.errors import NotFound

APP, MINE = "apps/internal-app", "apps/my-image"
WHY = {  # what each error means, by the letters of the lesson's table
    "no basic auth credentials": "b",
    "401 Unauthorized": "c",
    "pull access denied": "a",
}


@check("from-private")
def _from_private(state: State, answer: Any) -> Seen:
    return _pulled(state, _address())


@check("loopback")
def _loopback(state: State, answer: Any) -> Seen:
    return _pulled(state, _address("127.0.0.1"))


@check("push-private")
@prepared
def _push_private(state: State, answer: Any) -> Seen:
    from dockerlab.registry.client import Registry

    about, address = _about(), _address()
    with Registry(address, username=about["user"], password=about["password"]) as registry:
        for repository, key in ((MINE, "ok"), (MINE.partition("/")[2], "no-apps")):
            with suppress(NotFound):
                registry.manifest(repository, "latest")
                return key, {"address": address}
    tagged = state.image(f"{address}/{MINE}")
    return ("not-pushed" if tagged else "not-tagged"), {"address": address}


@check("which-error")
def _which_error(state: State, answer: Any) -> Seen:
    given = answer if isinstance(answer, Mapping) else {}
    if not any(str(letter).strip() for letter in given.values()):
        return "empty", {}
    for error, letter in WHY.items():
        if str(given.get(error, "")).strip().lower() != letter:
            return "wrong", {"text": error}
    return "ok", {}


def _about() -> Mapping[str, Any]:
    """The lesson's registry, as its data have it."""
    lesson = next(each for each in outline.lessons() if "from-private" in each.checks)
    found: Mapping[str, Any] = lesson.begins["registries"][0]
    return found


def _address(host: str = "localhost") -> str:
    return f"{host}:{_about()['port']}"


def _pulled(state: State, address: str) -> Seen:
    """Whether the app came from that address, or why it did not."""
    facts = {"address": address}
    if state.image(f"{address}/{APP}"):
        return "ok", facts
    if address not in state.engine.credentials.registries:
        return "not-logged-in", facts
    return "not-pulled", facts
