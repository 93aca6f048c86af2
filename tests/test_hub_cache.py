"""`dockerlab hub --cache` before a Docker Hub of the tests: all is fetched once, and kept."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push
from tests.dockerhub import LIMITED, PRIVATE, Hub, dockerhub
from tests.engines import FIRST, missing, second_daemon
from tests.servers import RunningServer, push_image, sha256

LAYER = os.urandom(5_000_000)
COMMAND = [sys.executable, "-m", "dockerlab", "hub", "--cache", "--port", "0"]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Docker Hub that is there for all tests."""
    with dockerhub(tmp_path_factory.mktemp("outside")) as hub:
        yield hub


@pytest.fixture
def outside(elsewhere: Hub, tmp_path: Path) -> Hub:
    """A Docker Hub that has redis:7 and the like, and was not asked for anything yet."""
    with httpx.Client(base_url=f"http://{elsewhere.store}") as http:
        push_image(http, "library/redis", "7", LAYER)
        push_image(http, "library/valkey", "8", LAYER)
    elsewhere.asked.clear()
    elsewhere.tokens.clear()
    elsewhere.limited = {LIMITED}
    elsewhere.away = False
    return elsewhere


@pytest.fixture
def hub(outside: Hub, tmp_path: Path) -> Iterator[RunningServer]:
    with running(outside, tmp_path) as server:
        yield server


@contextmanager
def running(outside: Hub, tmp_path: Path, *flags: str) -> Iterator[RunningServer]:
    """A hub whose cache is in `tmp_path`."""
    env = {**outside.env, "DOCKERLAB_HOME": str(tmp_path / "home")}
    server = RunningServer([*COMMAND, *flags], env)
    try:
        yield server
    finally:
        server.stop()


def blobs(outside: Hub) -> int:
    """How many blobs were really sent."""
    return sum(
        host.startswith("production") for method, host, _ in outside.asked if method == "GET"
    )


def manifests(outside: Hub, method: str = "GET") -> int:
    return sum("/manifests/" in path for asked, _, path in outside.asked if asked == method)


def pull(server: RunningServer, name: str, tag: str) -> bytes:
    """The layer of an image, asked for as docker does."""
    with httpx.Client(base_url=f"{server.url}/v2/{name}/", timeout=60) as http:
        head = http.head(f"manifests/{tag}").raise_for_status()
        digest = head.headers["Docker-Content-Digest"]
        manifest = http.get(f"manifests/{digest}").raise_for_status()
        assert sha256(manifest.content) == digest
        for blob in (manifest.json()["config"], *manifest.json()["layers"]):
            found = http.get(f"blobs/{blob['digest']}").raise_for_status()
            assert sha256(found.content) == blob["digest"]
        return found.content


def test_an_image_is_fetched_once(outside: Hub, hub: RunningServer) -> None:
    assert pull(hub, "library/redis", "7") == LAYER
    assert (manifests(outside), blobs(outside)) == (1, 2)
    assert pull(hub, "library/redis", "7") == LAYER
    assert (manifests(outside), blobs(outside)) == (1, 2)


def test_a_blob_of_two_images_is_fetched_once(outside: Hub, hub: RunningServer) -> None:
    assert pull(hub, "library/redis", "7") == pull(hub, "library/valkey", "8")
    assert (manifests(outside), blobs(outside)) == (2, 2)


def test_those_who_ask_at_once_share_one_download(outside: Hub, hub: RunningServer) -> None:
    url = f"{hub.url}/v2/library/redis/blobs/{sha256(LAYER)}"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: httpx.get(url, timeout=60).content, range(8)))
    assert found == [LAYER] * 8
    assert blobs(outside) == 1


def test_what_the_course_has_is_not_asked_for(outside: Hub, hub: RunningServer) -> None:
    before = len(outside.asked)
    digest = httpx.head(f"{hub.url}/v2/library/nginx/manifests/1.27").headers[
        "Docker-Content-Digest"
    ]
    assert digest == sample.build(Layout(outside.ca.parent / "own"), "nginx", 1).digest
    assert len(outside.asked) == before


