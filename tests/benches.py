"""A bench on which a check is tried in each state that it has words for."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from dockerlab.course import checks, outline
from dockerlab.course.data import load
from dockerlab.engine import commands
from dockerlab.engine.embedded import Embedded

COURSE = Path(outline.__file__).parent


def said(name: str) -> dict[str, dict[str, str]]:
    """The texts of a check by what it saw; of "general" those of all checks."""
    if name == "general":
        return dict(load("checks.yaml")["said"])
    return dict(load(f"lessons/{outline.of_check(name)}.yaml")["checks"][name]["said"])


seen: set[tuple[str, str]] = set()


class Bench:
    """A docker host with my-image on it, and a registry beside it."""

    def __init__(self, engine: Embedded, address: str) -> None:
        self.engine, self.address = engine, address

    def check(self, name: str, answer: Any = None) -> str:
        """The key of what the check sees; its text must exist and be filled."""
        outcome = checks.run(name, self.engine, answer, registry=self.address)
        where = outcome.name or "general"
        text = said(where)[outcome.key]["en"]
        for fact in outcome.facts:
            text = text.replace("{" + fact + "}", "")
        assert "{" not in text
        assert outcome.ok == (outcome.key == "ok")
        seen.add((where, outcome.key))
        return outcome.key

    def docker(self, line: str) -> None:
        """A docker command that works, with @ standing for the registry."""
        out = StringIO()
        assert commands.run(line.replace("@", self.address).split(), self.engine, out, out) == 0, (
            out.getvalue()
        )

    def send(self, name: str) -> None:
        """Tag my-image as @/NAME and push that."""
        self.docker(f"tag my-image @/{name}")
        self.docker(f"push @/{name}")

    def renew(self) -> None:
        """my-image becomes its second version."""
        self.engine.images.add_sample("my-image", "my-image", 2)


def unseen(request: pytest.FixtureRequest, *names: str) -> set[tuple[str, str]]:
    """What these checks can say and was not seen by the tests of this file; skips if not all ran.

    A file asks for it in its last test, by the names of lessons or "general".
    """
    ran = {
        item.name.partition("[")[0] for item in request.session.items if item.path == request.path
    }
    if ran != {name for name in vars(request.module) if name.startswith("test_")}:
        pytest.skip("only after all tests of this file")
    lessons = {lesson.name: lesson.checks for lesson in outline.lessons()}
    mine = [check for name in names for check in lessons.get(name, (name,))]
    return {(name, key) for name in mine for key in said(name)} - seen
