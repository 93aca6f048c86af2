"""Dies before every move of a file or a program in a goto, a reset, an undo, and looks at the lab.

`DOCKERLAB_HOME=EMPTY python -m tests.jumps WHAT EVERY` does WHAT again and again, each time in a
process of its own that ends EVERY moves later, until one gets to the end; it prints how many died.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockerlab.course import moving
from dockerlab.engine import process
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.past import NothingKept
from dockerlab.registry.client import Registry
from tests.crashes import die_before
from tests.dockers import Docker

MOVES = {"os.rename", "os.kill", "os.link", "subprocess.Popen", "shutil.copytree"}
LESSON = "03-public-and-private"
WAYS: dict[str, Callable[[Embedded], object]] = {
    "goto": lambda engine: moving.goto(LESSON, engine),
    "reset": moving.reset,
    "undo": moving.undo,
}


def build(docker: Docker, address: str) -> None:
    """A lab with all that there may be."""
    docker.good("pull", "-q", "registry:2")
    docker.good("run", "-d", "-p", f"{address}:5000", "--name", "registry", "registry:2")
    docker.good("volume", "create", "mine")
    docker.good("pull", "-q", "nginx")
    docker.good("tag", "nginx", f"{address}/nginx")
    docker.good("push", "-q", f"{address}/nginx")
    docker.engine.credentials.store(address, Login("rahima", "shapla"))
    Docker(docker.engine.root, "host2").good("pull", "-q", "hello-world")


def look(root: Path, address: str) -> dict[str, Any]:
    """All that a learner sees of her lab."""
    seen: dict[str, Any] = {}
    for host in Embedded(root).hosts():
        seen[host.host] = (
            sorted((one.name, one.running) for one in host.containers.list()),
            sorted(volume.name for volume in host.volumes.list()),
            sorted(str(name) for image in host.images.list() for name in image.references),
        )
    seen["logins"] = Embedded(root).credentials.registries
    with Registry(address) as registry:
        seen["held"] = {name: list(registry.tags(name)) for name in registry.catalog()}
    return seen


def main(root: Path, what: str, every: int, address: str = "127.0.0.1:5990") -> int:
    """How many died; after each the lab is, or an undo makes it, what it was."""
    build(Docker(root), address)
    before = look(root, address)
    for turn in range(10_000):
        if what == "undo":
            moving.reset(Embedded(root))
        child = os.fork()
        if not child:
            process._children.clear()  # they are not this one's
            try:
                die_before(1 + turn * every, MOVES)
                WAYS[what](Embedded(root))
                os._exit(0)
            finally:
                os._exit(1)
        died = os.waitpid(child, 0)[1] != 0
        if turn % 2:  # a reset must work too, and so must its undo
            moving.reset(Embedded(root))
        try:
            while True:
                moving.undo(Embedded(root))
        except NothingKept:
            pass
        after = look(root, address)
        assert after == before, (turn, after, before)
        left = {path.name for path in (root / "past").iterdir()}
        assert all(name.isdecimal() or name == ".lock" for name in left), left
        if not died:
            return turn
    raise AssertionError("there is no end to it")


if __name__ == "__main__":
    folder = Path(os.environ["DOCKERLAB_HOME"])
    try:
        print(main(folder, sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
    finally:
        for host in Embedded(folder).hosts():
            host.reset()
