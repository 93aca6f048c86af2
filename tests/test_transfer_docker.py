"""Pushes and pulls of a real Docker Engine, as they are followed, told and cancelled."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import RunningServer, start_server

from dockerlab.engine import archive
from dockerlab.engine.base import Engine
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import EngineError
from dockerlab.image.reference import Reference
from dockerlab.registry.htpasswd import add as add_user
from dockerlab.widgets.transfer import Way, transfer
from tests import large
from tests import test_engine_docker as engines
from tests.containing import until
from tests.following import MIB, Under, shown, tags
from tests.relays import Narrow
from tests.test_engine_docker import Lab

running, lab = engines.running, engines.lab  # fixtures
pytestmark = engines.pytestmark
BIG = (12 * MIB, 12 * MIB, 12 * MIB)
VARYING = re.compile(r"sha256:[0-9a-f]{64}|\b[0-9a-f]{12}\b|\b[\d.]+[kM]?B\b")


@pytest.fixture
def server(lab: Lab, tmp_path: Path) -> Iterator[RunningServer]:
    """A registry that the engine finds at localhost."""
    with start_server(tmp_path / "registry") as started:
        yield started


def load(lab: Lab, folder: Path, name: str, *sizes: int) -> None:
    """Give the engine an image of random layers."""
    store = Embedded(folder / "made").images
    large.add(store, name, *sizes)
    tar = io.BytesIO()
    archive.save(store, [name], tar)
    tar.seek(0)
    lab.engine.load(tar)


def test_sent_there_mounted_and_fetched(lab: Lab, server: RunningServer, tmp_path: Path) -> None:
    one, other = (f"localhost:{server.port}/{name}" for name in ("apps/one", "other"))
    load(lab, tmp_path, f"{one}:latest", *BIG)
    try:
        pushed = transfer("push", one, lab.engine)
        assert pushed.state == "done", pushed
        assert [layer.state for layer in pushed.layers] == ["done"] * 3
        assert all(layer.total >= 12 * MIB and layer.speed for layer in pushed.layers)
        assert pushed.summary.startswith("3 layers: 3 sent (3")
        assert f"{pushed.layers[0].id}: Pushed" in pushed.progress.lines
        answer = httpx.get(f"{server.url}/v2/apps/one/manifests/latest")
        assert pushed.progress.digest == answer.headers["Docker-Content-Digest"]
        assert "Preparing" in shown(pushed) and "Preparing" not in pushed.html()

        assert transfer("push", one, lab.engine).summary == "3 layers: 3 already there."
        lab.engine.images.tag(one, Reference.parse(other))
        assert "3 mounted from apps/one" in transfer("push", other, lab.engine).summary
        assert tags(server, "other") == ["latest"]

        assert transfer("pull", one, lab.engine).summary.startswith("Nothing to do")
        for name in (one, other):
            lab.engine.remove_image(name, force=True)
        pulled = transfer("pull", one, lab.engine)
        assert pulled.summary.startswith("3 layers: 3 fetched (3"), pulled
        assert pulled.progress.digest == pushed.progress.digest
        assert lab.engine.images.find(one).size >= 36 * MIB
    finally:
        lab.hers("image", "prune", "-f")
        lab.hers("rmi", "-f", one)


@pytest.mark.parametrize("pause", [0.02, None])
def test_cancelled_and_done_again(
    lab: Lab, server: RunningServer, tmp_path: Path, pause: float | None
) -> None:
    with Narrow(server.port, free=4 * MIB, pause=pause) as narrow:
        name, direct = f"localhost:{narrow.port}/big:v1", f"localhost:{server.port}/big:v1"
        load(lab, tmp_path, name, *BIG)
        under = Under("push", name, lab.engine)
        until(under.moved)
        view = under.cancel()
        assert (view.state, view.words) == ("cancelled", "")
        narrow.open.set()
        time.sleep(1)  # what the engine would still do, it would do now
        assert tags(server, "big") == []
        again = transfer("push", name, lab.engine)
        assert again.state == "done", again
        assert tags(server, "big") == ["v1"]
        answer = httpx.get(f"{server.url}/v2/big/manifests/v1")
        assert again.progress.digest == answer.headers["Docker-Content-Digest"]
    lab.engine.remove_image(name, force=True)
    with Narrow(server.port, free=4 * MIB, pause=pause) as narrow:
        name = f"localhost:{narrow.port}/big:v1"
        under = Under("pull", name, lab.engine)
        until(under.moved)
        assert under.cancel().state == "cancelled"
        narrow.open.set()
        with pytest.raises(EngineError):
            lab.engine.images.find(name)
        pulled = transfer("pull", name, lab.engine)
        assert (pulled.state, pulled.progress.digest) == ("done", again.progress.digest)
        lab.engine.remove_image(name, force=True)
    assert transfer("pull", direct, lab.engine).state == "done"
    lab.engine.remove_image(direct, force=True)


def test_mistakes_in_dockers_own_words(lab: Lab, server: RunningServer, tmp_path: Path) -> None:
    name = f"localhost:{server.port}"
    for line in (f"push {name}/Big", f"push {name}/no", f"pull {name}/no", "pull 127.0.0.1:1/no"):
        way, image = line.split()
        view = transfer("push" if way == "push" else "pull", image, lab.engine)
        assert view.state == "failed" and view.meaning, view
        assert view.words in lab.daemon.docker(way, image)
    add_user(tmp_path / "htpasswd", "mina", "s3cret-word")
    env = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
    }
    with start_server(tmp_path / "closed", env=env) as closed:
        own = f"localhost:{closed.port}/my-image"
        lab.engine.images.add_sample("my-image", own)
        view = transfer("push", own, lab.engine)
        assert view.words == "no basic auth credentials"
        assert view.meaning and "docker login" in view.meaning.do
        login = Login("mina", "s3cret-word")
        lab.engine.credentials.store(f"localhost:{closed.port}", login)
        assert transfer("push", own, lab.engine).state == "done"


def test_a_lesson_shows_the_same_on_both_engines(lab: Lab, tmp_path: Path) -> None:
    seen = []
    for engine in (lab.engine, Embedded(tmp_path / "lab")):
        with start_server(tmp_path / engine.name) as server:
            seen.append(list(_shown(engine, f"localhost:{server.port}")))
    assert seen[0] == seen[1]


def _shown(engine: Engine, registry: str) -> Iterator[str]:
    """What stays in a notebook, without what each engine packs in its own way."""
    one, other = f"{registry}/my-image", f"{registry}/other"
    engine.images.add_sample("my-image", one)
    engine.images.tag(one, Reference.parse(other))
    ways: list[tuple[Way, str]] = [("push", one), ("push", one), ("push", other), ("pull", one)]
    ways += [("push", f"{one}:7"), ("pull", f"{one}:7"), ("push", f"{registry}/My-Image")]
    for way, name in ways:
        view = transfer(way, name, engine)
        yield VARYING.sub("…", (repr(view) + view.html()).replace(registry, "REGISTRY"))
    for name in (one, other):
        engine.remove_image(name, force=True)
    yield VARYING.sub("…", repr(transfer("pull", one, engine)).replace(registry, "REGISTRY"))
    engine.remove_image(one, force=True)
