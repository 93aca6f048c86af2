"""`--filter` of the image commands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone

from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def pairs(filters: Iterable[str]) -> dict[str, list[str]]:
    """The values of each filter."""
    found: dict[str, list[str]] = {}
    for text in filters:
        name, _, value = text.partition("=")
        found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def sift(wanted: Mapping[str, object], known: Collection[str]) -> None:
    """The daemon's refusal of a filter that it does not know."""
    for name in sorted(wanted):
        if name not in known:
            raise Refused(f"Invalid filter '{name}'")


def labelled(labels: Mapping[str, str], wanted: Iterable[str]) -> bool:
    """Whether all of the wanted labels (`key` or `key=value`) are there."""
    for text in wanted:
        key, equals, value = text.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def moment(text: str) -> datetime:
    """A time as `until=` takes it: `24h`, seconds since 1970, or RFC 3339."""
    from dockerlab.engine.commands.format import parse_time

    now = datetime.now(timezone.utc)
    if _DURATION.fullmatch(text):
        spent = sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
        return now - timedelta(seconds=spent)
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), timezone.utc)
        found = parse_time(text)
        return found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError):
        raise Refused(f'failed to parse value as time or duration: "{text}"') from None


def matches(pattern: str, text: str) -> bool:
    """Go's path.Match: `*` and `?` do not cross a slash."""
    return re.fullmatch(_glob(pattern), text) is not None


def _glob(pattern: str) -> str:
    out, rest = "", pattern
    while rest:
        character, rest = rest[0], rest[1:]
        if character == "*":
            out += "[^/]*"
        elif character == "?":
            out += "[^/]"
        elif character == "[":
            found = re.match(r"(\^?)((?:\\.|[^\]\\])+)\]", rest)
            if not found:
                raise Refused("syntax error in pattern")
            out += f"[{found[1]}{_class(found[2])}]"
            rest = rest[found.end() :]
        elif character == "\\":
            if not rest:
                raise Refused("syntax error in pattern")
            out, rest = out + re.escape(rest[0]), rest[1:]
        else:
            out += re.escape(character)
    return out


def _class(members: str) -> str:
    """Go's character class as Python writes it: only ranges keep their meaning."""
    found = re.findall(r"\\?(.)(?:-\\?(.))?", members, re.DOTALL)
    if any(last and last < first for first, last in found):
        raise Refused("syntax error in pattern")
    return "".join(
        re.escape(first) + (f"-{re.escape(last)}" if last else "") for first, last in found
    )


def templates(error: EngineError) -> EngineError:
    """The error of a bad `--format`, in the words of docker's image commands."""
    reason = str(error).partition("template: template: ")[2]
    return EngineError(f"template parsing error: template: {reason}") if reason else error
