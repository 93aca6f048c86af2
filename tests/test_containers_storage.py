"""What stays when a container goes.

The texts are those of docker 28.2.2 with engine 20.10.24.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containing import HINT, free_port, host, start
from tests.dockers import Docker


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


@pytest.fixture
def port() -> int:
    return free_port()


def push(docker: Docker, port: int) -> None:
    target = f"localhost:{port}/hello"
    docker.good("tag", "hello-registry", target)
    assert docker("push", target).status == 0


def pulls(docker: Docker, port: int) -> bool:
    docker("rmi", f"localhost:{port}/hello")
    return docker("pull", f"localhost:{port}/hello").status == 0


def test_a_volume_keeps_images(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "-v", "images:/var/lib/registry")
    push(docker, port)
    docker.good("rm", "-f", "-v", "registry")
    start(docker, port, "again", "-v", "images:/var/lib/registry")
    assert pulls(docker, port)
    docker.good("rm", "-f", "again")
    start(docker, port, "empty")
    assert not pulls(docker, port)


def test_a_folder_keeps_images(docker: Docker, port: int, tmp_path: Path) -> None:
    folder = tmp_path / "my images"
    start(docker, port, "registry", "-v", f"{folder}:/var/lib/registry")
    push(docker, port)
    docker.good("rm", "-f", "registry")
    assert (folder / "docker/registry/v2/repositories/hello").is_dir()
    mount = f"type=bind,source={folder},target=/var/lib/registry"
    start(docker, port, "again", "--mount", mount)
    assert pulls(docker, port)


def test_another_root_inside(docker: Docker, port: int, tmp_path: Path) -> None:
    setting = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/data/registry"
    start(docker, port, "registry", "-v", f"{tmp_path / 'data'}:/data", "-e", setting)
    push(docker, port)
    assert (tmp_path / "data/registry/docker/registry/v2/repositories/hello").is_dir()


def test_anonymous_volumes_go_with_rm_v(docker: Docker, port: int) -> None:
    start(docker, port)
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    docker.good("rm", "-f", "registry")
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    start(docker, port)
    docker.good("rm", "-f", "-v", "registry")
    assert len(docker.good("volume", "ls", "-q").split()) == 1


def test_rm_flag(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "--rm")
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    docker.good("stop", "registry")
    assert docker.good("ps", "-a", "-q") == docker.good("volume", "ls", "-q") == ""


def test_a_folder_that_cannot_be_made(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    result = docker("run", "-v", f"{tmp_path}/file/x:/data", "hello-registry")
    assert result.status == 125
    assert result.err == (
        "docker: Error response from daemon: error while creating mount source path "
        f"'{tmp_path}/file/x': mkdir {tmp_path}/file/x: not a directory.{HINT}"
    )


def test_both_kinds_of_long_mounts(docker: Docker, tmp_path: Path) -> None:
    name = "docker run --mount type=tmpfs"
    result = docker("run", "--mount", "type=tmpfs,target=/x", "hello-registry")
    assert result.err.startswith(f"“{name}” needs a Docker Engine.")
    docker.good("run", "--name", "x1", "--mount", "src=v1,dst=/x,ro", "hello-registry")
    template = "{{range .Mounts}}{{.Name}} {{.Destination}} {{.Mode}} {{.RW}}{{end}}"
    assert docker.good("inspect", "-f", template, "x1") == "v1 /x ro false\n"
