"""The debug server: is the registry well, and what has it done?"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.containing import free_port
from tests.raw import ask, request
from tests.servers import RunningServer, push_image, sha256, start_real_registry, start_server

LAYER = bytes(5000)
DEBUG = {"REGISTRY_HTTP_DEBUG_ADDR": "127.0.0.1:0"}
FIGURES = {**DEBUG, "REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED": "true"}
# https://prometheus.io/docs/instrumenting/exposition_formats/
_NAME, _LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r"[a-zA-Z_][a-zA-Z0-9_]*"
_PAIR = rf'({_LABEL})="((?:[^"\\\n]|\\[\\"n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_PAIR}(?:,{_PAIR})*),?\}})? (?P<value>\S+)(?: -?\d+)?")
_HEAD = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
Labels = frozenset[tuple[str, str]]


class Figures:
    """The text format, parsed: `kinds` by family, `samples` by name and labels."""

    def __init__(self, text: str) -> None:
        self.kinds: dict[str, str] = {}
        self.samples: dict[tuple[str, Labels], float] = {}
        helped, family = set(), ""
        assert text.endswith("\n")
        for line in text.splitlines():
            if head := _HEAD.fullmatch(line):
                family = head[2]
                known = helped if head[1] == "HELP" else self.kinds
                assert family not in known, f"{line}: twice"
                if head[1] == "HELP":
                    helped.add(family)
                else:
                    self.kinds[family] = head[3]
                continue
            sample = _SAMPLE.fullmatch(line)
            assert sample, line
            parts = _PARTS.get(self.kinds[family], ("",))
            assert sample[1] in {family + part for part in parts}, f"{line}: not of its family"
            key = sample[1], frozenset(re.findall(_PAIR, sample[2] or ""))
            assert key not in self.samples, f"{line}: twice"
            self.samples[key] = float(sample["value"])
        assert helped == self.kinds.keys()
        self._check_buckets()

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that have these labels."""
        wanted = set(labels.items())
        return sum(v for (n, known), v in self.samples.items() if n == name and wanted <= known)

    def shapes(self) -> dict[str, set[str]]:
        """The names of the labels by sample name, bounds of buckets included."""
        found: dict[str, set[str]] = {}
        for name, labels in self.samples:
            seen = {key if key != "le" else f"le={value}" for key, value in labels}
            found.setdefault(name, set()).update(seen)
        return found

    def _check_buckets(self) -> None:
        """Each histogram counts upwards, up to all."""
        for (name, labels), total in self.samples.items():
            if self.kinds.get(name.removesuffix("_count")) != "histogram":
                continue
            bucket = name.removesuffix("_count") + "_bucket"
            series = sorted(
                (float(dict(known)["le"]), value)
                for (other, known), value in self.samples.items()
                if other == bucket and labels < known
            )
            counts = [value for _, value in series]
            assert series[-1] == (float("inf"), total) and counts == sorted(counts)


def debug_url(server: RunningServer) -> str:
    """Where the debug server of a registry is, as its log says."""
    found = re.search(r"debug server listening (\S+:\d+)", server.log)
    assert found, server.log
    return f"http://{found[1]}"


