"""The checks of lesson 8 in each state, what they look through, and what Docker Hub allows."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import httpx
import pytest
from benches import Bench, unseen

from dockerlab import lab
from dockerlab.course import hints
from dockerlab.engine import commands, current
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import EngineError
from dockerlab.registry import limit
from dockerlab.registry.client import Registry
from dockerlab.registry.htpasswd import add
from dockerlab.widgets.check import CheckView
from tests.containing import free_port
from tests.dockers import Docker

COLLECT = "exec registry registry garbage-collect /etc/docker/registry/config.yml"
KEPT = "-v registry-data:/var/lib/registry"
DELETES = f"{KEPT} -e REGISTRY_STORAGE_DELETE_ENABLED=true"
OUTSIDE = "--add-host host.docker.internal:host-gateway"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "home")
    made.images.add_sample("my-image", "my-image")
    made.images.add_sample("hello-registry", "hello-registry")
    yield made
    for host in made.hosts():
        host.reset()


@pytest.fixture
def run(engine: Embedded) -> Callable[..., Bench]:
    """Run `registry` with these options, in place of the one before; a bench beside it."""
    port = free_port()

    def start(options: str = "", image: str = "registry:2") -> Bench:
        bench = Bench(engine, f"localhost:{port}")
        if any(each.name == "registry" for each in engine.containers.list()):
            bench.docker("rm -f registry")
        bench.docker(f"run -d -p {port}:5000 --name registry {options} {image}")
        return bench

    return start


def digest(bench: Bench, tag: str) -> str:
    with Registry(bench.address) as registry:
        return registry.manifest("my-image", tag).digest


def delete(bench: Bench, tag: str) -> None:
    address = f"http://{bench.address}/v2/my-image/manifests/{digest(bench, tag)}"
    assert httpx.delete(address).status_code == 202


def test_second_user(run: Callable[..., Bench], tmp_path: Path) -> None:
    assert run().check("karim-too") == "open"
    users = tmp_path / "auth" / "htpasswd"
    add(users, "rahim", "another")
    bench = run(
        f"-v {users.parent}:/auth -e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=lab "
        "-e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd"
    )
    assert bench.check("karim-too") == "refused"
    add(users, "karim", "wrong")
    assert bench.check("karim-too") == "refused"
    add(users, "karim", "nodi")
    assert bench.check("karim-too") == "first-gone"
    add(users, "rahim", "rongdhonu")
    assert bench.check("karim-too") == "ok"


def test_disk_freed(run: Callable[..., Bench]) -> None:
    bench = run(DELETES)
    bench.send("my-image:v1")
    assert bench.check("disk-freed") == "not-deleted"
    bench.renew()
    bench.send("my-image:v2")
    delete(bench, "v1")
    before = bench.engine.volumes.size("registry-data")
    assert bench.check("disk-freed") == "not-collected"
    assert bench.engine.volumes.size("registry-data") == before
    bench.docker(COLLECT)
    assert bench.check("disk-freed") == "ok"
    assert bench.engine.volumes.size("registry-data") < before
    bench.docker("rename registry another")
    assert bench.check("disk-freed") == "not-run"


def test_keep_latest(run: Callable[..., Bench]) -> None:
    bench = run(DELETES)
    assert bench.check("keep-latest") == "all-gone"
    bench.send("my-image:v2")
    assert bench.check("keep-latest") == "no-latest"
    bench.send("my-image")
    assert bench.check("keep-latest") == "both"
    kept = digest(bench, "latest")
    bench.docker("tag hello-registry @/my-image:v2")
    bench.docker("push @/my-image:v2")
    assert bench.check("keep-latest") == "moved"
    delete(bench, "v2")
    assert bench.check("keep-latest") == "ok"
    assert digest(bench, "latest") == kept
    bench.send("my-image:v2")
    delete(bench, "v2")
    assert bench.check("keep-latest") == "all-gone"


def test_cached_away(run: Callable[..., Bench]) -> None:
    bench, port = run(), free_port()
    assert bench.check("cached-away") == "no-cache"
    upstream = f"http://host.docker.internal:{bench.address.rpartition(':')[2]}"
    bench.docker(
        f"run -d -p {port}:5000 --name cache {OUTSIDE} -e REGISTRY_PROXY_REMOTEURL={upstream} "
        "registry:2"
    )
    assert bench.check("cached-away") == "not-cached"
    bench.docker("tag hello-registry @/hello-registry")
    bench.docker("push @/hello-registry")
    bench.docker(f"pull localhost:{port}/hello-registry")  # its layers are here already
    assert bench.check("cached-away") == "still-up"
    bench.docker("stop registry")
    assert bench.check("cached-away") == "too-late"
    bench.docker("start registry")
    first = bench.engine.neighbour("host2")
    first.daemon.configure({"insecure-registries": ["192.168.56.100"]})
    bench.docker(f"--context host2 pull 192.168.56.100:{port}/hello-registry")
    bench.docker("stop registry")
    assert bench.check("cached-away") == "ok"


def test_a_container_finds_the_machine_that_it_runs_on(run: Callable[..., Bench]) -> None:
    """Whatever is asked of it there, what its upstream has is what it gives."""
    bench, port = run(), free_port()
    bench.send("my-image")
    upstream = f"http://host.docker.internal:{bench.address.rpartition(':')[2]}"
    bench.docker(
        f"run -d -p {port}:5000 --name cache -e REGISTRY_PROXY_REMOTEURL={upstream} registry:2"
    )
    with Registry(f"localhost:{port}") as cache:
        found = cache.manifest("my-image", "latest")
        assert found.digest == digest(bench, "latest")
        content = b"".join(cache.stream("my-image", found.layers[-1]))
        assert len(content) == found.layers[-1].size


def test_a_mapping_of_hosts_is_taken(engine: Embedded) -> None:
    """As docker takes it; no other name than the host's own is of use to a registry here."""
    out = StringIO()
    words = ["create", "--add-host", "host.docker.internal:host-gateway", "registry:2"]
    assert commands.run(words, engine, out, out) == 0, out.getvalue()


