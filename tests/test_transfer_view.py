"""Pushes and pulls as they are followed, told and cancelled on the course's own engine."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_client.manager import start_new_kernel
from servers import RunningServer, start_server

from dockerlab import i18n
from dockerlab.engine import commands
from dockerlab.engine.base import Engine
from dockerlab.engine.docker.following import follow
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.progress import Progress
from dockerlab.engine.second import at
from dockerlab.errors import Cancelled
from dockerlab.image.reference import Reference
from dockerlab.registry.htpasswd import add as add_user
from dockerlab.widgets.transfer import transfer
from tests import large
from tests.containing import free_port, until
from tests.following import Under, shown, tags
from tests.relays import Narrow

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import notebooks

MIB = 1024 * 1024
BIG = (12 * MIB, 12 * MIB, 12 * MIB)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Embedded:
    return Embedded(tmp_path / "lab")


def uploads(root: Path) -> list[str]:
    """What is half uploaded."""
    folder = root / "docker/registry/v2/repositories/big/_uploads"
    return os.listdir(folder) if folder.is_dir() else []


def printed(engine: Engine, line: str) -> list[str]:
    """What docker prints, line by line."""
    out = io.StringIO()
    commands.run(line.split(), engine, out, out)
    return out.getvalue().splitlines()


def test_sent_there_and_mounted(engine: Embedded, server: RunningServer) -> None:
    one, other = (f"localhost:{server.port}/{name}" for name in ("apps/one", "other"))
    engine.images.add_sample("my-image", one)
    first = transfer("push", one, engine)
    ids = [layer.id for layer in first.layers]
    assert printed(engine, f"push {one}")[2:5] == [f"{each}: Preparing" for each in ids]
    assert (first.state, first.name) == ("done", f"{one}:latest")
    assert first.summary == "3 layers: 3 sent (1.54kB)."
    pushed = httpx.get(f"{server.url}/v2/apps/one/manifests/latest")
    assert first.progress.digest == pushed.headers["Docker-Content-Digest"]
    assert first.progress.digest in repr(first) and first.progress.digest in first.html()
    assert f"{ids[0]}: Pushed" in first.progress.lines

    again = transfer("push", one, engine)
    assert again.summary == "3 layers: 3 already there."
    assert repr(again).count("● already there") == 3
    engine.images.tag(one, Reference.parse(other))
    assert "3 mounted from apps/one" in transfer("push", other, engine).summary
    assert tags(server, "other") == ["latest"]

    here = transfer("pull", one, engine)
    assert here.summary == "Nothing to do: all of it is here already."
    elsewhere = Embedded(engine.root / "elsewhere")
    came = transfer("pull", one, elsewhere)
    assert came.summary == "3 layers: 3 fetched (1.54kB)."
    assert came.progress.digest == first.progress.digest
    assert elsewhere.images.find(one).id == engine.images.find(one).id


def test_what_stays_in_the_notebook_is_the_same_each_time(
    engine: Embedded, server: RunningServer
) -> None:
    name = f"localhost:{server.port}/fixed"
    large.add(engine.images, f"{name}:latest", MIB, MIB, MIB)
    views = []
    for number in range(3):
        views.append(transfer("pull" if number else "push", name, engine))
        engine.remove_image(name, force=True)
    assert repr(views[1]) == repr(views[2]) and views[1].html() == views[2].html()
    for view in views:
        assert "progress" not in view.html() and "button" not in view.html()
        assert "B/s" not in view.html() and "<details" not in view.html()
        assert "<progress" in shown(view) and "Digest: sha256" not in repr(view)
        assert "B/s" in shown(view) and "What docker printed" in shown(view)


def test_the_second_host_pulls(engine: Embedded) -> None:
    port = free_port()
    printed(engine, f"run -d -p {port}:5000 registry:2")
    try:
        engine.images.add_sample("my-image", f"localhost:{port}/my-image")
        transfer("push", f"localhost:{port}/my-image", engine)
        name = f"192.168.56.100:{port}/my-image"
        refused = transfer("pull", name, engine, "host2")
        assert "server gave HTTP response to HTTPS client" in refused.words and refused.meaning
        at(engine, "host2").daemon.configure({"insecure-registries": [f"192.168.56.100:{port}"]})
        view = transfer("pull", name, engine, "host2")
        assert view.summary == "3 layers: 3 fetched (1.54kB)."
        assert ">host2<" in view.html()
        assert at(engine, "host2").images.find(name).size
        assert "context not found" in transfer("pull", name, engine, "host9").words
    finally:
        engine.reset()


@pytest.mark.parametrize(
    "line",
    [
        *("push {at}/My-Image", "push {at}/a:", "push http://{at}/a", "push {at}/a@{digest}"),
        *("push {at}/nothing", "push {at}/there:2", "pull {at}/nothing", "pull {at}/there:2"),
        *("push 127.0.0.1:1/there", "pull 127.0.0.1:1/there", "pull {at}/My-Image"),
        *("pull no-such-image", "push there"),
    ],
)
@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_mistakes_are_told_in_dockers_words_and_explained(
    engine: Embedded, server: RunningServer, line: str, lang: str
) -> None:
    i18n.choose(lang)
    for name in ("there:1", "127.0.0.1:1/there", f"localhost:{server.port}/there:1"):
        engine.images.add_sample("my-image", name)
    line = line.format(at=f"localhost:{server.port}", digest="sha256:" + "0" * 64)
    way, name = line.split()
    view = transfer("push" if way == "push" else "pull", name, engine)
    words = [line for line in printed(engine, line) if not line.startswith("Using default tag")]
    told = [line for line in view.progress.lines if not line.startswith("Using default tag")]
    assert view.state == "failed"
    assert told + [*view.words.splitlines(), *filter(None, [view.hint])] == words
    assert view.words in repr(view) and 'role="alert"' in shown(view)
    if "digest reference" not in view.words:
        assert view.meaning and view.meaning.means in repr(view)


def test_a_password_is_asked_for_in_words_and_never_shown(engine: Embedded, tmp_path: Path) -> None:
    add_user(tmp_path / "htpasswd", "mina", "s3cret-word")
    env = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
    }
    with start_server(tmp_path / "closed", env=env) as server:
        name = f"localhost:{server.port}/my-image"
        engine.images.add_sample("my-image", name)
        view = transfer("push", name, engine)
        assert view.words == "no basic auth credentials"
        assert view.meaning and "docker login" in view.meaning.do
        out = io.StringIO()
        login = f"login localhost:{server.port} -u mina --password-stdin"
        assert not commands.run(login.split(), engine, out, out, io.BytesIO(b"s3cret-word"))
        view = transfer("push", name, engine)
        assert view.state == "done"
        assert "s3cret-word" not in shown(view) + repr(view) + view.html()


class Rubbish(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, *_: Any) -> None:
        pass


def test_what_is_no_registry(engine: Embedded) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Rubbish) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        name = f"localhost:{web.server_address[1]}/a"
        engine.images.add_sample("my-image", name)
        for way in ("push", "pull"):
            view = transfer("push" if way == "push" else "pull", name, engine)
            assert (view.state, bool(view.words)) == ("failed", True)
        web.shutdown()


@pytest.mark.parametrize("pause", [0.02, None])
def test_a_push_is_cancelled_and_done_again(
    engine: Embedded, server: RunningServer, tmp_path: Path, pause: float | None
) -> None:
    with Narrow(server.port, free=4 * MIB, pause=pause) as narrow:
        name = f"localhost:{narrow.port}/big:v1"
        digest = large.add(engine.images, name, *BIG)
        under = Under("push", name, engine)
        until(under.moved)
        view = under.cancel()
        assert view.state == "cancelled" and "Cancelled" in repr(view)
        assert "<table" not in view.html() and "not finished" in shown(view)
        narrow.open.set()  # now that nobody waits, the rest may come
        until(lambda: not uploads(tmp_path / "registry"))
        assert tags(server, "big") == []
        assert view.state == "cancelled"
        again = transfer("push", name, engine)
        assert (again.state, again.progress.digest) == ("done", digest)
    answer = httpx.get(f"{server.url}/v2/big/manifests/v1")
    assert answer.headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("pause", [0.02, None])
def test_a_pull_is_cancelled_and_done_again(
    engine: Embedded, server: RunningServer, pause: float | None
) -> None:
    with Narrow(server.port, free=4 * MIB, pause=pause) as narrow:
        name = f"localhost:{narrow.port}/big:v1"
        direct = f"localhost:{server.port}/big:v1"
        digest = large.add(engine.images, direct, *BIG)
        assert transfer("push", direct, engine).state == "done"
        other = Embedded(engine.root / "elsewhere")
        under = Under("pull", name, other)
        until(under.moved)
        assert under.cancel().state == "cancelled"
        narrow.open.set()
        partial = other.images.path / ".partial"
        until(lambda: not list(partial.iterdir()))
        assert list(other.images.list()) == []
        again = transfer("pull", name, other)
        assert (again.state, again.progress.digest) == ("done", digest)
        assert other.images.find(name).size == engine.images.find(direct).size


def test_two_hundred_layers(engine: Embedded, server: RunningServer) -> None:
    name = f"localhost:{server.port}/many"
    large.add(engine.images, f"{name}:latest", *[500] * 200)
    view = transfer("push", name, engine)
    assert view.summary.startswith("200 layers: 200 sent")
    page = shown(view)
    assert page.count("<progress") == 200 and page.index("200 sent") < page.index("<progress")
    assert 'tabindex="0" role="region" aria-label="Layers"' in page


def test_an_engines_words_that_nobody_knows_do_no_harm() -> None:
    told: list[dict[str, Any]] = [
        {"status": "Pulling from apps/one", "id": "v1"},
        {"status": "Pulling fs layer", "progressDetail": {}, "id": "aaaaaaaaaaaa"},
        {"status": "Waiting", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
        {"status": "Downloading", "progressDetail": {"current": 5}, "id": "aaaaaaaaaaaa"},
        {"status": "Downloading", "progressDetail": {"current": 9, "total": -1}, "id": "a" * 12},
        {"status": "Polishing", "progressDetail": {"current": 1, "units": "s"}, "id": "a" * 12},
        {"status": "Extracting", "progressDetail": {"current": 1, "units": "s"}, "id": "a" * 12},
        {"status": "Pull complete", "progressDetail": {}, "id": "aaaaaaaaaaaa"},
        {"status": "Mounted from apps/two", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
        {"status": "Digest: sha256:" + "1" * 64},
        {"progressDetail": {}, "aux": {"Tag": "v1"}},
    ]
    progress = Progress()
    follow(told, progress.say, progress)
    states = [(layer.id, layer.state, layer.current) for layer in progress.layers.values()]
    assert states == [("a" * 12, "done", 9), ("b" * 12, "mounted", 0)]
    assert progress.layers["b" * 12].source == "apps/two"
    assert progress.digest == "sha256:" + "1" * 64
    progress.cancel()
    with pytest.raises(Cancelled):
        follow(told, progress.say, progress)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Runs code in a real kernel, gives the messages that came.

    When something is on the page and `stop` says so, it is interrupted.
    """
    env = os.environ | {"DOCKERLAB_HOME": str(tmp_path / "lab"), "DOCKERLAB_ENGINE": "embedded"}
    manager, client = start_new_kernel(kernel_name="python3", env=env, cwd=str(tmp_path))

    def run(code: str, stop: Callable[[], bool] | None = None) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        interrupted = False

        def hear(message: dict[str, Any]) -> None:
            nonlocal interrupted
            messages.append(message)
            is_shown = any(each["msg_type"] == "display_data" for each in messages)
            if stop and is_shown and not interrupted and stop():
                interrupted = True
                manager.interrupt_kernel()

        client.execute_interactive(code, timeout=60, output_hook=hear)
        return messages

    run("%load_ext dockerlab\nfrom dockerlab import lab")
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_cells_output_and_its_interruption(
    kernel: Callable[..., list[dict[str, Any]]],
    engine: Embedded,
    server: RunningServer,
    tmp_path: Path,
) -> None:
    def uploading() -> bool:
        return bool(uploads(tmp_path / "registry"))

    with Narrow(server.port, free=4 * MIB, pause=0.02) as narrow:
        name = f"localhost:{narrow.port}/big:v1"
        digest = large.add(engine.images, name, *BIG)
        for stop, end in ((uploading, "■ Cancelled"), (None, f"digest: {digest}")):
            messages = kernel(f"lab.push({name!r})", stop)
            kinds = [each["msg_type"] for each in messages]
            assert "error" not in kinds and "stream" not in kinds
            (meanwhile,) = (each for each in messages if each["msg_type"] == "display_data")
            data = meanwhile["content"]["data"]
            assert data.pop("application/vnd.jupyter.widget-view+json")
            assert data == {"text/plain": ""}
            (result,) = (each for each in messages if each["msg_type"] == "execute_result")
            assert end in result["content"]["data"]["text/plain"]
            assert "<svg" in result["content"]["data"]["text/html"]
            assert tags(server, "big") == ([] if stop else ["v1"])
            narrow.open.set()


