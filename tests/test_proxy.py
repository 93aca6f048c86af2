"""The registry as a pull-through cache, of our own registry and of the Distribution project's."""

import base64
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests import dockerhub
from tests.containing import free_port, host, start, until
from tests.dockers import Docker
from tests.servers import (
    OCI_MANIFEST,
    RunningServer,
    push_image,
    sha256,
    start_real_registry,
    start_server,
)
from tests.wires import Proxy, Reply, liar

Need = Callable[[str], str]
ACCEPT = {"Accept": OCI_MANIFEST}
LAYER = os.urandom(3_000_000)
TAGS = [str(number) for number in range(10)]
HELD = 1_000_000  # bytes of a blob that come through a closed valve
USER, PASSWORD, WRONG = dockerhub.USER, dockerhub.PASSWORD, "no-such-secret"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
# htpasswd -nbBC 5 rahim rongdhonu
ENTRY = "rahim:$2y$05$DenXE60waz54gFmJJfF67O6GEkDnu3jzbZDDTA8XaNqeUyZ7kGzXa"


class Valve(Proxy):
    """Holds back what comes after the first HELD bytes of a connection, until it is `opened`."""

    def __init__(self, port: int) -> None:
        self.opened = threading.Event()
        super().__init__(port, "down", 0, 0)

    def _pass(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        passed = 0
        with source, suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                passed += len(data)
                if direction == "down" and passed > HELD:
                    self.opened.wait(60)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def cache_of(
    upstream: RunningServer, root: Path, address: str = "", **settings: str
) -> AbstractContextManager[RunningServer]:
    """A cache of a registry, which is reached at `address`; it logs in as USER."""
    proxy = {"REMOTEURL": f"http://{address or upstream.address}"}
    proxy |= {"USERNAME": USER, "PASSWORD": PASSWORD, **settings}
    env = {f"REGISTRY_PROXY_{name}": value for name, value in proxy.items()}
    return start_server(root, env=env)


def filled(server: RunningServer, tag: str = "1", *layers: bytes) -> str:
    """Push apps/one to it; gives the manifest's digest."""
    with httpx.Client(base_url=server.url) as http:
        return push_image(http, "apps/one", tag, *(layers or (LAYER,)))


def pull(server: RunningServer, tag: str = "1", name: str = "apps/one") -> list[bytes]:
    """The manifest and the blobs of an image, asked for as docker does, and verified."""
    with httpx.Client(base_url=f"{server.url}/v2/{name}/", headers=ACCEPT, timeout=60) as http:
        head = http.head(f"manifests/{tag}").raise_for_status()
        digest = head.headers["Docker-Content-Digest"]
        manifest = http.get(f"manifests/{digest}").raise_for_status()
        parts = [manifest.json()["config"], *manifest.json()["layers"]]
        digests = [digest, *(part["digest"] for part in parts)]
        found = [http.get(f"blobs/{each}").raise_for_status().content for each in digests[1:]]
        assert [sha256(content) for content in (manifest.content, *found)] == digests
        return [manifest.content, *found]


def sent(upstream: RunningServer, content: bytes) -> int:
    """How often a blob was sent, as the access log of the upstream has it."""
    catch_up(upstream)
    return upstream.log.count(f'/blobs/{sha256(content)} HTTP/1.1" 200 {len(content)}')


def catch_up(upstream: RunningServer) -> None:
    """Return when its log has all that was asked so far."""
    mark = f"/v2/{uuid.uuid4().hex}/tags/list"
    httpx.get(upstream.url + mark)
    until(lambda: f"GET {mark} HTTP" in upstream.log)


def files(root: Path) -> dict[str, bytes]:
    """What a registry keeps, but for what only ours has; some of it may go meanwhile."""
    found, base = {}, root / "docker/registry/v2"
    for folder, _, names in os.walk(base):
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(base)
            with suppress(FileNotFoundError):
                if not inside.parts[0].startswith("."):
                    found[inside.as_posix()] = path.read_bytes()
    return found


def blob(server: RunningServer, content: bytes) -> str:
    """The address of a blob of apps/one."""
    return f"{server.url}/v2/apps/one/blobs/{sha256(content)}"


def code(answer: httpx.Response) -> str:
    """The code of the one error in an answer."""
    (error,) = answer.json()["errors"]
    return str(error["code"])


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A registry with apps/one:1, apps/two:1 and others that lets nobody in but USER."""
    folder = tmp_path_factory.mktemp("upstream")
    (folder / "htpasswd").write_text(ENTRY, encoding="utf-8")
    with start_server(folder / "root") as server, httpx.Client(base_url=server.url) as http:
        filled(server)
        filled(server, "2", b"small")
        push_image(http, "apps/two", "1", LAYER)
        for tag in TAGS:
            push_image(http, "many", tag, tag.encode())
    env = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "tests",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(folder / "htpasswd"),
    }
    with start_server(folder / "root", env=env) as server:
        yield server


@pytest.fixture
def cache(upstream: RunningServer, tmp_path: Path) -> Iterator[RunningServer]:
    """An empty cache of that one, in `tmp_path`."""
    catch_up(upstream)
    upstream.lines.clear()
    with cache_of(upstream, tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def shared(
    upstream: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A cache of that one for tests that leave nothing in it."""
    with cache_of(upstream, tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def valve(upstream: RunningServer) -> Iterator[Valve]:
    """A way to that upstream, closed."""
    catch_up(upstream)
    upstream.lines.clear()
    valve = Valve(upstream.port)
    try:
        yield valve
    finally:
        valve.opened.set()
        valve.close()


# What is fetched, and what is kept of it


def test_what_was_pulled_is_kept(
    upstream: RunningServer, cache: RunningServer, tmp_path: Path
) -> None:
    assert httpx.get(f"{cache.url}/v2/_catalog").json() == {"repositories": []}
    assert pull(cache)[-1] == pull(cache)[-1] == LAYER
    assert sent(upstream, LAYER) == 1
    kept = {sha256(path.read_bytes()) for path in tmp_path.rglob("data")}
    assert len(kept) == 3 and sha256(LAYER) in kept
    assert httpx.get(f"{cache.url}/v2/_catalog").json() == {"repositories": ["apps/one"]}
    tags = httpx.get(f"{cache.url}/v2/apps/one/tags/list")
    assert tags.json() == {"name": "apps/one", "tags": ["1", "2"]}  # those of the upstream
    page = httpx.get(f"{cache.url}/v2/apps/one/tags/list?n=1")
    assert page.json()["tags"] == ["1"]
    assert page.headers["Link"] == '</v2/apps/one/tags/list?last=1&n=1>; rel="next"'
    for text in (cache.log, upstream.log):
        assert PASSWORD not in text and LOGIN not in text


def test_head_and_ranges(upstream: RunningServer, cache: RunningServer) -> None:
    head = httpx.head(blob(cache, LAYER))
    assert head.headers["Content-Length"] == str(len(LAYER))
    assert sent(upstream, LAYER) == 0
    for _ in range(2):  # of what is fetched for it, and of what is there
        part = httpx.get(blob(cache, LAYER), headers={"Range": "bytes=2000000-"}, timeout=60)
        assert (part.status_code, part.content) == (206, LAYER[2_000_000:])
    assert httpx.get(blob(cache, LAYER)).content == LAYER
    assert sent(upstream, LAYER) == 1


def test_another_repository_with_the_same_blob(
    upstream: RunningServer, cache: RunningServer
) -> None:
    pull(cache)
    assert pull(cache, name="apps/two")[-1] == LAYER
    assert sent(upstream, LAYER) == 1
    other = httpx.get(f"{cache.url}/v2/apps/three/blobs/{sha256(LAYER)}")  # has it nowhere
    assert (other.status_code, code(other)) == (404, "BLOB_UNKNOWN")
    names = httpx.get(f"{cache.url}/v2/_catalog").json()["repositories"]
    assert names == ["apps/one", "apps/two"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "blobs/uploads/"),
        ("PATCH", "blobs/uploads/4b5dd0ac-9a4b-4b9f-8a41-1d2b5c7e9f00"),
        ("PUT", "manifests/2"),
        ("DELETE", "manifests/1"),
        ("DELETE", f"blobs/{sha256(LAYER)}"),
    ],
)
def test_nothing_is_pushed_or_deleted(shared: RunningServer, method: str, path: str) -> None:
    answer = httpx.request(method, f"{shared.url}/v2/apps/one/{path}", content=b"{}")
    said = {"code": "UNSUPPORTED", "message": "The operation is unsupported."}
    assert (answer.status_code, answer.json()) == (405, {"errors": [said]})


