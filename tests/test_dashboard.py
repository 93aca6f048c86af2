"""`lab` as a dashboard, without a browser: what it sees, what it does, what it leaves alone."""

import gc
import shlex
import shutil
import tarfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from dockerlab import i18n, lab
from dockerlab.course.causes import look
from dockerlab.course.explain import explain
from dockerlab.engine import commands, hosts, second
from dockerlab.engine.docker import Docker
from dockerlab.engine.docker.address import Address
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.serving import serve
from dockerlab.widgets import inventory
from dockerlab.widgets.dashboard import Dashboard
from tests.containing import free_port, until
from tests.engines import daemon, network
from tests.test_widgets import Balanced


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    yield tmp_path
    lab.reset()
    i18n.choose(None)


@pytest.fixture
def view() -> Dashboard:
    return Dashboard(lambda: lab.engine, hosts)


def docker(line: str) -> str:
    said = StringIO()
    assert serve(shlex.split(line), said, said) == 0, said.getvalue()
    return said.getvalue()


def shown(view: Dashboard) -> str:
    """The text of the live page."""
    return " ".join(Balanced(view.html(live=True).replace("<input", "<br")).text.split())


def beat(view: Dashboard) -> None:
    """Some seconds later."""
    view.handle("beat", None)
    until(lambda: not view.is_looking)


def done(view: Dashboard) -> None:
    until(lambda: not view.busy)


def test_where_no_kernel_is_it_is_the_rows_and_nothing_else(view: Dashboard) -> None:
    rows = [
        "Engine: the course's own (embedded), no Docker needed",
        "Docker Hub: Mini Hub, the course's small stand-in",
        "Language: English",
    ]
    lab.begin("05-tag-push-pull")
    assert repr(view).splitlines() == repr(lab).splitlines() == rows
    assert view.html() == lab._repr_html_() == view.html()
    assert "my-image" not in view.html() and "<button" not in view.html()
    assert lab._repr_mimebundle_() == {"text/plain": repr(lab), "text/html": lab._repr_html_()}


def test_it_shows_what_there_is(view: Dashboard) -> None:
    assert "None. docker run makes one." in shown(view) and "None runs." in shown(view)
    port = free_port()
    docker(f"run -d -p {port}:5000 --name registry registry:2")
    view.handle("beat", None)
    until(lambda: f"localhost:{port} · 0 repositories" in shown(view))
    text = shown(view)
    assert "registry · ● running" in text and f"registry:2 · {port} → 5000/tcp" in text
    assert f'lab.registry("localhost:{port}")' in text and "Disk used" in text
    docker(f"tag registry:2 localhost:{port}/r")
    docker(f"push localhost:{port}/r")
    view.handle("look", None)
    until(lambda: f"localhost:{port} · 1 repository" in shown(view))
    assert f"registry:2, localhost:{port}/r" in shown(view)
    i18n.choose("bn")
    view.handle("look", None)
    until(lambda: "১টা রিপোজিটরি" in shown(view))


def test_its_buttons_stop_start_and_remove(view: Dashboard) -> None:
    docker(f"run -d -p {free_port()}:5000 --name registry registry:2")
    shown(view)
    view.handle("remove", "nosuch")
    view.handle("sure", "registry")  # nobody was asked
    assert view.asking == "" and not view.busy
    view.handle("stop", "registry")
    done(view)
    assert "○ stopped" in shown(view) and "docker stop registry ✔ Stop registry" in shown(view)
    view.handle("start", "registry")
    done(view)
    assert "● running" in shown(view)
    view.handle("stop", "registry")
    done(view)
    view.handle("remove", "registry")
    assert "Remove registry? The images and volumes stay." in shown(view)
    view.handle("leave", None)
    assert docker("ps -aq") and "Remove registry?" not in shown(view)
    view.handle("remove", "registry")
    view.handle("sure", "registry")
    done(view)
    assert docker("ps -aq") == ""


def test_what_fails_is_explained(view: Dashboard) -> None:
    port = free_port()
    docker(f"run -d -p {port}:5000 --name one registry:2")
    docker("stop one")
    docker(f"run -d -p {port}:5000 --name two registry:2")
    shown(view)
    view.handle("start", "one")
    done(view)
    text = shown(view)
    assert "port is already allocated" in text and "Another container already has port" in text


def test_a_reset_tells_first_what_goes_and_then_empties_all_hosts(view: Dashboard) -> None:
    lab.begin("05-tag-push-pull")
    docker(f"run -d -p {free_port()}:5000 --name registry registry:2")
    other = second.second(lab.engine).engine
    other.images.add_sample("nginx", "nginx")
    shown(view)
    view.handle("reset", None)
    text = shown(view)
    assert "This goes, and nothing else." in text
    assert dict(view.gone) == {
        "Containers": "registry",
        "Images": "my-image, nginx (host2), registry:2",
        "Volumes": "1",
    }
    view.handle("leave", None)
    assert docker("ps -q")
    view.handle("reset", None)
    view.handle("sure", "*")
    done(view)
    assert "✔ Your lab is empty again." in shown(view)
    assert not docker("ps -aq") and not docker("image ls -q") and not other.images.list()
    view.handle("reset", None)
    assert "There is nothing to remove." in shown(view) and 'value="*"' not in view.html(True)


