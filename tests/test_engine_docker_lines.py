"""docker's command line over the SDK, where there is no docker CLI: letter by letter as the CLI.

Both are given the lines of the differential test, each on a new engine.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerlab.engine.commands import run
from dockerlab.engine.docker import Docker
from dockerlab.engine.docker.address import Address
from dockerlab.engine.embedded import Embedded
from dockerlab.image.layout import Entry
from tests import pairs
from tests.containing import free_port
from tests.differences import known
from tests.dockers import Result
from tests.engines import SECOND, Daemon
from tests.online import online
from tests.test_differential import equal, lines

# The label that marks what the lab made.
_OURS = re.compile(
    r'dockerlab\.lab=1,?|dockerlab\.lab:1 | ?dockerlab\.lab:1(?=])|,"dockerlab\.lab":"1"'
)
_ONLY_OURS = '{"dockerlab.lab":"1"}'


def test_every_line_is_the_clis(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> None:
    for program in ("dockerd", "docker-registry"):
        need(program)
    words = {
        "NOWHERE": f"localhost:{free_port()}",
        "HOST": f"localhost:{(port := free_port())}",
        "FOLDER": "",
        "PORT": str(port),
        "OTHER": (other := str(free_port())),
        "AWAY": f"{SECOND}:{other}",
    }
    theirs = _printed(tmp_path_factory.mktemp("cli"), words, lambda engine: engine.run)
    ours = _printed(tmp_path_factory.mktemp("sdk"), words, _over_the_sdk)
    wrong = []
    for line, mine in ours.items():
        mine = _OURS.sub("", mine.replace(_ONLY_OURS, "null")).replace("\r\n", "\n")
        about = [one for one in known() if one.line.search(line.partition(" ")[2])]
        if mine != theirs[line] and not equal(mine, theirs[line], about):
            wrong.append(line)
            print(f"=== {line}\n<<< sdk\n{mine}\n>>> cli\n{theirs[line]}")
    assert wrong == []


def _over_the_sdk(engine: Daemon) -> Callable[..., Result]:
    docker = Docker(Address(engine.host, "test"))

    def given(*argv: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        status = run(argv, docker, out, err)
        return Result(out.getvalue(), err.getvalue(), status)

    return given


def _prepared(folder: Path) -> Path:
    """The images that the lines begin with, as a tar."""
    docker, tar = Embedded(folder / "home"), folder / "prepared.tar"
    docker.images.layout.update(
        lambda _: [
            Entry(
                f"docker.io/{name}", pairs.image_of(docker.images.layout, "amd64", version, "token")
            )
            for version, name in enumerate(pairs.PREPARED, 1)
        ]
    )
    docker.images.entries()  # describes them
    docker.images.add_sample("my-image", "my-image")
    with tar.open("wb") as file:
        docker.save([*pairs.PREPARED, "my-image"], file)
    return tar


def _printed(
    folder: Path, words: dict[str, str], way: Callable[[Daemon], Callable[..., Result]]
) -> dict[str, str]:
    """What each line prints on a new engine."""
    (folder / "files").mkdir()
    with online(folder) as engine:
        engine.good("load", "-i", str(_prepared(folder)))
        words = words | {"FOLDER": str(folder / "files")}
        side = pairs.Side(way(engine), SECOND, words, engine.trust)
        pair = pairs.Pair(side, side, folder, "token")
        found = {}
        for number, line in enumerate(lines()):
            if line.startswith("!"):
                getattr(pair, line[1:])()
            else:
                found[f"{number} {line}"] = side(line)
        return found