@pytest.mark.parametrize(
    ("path", "code_of"),
    [
        ("apps/one/manifests/99", "MANIFEST_UNKNOWN"),
        (f"apps/one/manifests/{sha256(b'?')}", "MANIFEST_UNKNOWN"),
        (f"apps/one/blobs/{sha256(b'?')}", "BLOB_UNKNOWN"),
        ("no/such/manifests/1", "MANIFEST_UNKNOWN"),
        ("no/such/tags/list", "NAME_UNKNOWN"),
        (f"apps/one/referrers/{sha256(b'?')}", "UNSUPPORTED"),
    ],
)
def test_what_the_upstream_has_not(shared: RunningServer, path: str, code_of: str) -> None:
    answer = httpx.get(f"{shared.url}/v2/{path}")
    assert (answer.status_code, code(answer)) == (404, code_of)


def test_a_wrong_password_for_the_upstream(upstream: RunningServer, tmp_path: Path) -> None:
    with cache_of(upstream, tmp_path, PASSWORD=WRONG) as cache:
        for path in ("manifests/1", f"blobs/{sha256(LAYER)}", "tags/list"):
            answer = httpx.get(f"{cache.url}/v2/apps/one/{path}")
            assert answer.status_code == 502
            assert answer.json()["errors"][0]["message"] == (
                f"{upstream.address}: it does not take proxy.username and proxy.password: "
                "authentication required"
            )
        login = base64.b64encode(f"{USER}:{WRONG}".encode()).decode()
        assert "does not take proxy.username and proxy.password" in cache.log
        assert WRONG not in cache.log and login not in cache.log
    assert files(tmp_path) == {}