def figures(server: RunningServer) -> Figures:
    answer = httpx.get(f"{debug_url(server)}/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Figures(answer.text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A registry with a debug server and figures."""
    with start_server(tmp_path_factory.mktemp("registry"), env=FIGURES) as running:
        yield running


def test_health(server: RunningServer) -> None:
    answer = httpx.get(f"{debug_url(server)}/debug/health")
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["Content-Type"] == "application/json"


def test_the_debug_server_is_no_registry_and_the_registry_no_debug_server(
    server: RunningServer,
) -> None:
    debug = debug_url(server)
    for url in (f"{debug}/v2/", f"{debug}/", f"{debug}/debug/pprof/", f"{debug}/metrics/"):
        assert httpx.get(url).status_code == 404, url
    for path in ("/debug/health", "/metrics"):
        assert httpx.get(server.url + path).status_code == 404, path
        assert httpx.post(debug + path).status_code == 404, path


def test_what_is_counted(server: RunningServer) -> None:
    before = figures(server)
    with httpx.Client(base_url=server.url) as http:
        push_image(http, "app", "1", LAYER)
        for _ in range(3):
            http.get(f"/v2/app/blobs/{sha256(LAYER)}")
        http.head(f"/v2/app/blobs/{sha256(LAYER)}")
        http.get("/v2/app/manifests/none")
    after = figures(server)

    def rise(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    total = "registry_http_requests_total"
    assert rise(total, handler="blob", method="get", code="200") == 3
    assert rise(total, handler="blob", method="head", code="200") == 1
    assert rise(total, handler="blob_upload", method="post", code="202") == 2
    assert rise(total, handler="blob_upload_chunk", method="put", code="201") == 2
    assert rise(total, handler="manifest", method="put", code="201") == 1
    assert rise(total, handler="manifest", method="get", code="404") == 1
    assert rise(total) == 10
    size = "registry_http_response_size_bytes"
    assert rise(f"{size}_sum", handler="blob") == 3 * len(LAYER)
    assert rise(f"{size}_bucket", handler="blob", le="4096") == 1
    assert rise(f"{size}_bucket", handler="blob", le="8192") == 4
    assert rise("registry_http_request_size_bytes_sum", handler="blob_upload_chunk") >= len(LAYER)
    assert rise("registry_http_request_duration_seconds_count", handler="blob") == 4
    assert after("registry_http_in_flight_requests") == 0


def test_what_strangers_make_up_adds_no_labels(server: RunningServer) -> None:
    def try_all(number: int) -> None:
        for target in (f"/v2/x{number}/tags/list", f"/{number}", f'/v2/"{number}\\/blobs/x'):
            for method in (f"MADEUP{number}", "GET"):
                ask(server.port, request(method, target))

    try_all(0)
    known = figures(server)
    for number in range(1, 6):
        try_all(number)
    after = figures(server)
    assert after.samples.keys() == known.samples.keys()
    total = "registry_http_requests_total"
    rise = after(total, method="unknown") - known(total, method="unknown")
    assert rise == 15


def test_the_storage_cannot_be_written(tmp_path: Path) -> None:
    with start_server(tmp_path, env=DEBUG) as server:
        partial = tmp_path / "docker" / "registry" / "v2" / ".partial"
        partial.rmdir()
        partial.write_bytes(b"")
        answer = httpx.get(f"{debug_url(server)}/debug/health")
        said = {"storagedriver_filesystem": "not a directory"}
        assert (answer.status_code, answer.json()) == (503, said)
        assert httpx.get(f"{server.url}/v2/").status_code == 200
        partial.unlink()
        partial.mkdir()
        assert httpx.get(f"{debug_url(server)}/debug/health").status_code == 200


def test_the_names_are_those_of_the_real_registry(
    server: RunningServer, tmp_path: Path, need: Callable[[str], str]
) -> None:
    env = {**FIGURES, "REGISTRY_HTTP_DEBUG_ADDR": f"127.0.0.1:{free_port()}"}
    with start_real_registry(need("docker-registry"), tmp_path, env=env) as real:
        for one in (real, server):
            with httpx.Client(base_url=one.url) as http:
                push_image(http, "names", "1", LAYER)
                http.request("MADEUP", "/v2/names/tags/list")
        theirs, ours = figures(real), figures(server)
        asked = [httpx.get(f"{debug_url(one)}/debug/health") for one in (real, server)]
    assert [(answer.status_code, answer.json()) for answer in asked] == [(200, {})] * 2
    wanted = {name: kind for name, kind in theirs.kinds.items() if "registry_http" in name}
    assert len(wanted) == 5 and wanted.items() <= ours.kinds.items()
    shapes = ours.shapes()
    for name, shape in theirs.shapes().items():
        if name.startswith("registry_http"):
            assert shapes[name] == shape, name
    used = [
        {labels for name, labels in each.samples if name == "registry_http_requests_total"}
        for each in (theirs, ours)
    ]
    assert {dict(labels)["handler"] for labels in used[0]} <= {
        dict(labels)["handler"] for labels in used[1]
    }


@pytest.mark.parametrize("env", [{}, {"REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED": "true"}])
def test_there_is_none_unless_asked_for(tmp_path: Path, env: dict[str, str]) -> None:
    with start_server(tmp_path, env=env) as server:
        assert "debug server" not in server.log
        assert httpx.get(f"{server.url}/metrics").status_code == 404


def test_figures_are_a_setting_of_their_own(tmp_path: Path) -> None:
    with start_server(tmp_path / "a", env=DEBUG) as server:
        assert httpx.get(f"{debug_url(server)}/metrics").status_code == 404
        assert httpx.get(f"{debug_url(server)}/debug/health").status_code == 200
    env = {**FIGURES, "REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH": "/figures"}
    with start_server(tmp_path / "b", env=env) as server:
        assert httpx.get(f"{debug_url(server)}/metrics").status_code == 404
        assert Figures(httpx.get(f"{debug_url(server)}/figures").text).kinds


def test_it_is_on_this_machine_only_unless_said(tmp_path: Path) -> None:
    for address, listening in ((":0", "127.0.0.1"), ("0.0.0.0:0", "0.0.0.0")):
        env = {"REGISTRY_HTTP_DEBUG_ADDR": address}
        with start_server(tmp_path, env=env) as server:
            assert debug_url(server).startswith(f"http://{listening}:")


def test_a_port_in_use_stops_the_start(server: RunningServer, tmp_path: Path) -> None:
    taken = debug_url(server).removeprefix("http://")
    ended = subprocess.run(
        [sys.executable, "-m", "dockerlab.registry.serve", "--root", str(tmp_path), "--port", "0"],
        env={**os.environ, "REGISTRY_HTTP_DEBUG_ADDR": taken},
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = f'level=fatal msg="listen tcp {taken}: bind: address already in use"\n'
    assert ended.returncode == 1 and ended.stderr.endswith(said)
