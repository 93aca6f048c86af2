"""100,000 tags and as many repositories: all are found, page by page, in little memory."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest
from servers import RunningServer, push_image, start_server

MANY = 100_000
LINKS = 50_000  # names that a file may have on common file systems
GROWTH = 20  # MiB that the lists may cost, whatever their length


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A registry whose directory was filled by hand, but for one tag."""
    quick = next(filter(os.path.isdir, ["/dev/shm"]), None)  # half a million files and folders
    with tempfile.TemporaryDirectory(dir=quick) as root, start_server(Path(root)) as running:
        with httpx.Client(base_url=running.url) as http:
            push_image(http, "many", "t", b"layer")
        repositories = f"{root}/docker/registry/v2/repositories"
        folder = f"{repositories}/many/_manifests/tags"
        link = f"{folder}/t/current/link"
        for number, name in enumerate(tags()[1:]):
            current = f"{folder}/{name}/current"
            os.mkdir(f"{folder}/{name}")
            os.mkdir(current)
            if number % LINKS:
                os.link(link, f"{current}/link")
            else:
                link = shutil.copy(link, current)
        for name in repositories_()[1:]:
            os.makedirs(f"{repositories}/{name}/_layers")
        yield running


def tags() -> list[str]:
    """The tags of the repository `many`, in order."""
    return ["t", *(f"t{number:06}" for number in range(1, MANY))]


def repositories_() -> list[str]:
    """All repositories, in order; some are within others."""
    return ["many", *(f"n{n // 100:04}/{n % 100:02}" for n in range(1, MANY))]


def pages(http: httpx.Client, path: str, key: str, count: int) -> Iterator[list[str]]:
    """Page after page, each at the address that the one before gives."""
    where = f"{path}?n={count}"
    while where:
        answer = http.get(where)
        assert answer.status_code == 200
        page = answer.json()[key]
        assert 0 < len(page) <= count
        yield page
        stated = answer.headers.get("Link")
        match = re.fullmatch(
            rf'<({re.escape(path)}\?last=[^&>]+&n={count})>; rel="next"', stated or ""
        )
        assert bool(match) == bool(stated)
        where = match[1] if match else ""


def peak(server: RunningServer) -> int:
    """The most memory that the server has had, in MiB; 0 where nobody tells."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        return 0
    return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) // 1024


@pytest.mark.parametrize(
    ("path", "key", "count"),
    [("/v2/many/tags/list", "tags", 1000), ("/v2/_catalog", "repositories", 1000)],
)
def test_all_pages(server: RunningServer, path: str, key: str, count: int) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as http:
        first = http.get(f"{path}?n=10").json()[key]
        before = peak(server)
        found = [name for page in pages(http, path, key, count) for name in page]
    expected = tags() if key == "tags" else repositories_()
    assert first == expected[:10]
    assert found == expected
    assert peak(server) < before + GROWTH
    assert peak(server) < 150


@pytest.mark.parametrize("n", ["99999999", str(MANY)])
def test_no_page_is_larger_than_it_may_be(server: RunningServer, n: str) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for path, key, most in (
            ("/v2/many/tags/list", "tags", 10_000),
            ("/v2/_catalog", "repositories", 1000),
        ):
            answer = http.get(path, params={"n": n})
            assert len(answer.json()[key]) == most
            assert f"n={most}>" in answer.headers["Link"]


def test_pages_go_on_after_names_that_are_not_there(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for last, after in (("t05", "t050000"), ("", "t"), ("zz", "")):
            answer = http.get("/v2/many/tags/list", params={"n": "2", "last": last})
            expected = list(islice((tag for tag in tags() if after and tag >= after), 2))
            assert answer.json()["tags"] == expected
            assert ("Link" in answer.headers) == bool(expected)