def test_an_upstream_that_gives_tokens(tmp_path: Path) -> None:
    """Docker Hub as it is from outside: HTTPS, a token server, blobs from another host."""
    with dockerhub.dockerhub(tmp_path) as hub:
        name = f"{USER}/own"
        with httpx.Client(base_url=f"http://{hub.store}") as http:
            push_image(http, name, "1", LAYER)
        env = {**hub.env, "REGISTRY_PROXY_REMOTEURL": "https://registry-1.docker.io"}
        login = {"REGISTRY_PROXY_USERNAME": USER}
        good = {**login, "REGISTRY_PROXY_PASSWORD": PASSWORD}
        with start_server(tmp_path / "cache", env={**env, **good}) as cache:
            assert pull(cache, name=name)[-1] == LAYER
        bad = {**login, "REGISTRY_PROXY_PASSWORD": WRONG}
        with start_server(tmp_path / "other", env={**env, **bad}) as cache:
            answer = httpx.get(f"{cache.url}/v2/{name}/manifests/1")
            assert answer.status_code == 502
            assert "does not take proxy.username and proxy.password" in answer.text
            assert WRONG not in cache.log


# Many at once


def test_one_download_for_all_readers(
    upstream: RunningServer, valve: Valve, tmp_path: Path
) -> None:
    with cache_of(upstream, tmp_path, valve.address) as cache, ExitStack() as stack:
        readers = []
        for _ in range(8):
            client = stack.enter_context(httpx.Client(timeout=60))
            answer = stack.enter_context(client.stream("GET", blob(cache, LAYER)))
            readers.append((answer, answer.iter_raw()))
        begun = [next(pieces) for _, pieces in readers]  # while the upstream has sent a part
        assert all(len(piece) < len(LAYER) for piece in begun)
        readers.pop(0)[0].close()
        valve.opened.set()
        with ThreadPoolExecutor(8) as pool:
            rest = list(pool.map(lambda reader: b"".join(reader[1]), readers))
        assert [one + more for one, more in zip(begun[1:], rest, strict=True)] == [LAYER] * 7
        assert httpx.get(blob(cache, LAYER)).content == LAYER
    assert sent(upstream, LAYER) == 1


