"""docker's command line in tests: over the embedded engine, and the real one."""

from __future__ import annotations

import io
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dockerlab.engine.commands import run
from dockerlab.engine.embedded import Embedded

_AGES = re.compile(
    r"(?:\d+ \w+|About an? \w+|Less than a second) ago",
)


@dataclass(frozen=True)
class Result:
    """What a command wrote to standard output and standard error, and its exit status."""

    out: str
    err: str
    status: int

    @property
    def masked(self) -> tuple[str, str, int]:
        """All of it, without what changes from run to run."""
        return _AGES.sub("AGO", self.out), self.err, self.status


class Docker:
    """`docker("images", "-q")` on an embedded engine whose state is in `root`."""

    def __init__(self, root: Path, host: str = "default") -> None:
        self.engine = Embedded(root, host)

    def __call__(self, *argv: str, stdin: bytes | None = None) -> Result:
        out, err = io.StringIO(), io.StringIO()
        source = None if stdin is None else io.BytesIO(stdin)
        status = run(argv, self.engine, out, err, source)
        return Result(out.getvalue(), err.getvalue(), status)

    def good(self, *argv: str) -> str:
        """Standard output of a command that must succeed."""
        result = self(*argv)
        assert (result.status, result.err) == (0, ""), result
        return result.out

    def bad(self, *argv: str) -> str:
        """Standard error of a command that must fail with status 1."""
        result = self(*argv)
        assert result.status == 1, result
        return result.err


def real(binary: str, *argv: str, host: str = "") -> Result:
    """The same on the real docker; `host` is a DOCKER_HOST."""
    done = subprocess.run(
        [binary, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TZ": "UTC", **({"DOCKER_HOST": host} if host else {})},
    )
    return Result(done.stdout, done.stderr, done.returncode)
