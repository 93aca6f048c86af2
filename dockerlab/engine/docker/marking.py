"""What a docker line makes bears the lab's label, so that the lab knows it again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockerlab.engine.docker.labels import LAB_LABEL

LABEL = f"{LAB_LABEL}=1"

_RUNNING = {"run", "create", "container run", "container create"}
_MAKING = {
    *_RUNNING,
    *("volume create", "network create"),
    *("build", "image build", "builder build", "buildx build"),
}
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def labelled(words: Sequence[str]) -> list[str]:
    """The words, with the lab's label if they make something."""
    end = _after(words, _MAKING)
    if end and "--help" not in words[end : end + 1]:
        return [*words[:end], "--label", LABEL, *words[end:]]
    return list(words)


def volumes(words: Sequence[str]) -> list[list[str]]:
    """The lines that make what `docker run -v NAME:…` would make, and could not label.

    docker leaves a volume alone that is there already.
    """
    from dockerlab.engine.commands.flags import BadFlag, HelpWanted, read
    from dockerlab.engine.commands.run_flags import RUN

    end = _after(words, _RUNNING)
    if not end:
        return []
    try:
        _image, given = read(words[end:], RUN, False)
    except (BadFlag, HelpWanted):  # docker will say so
        return []
    names = [spec.partition(":")[0] for spec in given.get("volume", ()) if ":" in spec]
    names += filter(None, map(_mounted, given.get("mount", ())))
    before = list(words[: command_at(words)])
    named = filter(_VOLUME.fullmatch, dict.fromkeys(names))
    return [[*before, "volume", "create", "--label", LABEL, name] for name in named]


def command_at(words: Sequence[str]) -> int:
    """Where the command begins, after docker's own flags."""
    from dockerlab.engine.commands import apart

    return apart(words)[0]


def _after(words: Sequence[str], commands: set[str]) -> int:
    """Where the command ends if it is one of these, or 0."""
    at = command_at(words)
    ends = (at + length for length in (2, 1) if " ".join(words[at : at + length]) in commands)
    return next(ends, 0)


def _mounted(spec: str) -> str:
    """The volume that a `--mount` names."""
    values = {key: value for key, _, value in (part.partition("=") for part in spec.split(","))}
    is_volume = values.get("type", "volume") == "volume" and "volume-driver" not in values
    return (values.get("source") or values.get("src") or "") if is_volume else ""