def test_all_readers_go_away(upstream: RunningServer, valve: Valve, tmp_path: Path) -> None:
    with cache_of(upstream, tmp_path, valve.address) as cache:
        with httpx.stream("GET", blob(cache, LAYER), timeout=60) as answer:
            next(answer.iter_raw())
        valve.opened.set()
        until(lambda: LAYER in files(tmp_path).values())
        assert httpx.get(blob(cache, LAYER)).content == LAYER
    assert sent(upstream, LAYER) == 1


@pytest.mark.parametrize("size", [1000, len(LAYER)])
@pytest.mark.parametrize("lie", ["other bytes", "too few"])
def test_an_upstream_that_lies(tmp_path: Path, size: int, lie: str) -> None:
    true = LAYER[:size]
    body = bytes(size) if lie == "other bytes" else true[: size // 2]
    reply = Reply(200, body, length=size, hang_up=lie == "too few")
    with liar({sha256(true): reply}) as upstream:
        env = {"REGISTRY_PROXY_REMOTEURL": f"http://{upstream.address}"}
        with start_server(tmp_path, env=env) as cache, ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: received(blob(cache, true)), range(4)))
            assert all(len(content) < size for _, content in got)
            if size == 1000:
                assert {status for status, _ in got} == {502}
            assert "Traceback" not in cache.log
    assert files(tmp_path) == {}


def received(url: str) -> tuple[int, bytes]:
    """The status of an answer and what came of its body; of an error, nothing."""
    content = b""
    with httpx.stream("GET", url, timeout=60) as answer, suppress(httpx.RemoteProtocolError):
        for piece in answer.iter_raw():
            content += piece
    return answer.status_code, content if answer.is_success else b""


# As time goes by


def test_an_upstream_that_changes_and_goes_away(tmp_path: Path) -> None:
    with start_server(tmp_path / "upstream") as upstream:
        filled(upstream)
        env = {"REGISTRY_PROXY_REMOTEURL": upstream.url}
        with start_server(tmp_path / "cache", env=env) as cache:
            pull(cache)
            filled(upstream, "1", b"newer")
            filled(upstream, "2", b"not pulled")
            assert pull(cache)[-1] == b"newer"
            httpx.delete(f"{upstream.url}/v2/apps/one/manifests/2")
            assert httpx.get(f"{cache.url}/v2/apps/one/manifests/2").status_code == 404
            upstream.kill()
            assert pull(cache)[-1] == b"newer"
            assert httpx.get(blob(cache, LAYER)).content == LAYER
            assert "apps/one:1 as it was" in cache.log
            assert httpx.get(f"{cache.url}/v2/apps/one/tags/list").json()["tags"] == ["1"]
            missing = ("apps/one/manifests/2", f"apps/one/blobs/{sha256(b'not pulled')}")
            for path in (*missing, "no/such/manifests/1", "no/such/tags/list"):
                answer = httpx.get(f"{cache.url}/v2/{path}", timeout=60)
                assert (answer.status_code, code(answer)) == (502, "UNKNOWN")
                assert "connection refused" in answer.text
            assert "Traceback" not in cache.log


