"""Volumes: texts as docker 28.2.2 prints them with engine 20.10.24."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dockers import Docker

QUESTION = "Are you sure you want to continue? [y/N] "


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    docker = Docker(tmp_path)
    yield docker
    docker.engine.reset()


def test_create_list_and_remove(docker: Docker, tmp_path: Path) -> None:
    assert docker.good("volume", "create", "images") == "images\n"
    assert docker.good("volume", "create", "images") == "images\n"
    anonymous = docker.good("volume", "create", "--label", "a=b").strip()
    assert len(anonymous) == 64
    assert docker.good("volume", "ls").splitlines() == [
        "DRIVER    VOLUME NAME",
        *sorted([f"local     {anonymous}", "local     images"]),
    ]
    assert docker.good("volume", "ls", "-q", "-f", "name=ima") == "images\n"
    assert docker.good("volume", "ls", "-q", "-f", "label=a=b") == f"{anonymous}\n"
    (row,) = docker.good("volume", "ls", "--format", "json", "-f", "name=ima").splitlines()
    assert json.loads(row) == {
        "Availability": "N/A",
        "Driver": "local",
        "Group": "N/A",
        "Labels": "",
        "Links": "N/A",
        "Mountpoint": str(tmp_path / "hosts/default/volumes/images/_data"),
        "Name": "images",
        "Scope": "local",
        "Size": "N/A",
        "Status": "N/A",
    }
    result = docker("volume", "rm", "images", "nope")
    assert (result.out, result.err, result.status) == (
        "images\n",
        "Error response from daemon: get nope: no such volume\n",
        1,
    )
    assert docker("volume", "rm", "-f", "nope").out == "nope\n"


def test_inspect(docker: Docker) -> None:
    docker.good("volume", "create", "images")
    (found,) = json.loads(docker.good("volume", "inspect", "images"))
    assert list(found) == [
        *("CreatedAt", "Driver", "Labels", "Mountpoint", "Name", "Options", "Scope"),
    ]
    assert Path(found["Mountpoint"]).is_dir()
    assert docker.good("volume", "inspect", "-f", "{{.Name}} {{.Scope}}", "images") == (
        "images local\n"
    )
    result = docker("volume", "inspect", "nope")
    assert (result.out, result.err) == (
        "[]\n",
        "Error response from daemon: get nope: no such volume\n",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", "volume name is too short, names should be at least two alphanumeric characters"),
        (
            "a b",
            '"a b" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
            "use absolute path",
        ),
        (
            "../x",
            '"../x" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
            "use absolute path",
        ),
    ],
)
def test_names_that_docker_refuses(docker: Docker, name: str, message: str) -> None:
    assert docker.bad("volume", "create", name) == (
        f"Error response from daemon: create {name}: {message}\n"
    )


def test_a_volume_in_use(docker: Docker) -> None:
    docker("create", "-v", "images:/data", "hello-registry")
    identity = docker.good("ps", "-aq", "--no-trunc").strip()
    assert docker.bad("volume", "rm", "images") == (
        f"Error response from daemon: remove images: volume is in use - [{identity}]\n"
    )
    docker.good("volume", "create", "other")
    assert docker.good("volume", "ls", "-q", "-f", "dangling=true") == "other\n"
    assert docker.good("volume", "ls", "-q", "-f", "dangling=false") == "images\n"
    assert docker.good("volume", "prune", "-f") == (
        "Deleted Volumes:\nother\n\nTotal reclaimed space: 0B\n"
    )
    assert docker.good("volume", "ls", "-q") == "images\n"


def test_prune_asks_first(docker: Docker) -> None:
    docker.good("volume", "create", "images")
    folder = Path(docker.good("volume", "inspect", "-f", "{{.Mountpoint}}", "images").strip())
    (folder / "file").write_bytes(bytes(1500))
    warning = "WARNING! This will remove all local volumes not used by at least one container."
    assert docker.good("volume", "prune") == f"{warning}\n{QUESTION}"
    assert docker("volume", "prune", stdin=b"y\n").out == (
        f"{warning}\n{QUESTION}Deleted Volumes:\nimages\n\nTotal reclaimed space: 1.5kB\n"
    )


def test_a_damaged_volume_keeps_its_files(docker: Docker, tmp_path: Path) -> None:
    docker.good("volume", "create", "images")
    (tmp_path / "hosts/default/volumes/images/volume.json").write_bytes(b"{")
    assert docker.good("volume", "ls", "-q") == "images\n"
    assert docker.good("volume", "rm", "images") == "images\n"