def test_it_serves_what_it_has_while_docker_hub_is_away(
    outside: Hub, hub: RunningServer, tmp_path: Path
) -> None:
    pull(hub, "library/redis", "7")
    outside.away = True
    assert pull(hub, "library/redis", "7") == LAYER
    assert "library/redis:7 as it was" in hub.log
    answer = httpx.get(f"{hub.url}/v2/library/valkey/manifests/8")
    assert answer.status_code == 502
    hub.stop()
    with running(outside, tmp_path) as again:  # as on another day
        assert pull(again, "library/redis", "7") == LAYER


def test_a_tag_that_moved_is_fetched_anew(outside: Hub, hub: RunningServer) -> None:
    pull(hub, "library/redis", "7")
    with httpx.Client(base_url=f"http://{outside.store}") as http:
        push_image(http, "library/redis", "7", b"newer")
    assert pull(hub, "library/redis", "7") == b"newer"


def test_the_rate_limit_is_told(outside: Hub, hub: RunningServer) -> None:
    pull(hub, "library/redis", "7")
    outside.limited.add("library/redis")
    assert pull(hub, "library/redis", "7") == LAYER  # asking what a tag points to is free
    outside.limited.add("library/valkey")
    answer = httpx.get(f"{hub.url}/v2/library/valkey/manifests/8")
    assert answer.status_code == 429
    assert "pull rate limit" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("library/no-such/manifests/latest", 404),
        (f"{PRIVATE}/manifests/latest", 404),
        ("library/redis/manifests/99", 404),
        (f"library/redis/manifests/{sha256(b'?')}", 404),
        (f"library/redis/blobs/{sha256(b'?')}", 404),
        ("library/redis/blobs/sha256:12", 400),
        ("library/redis/manifests/sha256:12", 400),
        ("library/redis/manifests/-", 404),
        ("Library/redis/manifests/7", 400),
        ("library/redis/other/7", 404),
    ],
)
def test_what_docker_hub_has_not(outside: Hub, hub: RunningServer, path: str, status: int) -> None:
    answer = httpx.get(f"{hub.url}/v2/{path}")
    assert (answer.status_code, len(answer.json()["errors"])) == (status, 1)


def test_head_and_ranges(outside: Hub, hub: RunningServer) -> None:
    url = f"{hub.url}/v2/library/redis/blobs/{sha256(LAYER)}"
    head = httpx.head(url)
    assert head.headers["Content-Length"] == str(len(LAYER))
    assert blobs(outside) == 0
    assert httpx.get(url).content == LAYER
    part = httpx.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, LAYER[10:20])


def test_bytes_that_are_not_those_of_the_digest(outside: Hub, hub: RunningServer) -> None:
    (damaged,) = Path(outside.ca.parent, "registry").rglob(f"{sha256(LAYER)[7:]}/data")
    damaged.write_bytes(LAYER[:-1] + bytes([LAYER[-1] ^ 1]))
    url = f"{hub.url}/v2/library/redis/blobs/{sha256(LAYER)}"
    try:  # no answer, or one that breaks off
        with pytest.raises(httpx.HTTPError), httpx.stream("GET", url, timeout=60) as answer:
            answer.raise_for_status()
            answer.read()
    finally:
        damaged.write_bytes(LAYER)
    assert httpx.get(url, timeout=60).content == LAYER


def test_a_new_token_when_the_old_one_is_not_taken(outside: Hub, hub: RunningServer) -> None:
    pull(hub, "library/redis", "7")
    tokens = len(outside.tokens)
    outside.tokens.clear()
    pull(hub, "library/redis", "7")
    assert tokens >= len(outside.tokens) == 1


def test_a_docker_engine_pulls_through_it(
    outside: Hub,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
) -> None:
    need("docker")
    if reason := missing():
        pytest.skip(reason)
    layout = Layout(tmp_path / "layout")
    with Registry(outside.store) as registry:
        name = Reference.parse("docker.io/dockerlab/hello")
        push(layout, sample.build(layout, "my-image"), registry, name)
    folder = tmp_path_factory.mktemp("engine")  # its name is short, as that of a socket must be
    with running(outside, tmp_path, "--host", "0.0.0.0") as hub:
        mirror = f"http://{FIRST}:{hub.port}"
        with second_daemon(folder, "--registry-mirror", mirror) as engine:
            for _ in range(2):
                said = engine.good("run", "--rm", "--network", "none", "dockerlab/hello")
                assert said == sample.greeting("my-image")
                engine.good("rmi", "dockerlab/hello")
    assert blobs(outside) == 4  # a config and three layers