def test_what_was_fetched_goes_after_a_while(upstream: RunningServer, tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        push_image(http, "own", "1", b"pushed before it became a cache")
    own = files(tmp_path)
    with cache_of(upstream, tmp_path, TTL="2s") as cache:
        before = sent(upstream, LAYER)
        pull(cache)
        until(lambda: LAYER not in files(tmp_path).values())
        assert own.items() <= files(tmp_path).items()
        assert pull(cache)[-1] == LAYER
        assert sent(upstream, LAYER) == before + 2
        assert "Traceback" not in cache.log


def test_two_caches_in_one_folder(upstream: RunningServer, tmp_path: Path) -> None:
    with (
        cache_of(upstream, tmp_path) as one,
        cache_of(upstream, tmp_path) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        got = list(pool.map(pull, [one, other] * 4))
        assert [image[-1] for image in got] == [LAYER] * 8
        for tag in TAGS:  # that each wants to make
            for image in pool.map(partial(pull, tag=tag, name="many"), [one, other] * 4):
                assert image[-1] == tag.encode()


def test_killed_while_it_downloads(upstream: RunningServer, valve: Valve, tmp_path: Path) -> None:
    with (
        cache_of(upstream, tmp_path, valve.address) as cache,
        httpx.stream("GET", blob(cache, LAYER), timeout=60) as answer,
    ):
        next(answer.iter_raw())
        cache.kill()
    assert any("_uploads" in name for name in files(tmp_path))
    with cache_of(upstream, tmp_path) as cache:
        assert files(tmp_path) == {}
        assert pull(cache)[-1] == LAYER


# Beside the Distribution project's registry


def test_the_real_registry_as_upstream_and_as_cache(need: Need, tmp_path: Path) -> None:
    """Ours keeps what the real one keeps, each with the other's kind as upstream."""
    binary = need("docker-registry")
    roots = {name: tmp_path / name for name in ("upstream", "ours", "theirs")}
    with start_real_registry(binary, roots["upstream"]) as upstream:
        filled(upstream)
        env = {"REGISTRY_PROXY_REMOTEURL": upstream.url}
        with (
            start_server(roots["ours"], env=env) as ours,
            start_real_registry(binary, roots["theirs"], env=env) as theirs,
        ):
            assert pull(ours) == pull(theirs)
            until(lambda: files(roots["theirs"]) == files(roots["ours"]))
            for method, path in (("POST", "blobs/uploads/"), ("DELETE", f"blobs/{sha256(LAYER)}")):
                url = f"/v2/apps/one/{path}"
                answers = [httpx.request(method, server.url + url) for server in (ours, theirs)]
                assert answers[0].json() == answers[1].json()
                assert answers[0].status_code == answers[1].status_code == 405
    with start_real_registry(binary, roots["ours"]) as server:
        assert pull(server)[-1] == LAYER
    with start_server(roots["theirs"]) as server:
        assert pull(server)[-1] == LAYER


# As containers of the embedded engine


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


def test_a_container_that_is_a_cache_of_docker_hub(docker: Docker) -> None:
    port = free_port()
    run(docker, port, "cache", "https://registry-1.docker.io")
    name = f"localhost:{port}/library/hello-world"
    docker.good("pull", name)
    kept = stored(docker, "cache")
    docker.good("rmi", name)
    assert f"Downloaded newer image for {name}:latest" in docker.good("pull", name)
    assert stored(docker, "cache") == kept
    assert "is played by the course's Mini Hub" in docker("logs", "cache").err
    missing = docker.bad("pull", f"localhost:{port}/library/no-such-image")
    assert "not found: manifest unknown" in missing


def test_a_container_that_is_a_cache_of_another(docker: Docker) -> None:
    first, second = free_port(), free_port()
    start(docker, first, "upstream")
    name, cached = f"localhost:{first}/hello", f"localhost:{second}/hello"
    docker.good("tag", "hello-registry", name)
    docker.good("push", name)
    docker.good("rmi", name, "hello-registry")  # its layers would not be pulled
    run(docker, second, "cache", f"http://localhost:{first}")
    counts = []
    for _ in range(2):
        docker.good("pull", cached)
        docker.good("rmi", cached)
        counts.append(docker("logs", "upstream").err.count('"GET /v2/hello/blobs/'))
    assert counts[0] == counts[1] > 0
    docker.good("stop", "upstream")
    assert f"Downloaded newer image for {cached}:latest" in docker.good("pull", cached)


def run(docker: Docker, port: int, name: str, remote: str) -> None:
    """A registry container that is a cache of `remote`."""
    start(docker, port, name, "-e", f"REGISTRY_PROXY_REMOTEURL={remote}")


def stored(docker: Docker, name: str) -> dict[str, int]:
    """The blobs in a registry container, each with what tells its file from others."""
    place = "{{range .Mounts}}{{.Source}}{{end}}"
    root = Path(docker.good("inspect", "-f", place, name).strip())
    found = {path.parent.name: path.stat().st_ino for path in root.rglob("data")}
    assert found
    return found