def test_the_language_is_changed_as_by_the_magic(view: Dashboard) -> None:
    assert 'aria-pressed="true" class="main">✓ English' in view.html(live=True)
    view.handle("lang", "bn")
    assert i18n.language() == "bn" and "তোমার ল্যাব" in view.html(live=True)
    view.handle("lang", "fr")
    assert i18n.language() == "bn"


def test_a_lab_that_is_gone_for_a_while_is_said_to_be(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    view = Dashboard(lambda: Embedded(place), lambda: [Embedded(place)])
    place.write_text("in the way")
    assert "The engine does not answer just now" in shown(view)
    assert "Reset the lab" not in shown(view)
    place.unlink()
    beat(view)
    assert "does not answer" not in shown(view) and "Reset the lab" in shown(view)


def test_a_damaged_container_is_said_to_be_and_goes_with_a_reset(
    view: Dashboard, home: Path
) -> None:
    docker("run --name hello hello-registry")
    (record,) = home.glob("hosts/default/containers/*/container.json")
    record.write_text("{")
    beat(view)
    assert "is damaged. “docker rm -f" in shown(view)
    view.handle("reset", None)
    assert dict(view.gone)["Damaged containers"] == "1"
    view.handle("sure", "*")
    done(view)
    assert "is damaged" not in shown(view)


def test_names_and_words_are_never_markup(view: Dashboard, home: Path) -> None:
    docker("run --name hello hello-registry")
    (record,) = home.glob("hosts/default/containers/*/container.json")
    record.write_text(record.read_text("utf-8").replace('"hello-registry"', '"<b>x</b>"'), "utf-8")
    assert "<b>x</b>" in shown(view)


@pytest.mark.filterwarnings(  # the SDK forgets a socket that could not connect
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
def test_of_a_docker_engine_only_the_labs_own_is_listed(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> None:
    need("dockerd")
    tmp_path = tmp_path_factory.mktemp("lab")
    with network() as name, daemon(tmp_path / "engine", namespace=name) as real:
        with tarfile.open(tmp_path / "shell.tar", "w") as tar:
            tar.add(need("busybox"), "bin/sh")
        real.good("import", str(tmp_path / "shell.tar"), "shell")
        real.good("create", "--network", "none", "--name", "hers", "shell", "sh")
        real.good("volume", "create", "hers")
        engine = Docker(Address(real.host, "test"))
        engine.images.add_sample("my-image", "my-image")
        out = StringIO()
        line = ["create", "--name", "ours", "--network", "none", "my-image"]
        assert commands.run(line, engine, out, out) == 0, out.getvalue()
        view = Dashboard(lambda: engine, lambda: [engine])
        text = shown(view)
        assert "ours · ○ never started" in text and "hers" not in text and "shell" not in text
        assert "And 1 container of yours, untouched." in text
        assert "And 1 image of yours, untouched." in text
        view.handle("stop", "hers")
        assert not view.busy
        for name, sentence, acts in (
            ("hers", "a container of your own", 0),
            ("ours", "stopped", 2),
        ):
            said = f'Conflict. The container name "/{name}" is already in use by container "0a".'
            meaning = explain(said)
            assert meaning
            seen = look(meaning, said, ["run", "--name", name, "shell"], engine)
            assert sentence in seen.why and len(seen.acts) == acts
        said = "denied: requested access to the resource is denied"
        meaning = explain(said)
        assert meaning
        for image, runs in (("shell", False), ("my-image", True)):
            (act,) = look(meaning, said, ["push", image], engine).acts
            assert act.runs == runs and f"tag {image} localhost:5000/{image}" in act.command
        view.handle("reset", None)
        assert dict(view.gone) == {"Containers": "ours", "Images": "my-image"}
        view.handle("sure", "*")
        done(view)
        assert real.good("ps", "-a", "--format", "{{.Names}}") == "hers\n"
        real.stop()
        beat(view)
        assert "The engine does not answer just now" in shown(view)
        real.start()
        beat(view)
        assert "does not answer" not in shown(view)
        engine.client.close()
        gc.collect()


def test_disk_and_names_are_dockers(home: Path) -> None:
    lab.begin("05-tag-push-pull")
    (image,) = lab.engine.images.list()
    assert inventory.names(image) == "my-image"
    assert inventory.short_id(image) == docker("images -q").strip()
    assert inventory.size(image.size) in docker("images")
    shutil.rmtree(home / "hosts")
    assert inventory.look(Embedded(home)).images == ()
