"""Find the Docker Engine by asking every place where one may be, at once."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

from dockerlab.engine.docker import places
from dockerlab.engine.docker.address import Address
from dockerlab.engine.docker.asking import Version, ask
from dockerlab.engine.docker.problems import Absent, Problem, Silent

PATIENCE = 0.4  # seconds for all together
_GRACE = 0.03  # seconds that a better place has left once another answers
_REMOTE = 5.0  # seconds for an engine behind ssh

_Answers = queue.SimpleQueue[tuple[int, "Version | Problem"]]


@dataclass(frozen=True)
class Found:
    """The engine that answers, if one does, and what is wrong with those that came before it."""

    address: Address | None = None
    version: Version | None = None
    problems: tuple[Problem, ...] = ()


def find(patience: float = PATIENCE) -> Found:
    """The engine that the learner names; if she names none, the first of the usual ones."""
    try:
        named = places.named()
    except Problem as problem:
        return Found(problems=(problem,))
    if named:
        return _first([named], _REMOTE if named.scheme == "ssh" else patience)
    return _first(places.usual(), patience)


def _first(addresses: list[Address], patience: float) -> Found:
    answers: _Answers = queue.SimpleQueue()
    for index, address in enumerate(addresses):
        work = (answers, index, address, patience)
        threading.Thread(target=_answer, args=work, daemon=True).start()
    said: dict[int, Version | Problem] = {}
    deadline = time.monotonic() + patience + 0.05
    while len(said) < len(addresses):
        try:
            index, answer = answers.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            break
        said[index] = answer
        best = min((i for i, each in said.items() if isinstance(each, Version)), default=None)
        if best is not None:
            if all(i in said for i in range(best)):
                break
            deadline = min(deadline, time.monotonic() + _GRACE)
    return _found(addresses, said)


def _found(addresses: list[Address], said: dict[int, Version | Problem]) -> Found:
    wrong: list[Problem] = []
    for index, address in enumerate(addresses):
        answer = said.get(index) or Silent(address.origin, address.url)
        if isinstance(answer, Version):
            return Found(address, answer, tuple(wrong))
        if answer.is_named or not isinstance(answer, Absent):
            wrong.append(answer)
    return Found(problems=tuple(wrong))


def _answer(answers: _Answers, index: int, address: Address, patience: float) -> None:
    try:
        answers.put((index, ask(address, patience)))
    except Problem as problem:
        answers.put((index, problem))
