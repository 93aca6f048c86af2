"""The registries that lessons find running: what they hold, who may look, what is in their way."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab import i18n
from dockerlab.course import beginning, prepared
from dockerlab.course.outline import Lesson, lessons
from dockerlab.course.prepared import NoImage, PortTaken
from dockerlab.engine.credentials import Login
from dockerlab.errors import EngineError, RegistryError
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.registry.client import Registry
from tests.dockers import Docker

LOOKING, PRIVATE = "01-what-is-a-registry", "03-public-and-private"
LOGIN = {"username": "rahima", "password": "shapla-phool"}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    made = Docker(tmp_path / "home")
    yield made
    made.engine.reset()


def held(port: int, **login: str) -> dict[str, list[str]]:
    """The repositories of a registry on this machine, and their tags."""
    with Registry(f"localhost:{port}", **login) as registry:
        return {name: sorted(registry.tags(name)) for name in registry.catalog()}


@pytest.mark.parametrize("lesson", [each for each in lessons() if "registries" in each.begins])
def test_what_a_lesson_promises_is_there_as_often_as_it_begins(
    lesson: Lesson, docker: Docker
) -> None:
    for _ in range(2):
        beginning.begin(lesson.name, docker.engine)
        for about in lesson.begins["registries"]:
            assert about["name"] in lesson.begins["containers"]  # so that it goes, too
            login = LOGIN if "user" in about else {}
            wanted = {name: sorted(tags) for name, tags in about["holds"].items()}
            assert held(about["port"], **login) == wanted


def test_the_next_lesson_takes_it_away(docker: Docker) -> None:
    beginning.begin(LOOKING, docker.engine)
    beginning.begin(PRIVATE, docker.engine)
    assert docker.good("ps", "-a", "--format", "{{.Names}}") == "private-registry\n"
    beginning.begin("02-image-names", docker.engine)
    assert docker.good("ps", "-aq") == docker.good("volume", "ls", "-q") == ""


def test_what_it_holds_are_the_samples(docker: Docker, tmp_path: Path) -> None:
    beginning.begin(LOOKING, docker.engine)
    name = "localhost:5000/my-image:2.0"
    assert sample.greeting("my-image", 2) in docker("run", "--rm", name).out
    layout = Layout(tmp_path / "layout")
    index = layout.manifest(sample.build(layout, "my-image", 2))
    made = [image.digest for image in index.manifests]
    with Registry("localhost:5000") as registry:
        assert registry.manifest("my-image", "latest").digest in made


def test_only_who_has_the_password_may_look(docker: Docker) -> None:
    beginning.begin(PRIVATE, docker.engine)
    with pytest.raises(RegistryError) as refused:
        held(5001)
    assert refused.value.status == 401
    with pytest.raises(RegistryError):
        held(5001, username="rahima", password="shapla")
    assert "no basic auth credentials" in docker.bad("pull", "localhost:5001/apps/internal-app")


def test_a_login_of_an_earlier_go_is_gone(docker: Docker) -> None:
    beginning.begin(PRIVATE, docker.engine)
    docker.engine.credentials.store("localhost:5001", Login(**LOGIN))
    docker.good("pull", "localhost:5001/apps/internal-app")
    beginning.begin(PRIVATE, docker.engine)
    assert docker.engine.credentials.registries == []
    assert "internal-app" not in docker.good("images")


def test_a_container_on_its_port_is_named_in_both_languages(docker: Docker) -> None:
    docker("run", "-d", "-p", "5001:5000", "--name", "mine", "registry:2")
    with pytest.raises(PortTaken) as taken:
        beginning.begin(PRIVATE, docker.engine)
    assert "your container mine holds that port" in taken.value.message()
    i18n.choose("bn")
    assert "docker stop mine" in taken.value.message() and "পোর্ট" in taken.value.message()
    assert docker.good("ps", "-a", "--format", "{{.Names}}") == "mine\n"  # and no half of ours
    docker.good("stop", "mine")
    beginning.begin(PRIVATE, docker.engine)


def test_another_program_on_its_port_is_told_of(docker: Docker) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 5001))
        other.listen()
        with pytest.raises(PortTaken, match="another program of your machine holds that port"):
            beginning.begin(PRIVATE, docker.engine)
    assert docker.good("ps", "-aq") == ""


def test_no_image_of_a_registry(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "IMAGE", "registry:none")
    with pytest.raises(NoImage, match="docker pull registry:2 where there is internet") as lacking:
        beginning.begin(LOOKING, docker.engine)
    assert "manifest unknown" in lacking.value.message() or "not found" in lacking.value.message()


def test_an_image_that_runs_but_is_no_registry(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "IMAGE", "hello-registry")
    monkeypatch.setattr(prepared, "_PATIENCE", 0.1)
    with pytest.raises(NoImage) as lacking:
        beginning.begin(LOOKING, docker.engine)
    assert lacking.value.message().endswith("run this cell again.")
    assert docker.good("ps", "-aq") == ""


def test_what_else_an_engine_refuses_is_passed_on(docker: Docker) -> None:
    about = {"name": "registry", "port": 70000, "holds": {}}
    with pytest.raises(EngineError, match="70000"):
        prepared.prepare(about, docker.engine)
