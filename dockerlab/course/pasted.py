"""A pasted error: the commands in it, its secrets covered, and of what kind it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from dockerlab.course.causes import Act, explained
from dockerlab.course.data import load
from dockerlab.course.explain import Meaning
from dockerlab.i18n import _, pick

LIMIT = 32_768  # characters: of more, the last ones
COVER = "••••"
_LONG = 2_000  # characters of a line
_KEPT = "\n\t\u200c\u200d"  # the last two shape Bangla letters
_SAFE = {"tag", "push", "pull", "start", "stop", "rm"}  # the last two ask, and of the lab's only
_COMMAND = re.compile(
    r"^\s*(?:\S{0,40}[$#>❯%!]\s*|.{0,60}[$#>❯]\s+|In \[\d+\]:\s*%)?(?:sudo )?"
    r"docker\s+(?P<line>[a-z-]\S*.*)$"
)
_COMPLAINT = re.compile(
    r"^(docker: |error\b)|Error response from daemon", re.IGNORECASE | re.MULTILINE
)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
_ENV = r"[A-Za-z_]*(?:SECRET|PASSWORD|PASSWD|TOKEN|APIKEY|API_KEY)[A-Za-z_]*"
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<before>--password[= ]+)(?P<secret>'[^']*'|\"[^\"]*\"|\S+)",
        r"(?P<before>\blogin\b[^\n]*?\s-p[= ]?)(?P<secret>'[^']*'|\"[^\"]*\"|\S+)",
        r"(?P<before>\b(?:echo|printf)\s+)(?P<secret>[^|\n]+?)(?=\s*\|[^\n]*--password-stdin)",
        r"(?P<before>--password-stdin[^\n]*<<<\s*)(?P<secret>'[^']*'|\"[^\"]*\"|\S+)",
        r"(?P<before>(?:\bcurl\b[^\n]*?\s(?:-u|--user)[= ]?[^\s:]+:))(?P<secret>\S+)",
        r"(?P<before>\bhtpasswd\b[^\n]*?\s-\w*b\w*\s+(?:\S*(?:/|htpasswd)\S*\s+)?\S+\s+)(?P<secret>\S+)",
        r"(?P<before>lab\.htpasswd\([^\n]*,\s*)(?P<secret>['\"][^'\"\n]*['\"])(?=\s*\))",
        r"(?P<before>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?P<secret>[\s\S]+?)(?=-----END|\Z)",
        r"(?P<before>authorization\"?\s*[:=]\s*\"?(?:basic|bearer)\s+)(?P<secret>[^\s\"']+)",
        r"(?P<before>https?://[^\s/:@]*:)(?P<secret>[^\s/@]+)(?=@)",
        r"(?P<before>\"(?:auth|identitytoken|registrytoken|password|access_token|token|refresh_token)\""
        r"\s*:\s*\")(?P<secret>[^\"]+)",
        rf"(?P<before>\b{_ENV}\s*[=:]\s*)(?P<secret>'[^']*'|\"[^\"]*\"|[^\s,;&]+)",
        r"(?P<before>\b)(?P<secret>dckr_[a-z]+_[\w-]{8,}|gh[pousr]_\w{16,}|glpat-[\w-]{16,}"
        r"|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)",
    )
)


class Block(NamedTuple):
    """A docker command, as the words after `docker`, and what came of it."""

    words: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class Pasted:
    """What may be shown of a text: its secrets are `covered`."""

    text: str
    covered: bool = False

    @property
    def blocks(self) -> Iterator[Block]:
        """Its commands and their outputs, the last one first."""
        said: list[str] = []
        for line in reversed(self.text.split("\n")):
            if found := _COMMAND.match(line):
                yield Block(_words(found["line"]), "\n".join(reversed(said)))
                said = []
            else:
                said.append(line)
        yield Block((), "\n".join(reversed(said)))


def read(text: object) -> Pasted:
    """What was pasted, whatever it is: the end of it, and with its secrets covered."""
    raw = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if len(raw) > LIMIT:
        raw = raw[-LIMIT:].partition("\n")[2] or raw[:_LONG]  # whole lines: none hides a secret
    raw = _ESCAPES.sub("", raw).replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(char if char.isprintable() or char in _KEPT else "\ufffd" for char in raw)
    plain = "\n".join(line[:_LONG] for line in shown.strip().split("\n"))
    safe = cover(plain)
    return Pasted(safe, safe != plain)


def cover(text: str) -> str:
    """The text with its passwords and tokens covered."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found["before"] + COVER, text)
    return text


def answer(pasted: Pasted) -> Meaning:
    """What the last error in it means; if the course knows none, where to look."""
    for block in pasted.blocks:
        if meaning := explained(block.said, block.words):
            return replace(meaning, acts=tuple(map(_by_hand, meaning.acts)))
    said = (block.said for block in pasted.blocks if block.said.strip())
    return unknown(next(said, ""))


def unknown(text: str) -> Meaning:
    """What is said of a text that is not in the course's list; it has no key."""
    entry = next(entry for entry in _kinds().values() if _fits(entry["says"], text))
    honest = _("This error is not in the course's list, so the course cannot tell you for sure.")
    return Meaning(f"{honest} {pick(entry['looks'])}", pick(entry["do"]))


def is_error(text: str) -> bool:
    """Whether docker seems to complain of something in it."""
    return bool(_COMPLAINT.search(text))


def _by_hand(act: Act) -> Act:
    """The act, but only to be copied if it runs what was pasted: that may be anybody's."""
    done = [line[2:] if line[0] == "--context" else line for line in act.lines]
    registry = ("--name", "registry", "registry:2")  # which the course runs itself
    if all(
        line[0] in _SAFE
        or line[:2] == ("image", "tag")
        or line[:2] + line[4:] == ("run", "-d", *registry)
        for line in done
    ):
        return replace(act, then=_by_hand(act.then) if act.then else None)
    return Act(act.label, text=act.command)


def _kinds() -> dict[str, dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = load("pasted.yaml")
    return kinds


def _fits(patterns: list[str], text: str) -> bool:
    return any(re.search(pattern, text, re.MULTILINE) for pattern in patterns)


def _words(line: str) -> tuple[str, ...]:
    """The words of a docker command; () if a shell or a secret is in it."""
    try:
        words = shlex.split(line)
    except ValueError:
        return ()
    strange = {"|", "||", "&", "&&", ";", ">", ">>", "<", "<<<"} & set(words)
    return () if strange or COVER in line else tuple(words)