@pytest.fixture
def home(engine: Embedded, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("DOCKERLAB_HOME", str(engine.root))
    return Docker(engine.root)


def test_the_size_of_a_volume(run: Callable[..., Bench], home: Docker) -> None:
    bench = run(KEPT)
    assert current().name == "embedded"
    assert repr(lab.volume("registry-data")) == "The volume registry-data holds 0B."
    bench.send("my-image")
    assert "kB." in repr(lab.volume("registry-data"))
    with pytest.raises(EngineError, match="get nothing: no such volume"):
        lab.volume("nothing")


def test_the_size_of_a_volume_of_a_docker_engine(
    need: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need("docker")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    engine = current()
    made = engine.volumes.create("dockerlab-test-size")
    try:
        assert engine.volumes.size(made.name) == 0
    finally:
        engine.remove_volume(made.name)
    with pytest.raises(EngineError, match=f"get {made.name}: no such volume"):
        engine.volumes.size(made.name)


def test_a_solution_is_shown_as_it_is_typed(run: Callable[..., Bench]) -> None:
    bench = run(DELETES)
    shown = hints.solution("keep-latest", CheckView("keep-latest", bench.engine).outcome)
    assert f"%docker push -q {bench.address}/my-image" in shown
    assert '{API}/my-image/manifests/v2", headers=KINDS' in shown


@pytest.fixture
def hub() -> Iterator[Callable[..., Callable[..., Registry]]]:
    """Docker Hub's answer with these headers, as a way to connect to it."""
    servers = []

    def start(status: int = 200, **headers: str) -> Callable[..., Registry]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/v2/" else status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        address = f"127.0.0.1:{servers[-1].server_address[1]}"
        return lambda _name, **settings: Registry(address, **settings)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "headers", "found"),
    [
        (
            200,
            {"ratelimit_limit": "100;w=21600", "ratelimit_remaining": "97;w=21600"},
            limit.Limit(100, 97, 21600),
        ),
        (
            429,
            {"RateLimit_Limit": "200;w=3600", "RateLimit_Remaining": "0;w=3600"},
            limit.Limit(200, 0, 3600),
        ),
        (200, {}, limit.Limit()),
        (200, {"ratelimit_limit": "many"}, limit.Limit()),
        (503, {}, None),
    ],
)
def test_what_docker_hub_allows(
    status: int,
    headers: dict[str, str],
    found: limit.Limit | None,
    hub: Callable[..., Callable[..., Registry]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = hub(status, **headers)
    assert limit.ask(connect) == found
    monkeypatch.setattr(limit, "ask", partial(limit.ask, connect))
    said = repr(lab.limit())
    if found is None:
        assert "does not answer from here" in said
    elif found.most:
        expected = f"allows {found.most} pulls in {found.seconds // 3600} hours; {found.left} are"
        assert expected in said
    else:
        assert "sets no limit" in said


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "08-secure-and-keep") == set()
