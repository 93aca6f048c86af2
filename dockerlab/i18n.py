"""The learner's language: which one it is, and the words of the interface in it.

Messages are English in the code and come in Bangla from `locale/bn/LC_MESSAGES/dockerlab.po`.
The language is asked for each time that something is shown, never stored with a message.
"""

from __future__ import annotations

import gettext
import io
import locale
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = {"bn": "বাংলা", "en": "English"}

_chosen: str | None = None
_asked: ContextVar[str] = ContextVar("language", default="")
_BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


def language() -> str:
    """`bn` or `en`: asked for, chosen, else DOCKERLAB_LANG, the notebook's folder, the system's."""
    for candidate in (_asked.get(), _chosen, os.environ.get("DOCKERLAB_LANG"), *_folders()):
        if candidate in LANGUAGES:
            return candidate
    system = locale.getlocale()[0] or os.environ.get("LANG") or ""
    return "bn" if system.lower().startswith(("bn", "bengali", "bangla")) else "en"


def choose(code: str | None) -> None:
    """Speak `bn` or `en` from now on; None goes back to what the surroundings say."""
    global _chosen
    if code is not None and code not in LANGUAGES:
        raise ValueError(code)
    _chosen = code


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `bn` or `en` meanwhile, to whoever asked; others are spoken to as before."""
    before = _asked.set(code)
    try:
        yield
    finally:
        _asked.reset(before)


def _(message: str) -> str:
    """`message` in the learner's language."""
    return _catalogue(language()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """`one` or `many`, by `count`, in the learner's language."""
    return _catalogue(language()).ngettext(one, many, count)


def pick(texts: Mapping[str, str]) -> str:
    """The entry of `{"bn": …, "en": …}` that the learner reads."""
    return texts[language()]


def digits(value: object) -> str:
    """`value` as prose writes it: Bangla digits in Bangla, unchanged in English."""
    text = str(value)
    return text.translate(_BANGLA_DIGITS) if language() == "bn" else text


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == "en":
        return gettext.NullTranslations()
    from pkgutil import get_data

    name = f"locale/{code}/LC_MESSAGES/dockerlab.mo"
    return gettext.GNUTranslations(io.BytesIO(get_data(__package__, name) or b""))  # a zip, too


def _folders() -> tuple[str, ...]:
    try:
        return Path.cwd().parts[::-1]
    except FileNotFoundError:  # the folder was deleted under us
        return ()