def test_nbval_finds_the_same_twice(tmp_path: Path) -> None:
    port = free_port()
    name = f"localhost:{port}/my-image"
    lines = [
        "%load_ext dockerlab\nfrom dockerlab import lab",
        "lab.image('my-image')",
        f"%docker image tag my-image {name}",
        f"lab.push('{name}')",
        f"%docker run -d -p {port}:5000 --name registry registry:2",
        *(f"lab.push('{name}')", f"lab.push('{name}')", f"lab.pull('{name}')"),
        f"%docker image tag {name} localhost:{port}/other:2\nlab.push('localhost:{port}/other:2')",
        f"lab.pull('localhost:{port}/Other')",
    ]
    cells = [notebooks_cell(f"cell-{number}", source) for number, source in enumerate(lines)]
    path = tmp_path / "en" / "scratch.ipynb"
    path.parent.mkdir()
    kernel = {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}
    whole = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    notebooks.write(path, whole)
    made = notebooks.normalised(notebooks.execute(path, tmp_path / "made"))
    notebooks.write(path, made)
    assert "3 sent" in json.dumps(made) and "3 mounted from my-image" in json.dumps(made)
    for number in range(2):
        home = tmp_path / f"home-{number}"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "-q"]
        command += ["--nbval-current-env", f"--nbval-sanitize-with={tmp_path / 'ids.cfg'}"]
        (tmp_path / "ids.cfg").write_text("[container]\nregex: [0-9a-f]{64}(?=\\n)\nreplace: ID\n")
        env = os.environ | {"DOCKERLAB_HOME": str(home), "DOCKERLAB_ENGINE": "embedded"}
        env |= {"DOCKER_DEFAULT_PLATFORM": "linux/amd64"}
        env.pop("DOCKERLAB_LANG", None)
        done = subprocess.run([*command, str(path)], env=env, cwd=path.parent, capture_output=True)
        Embedded(home).reset()
        assert done.returncode == 0, done.stdout.decode()


def notebooks_cell(id: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "code", "id": id, "metadata": {}, "source": source}
    return {**cell, "execution_count": None, "outputs": []}
