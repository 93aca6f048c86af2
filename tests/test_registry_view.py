"""The registry browser without a browser: what it asks for, shows and deletes; bad registries."""

import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dockerlab import i18n
from dockerlab.course import manifest as explaining
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, OCI_MANIFEST, Manifest
from dockerlab.widgets.registry import LIMIT, RegistryView, look, visible
from tests.servers import (
    RunningServer,
    descriptor,
    image,
    push_blob,
    push_image,
    put_manifest,
    start_real_registry,
    start_server,
)
from tests.test_widgets import Balanced
from tests.wires import Asked, Reply, liar

MANY = 10_000
JSON = {"Content-Type": "application/json"}
Need = Callable[[str], str]


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Come back when it is true; fail if it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def text(view: RegistryView) -> str:
    """What the page says."""
    return Balanced(view.html(live=True)).text


def settle(view: RegistryView) -> None:
    until(lambda: not view.asking)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def crowd() -> Iterator[RunningServer]:
    """A registry with 10,000 repositories, filled by hand."""
    quick = next(filter(os.path.isdir, ["/dev/shm"]), None)
    with tempfile.TemporaryDirectory(dir=quick) as root, start_server(Path(root)) as running:
        with httpx.Client(base_url=running.url) as http:
            push_image(http, "a/first", "1", b"layer")
        repositories = Path(root) / "docker/registry/v2/repositories"
        shutil.copytree(repositories / "a/first", repositories / "z/last")
        for number in range(MANY - 2):
            os.makedirs(repositories / f"n{number // 100:03}/{number % 100:02}/_layers")
        yield running


def test_ten_thousand_repositories_are_names_until_one_is_opened(crowd: RunningServer) -> None:
    view = look(crowd.address)
    first = (repr(view), view.html())
    lines = first[0].splitlines()
    assert lines[:2] == [crowd.address, "├─ a/first"]
    assert len(lines) == LIMIT + 2 and lines[-1] == "└─ … and more repositories"
    settle(view)
    assert view.contents.complete and len(view.contents.names) == MANY
    assert (repr(view), view.html()) == first
    assert not any(each.known for each in view.contents.repositories.values())
    assert "10000 repositories" in text(view)
    assert view.html(live=True).count("<li") == LIMIT
    view.handle("more", None)
    assert view.html(live=True).count("<li") == 2 * LIMIT
    view.handle("search", "LAST")
    assert view.html(live=True).count("<li") == 1 and "1 found" in text(view)
    view.handle("repository", "z/last")
    until(lambda: view.contents.repository("z/last").tags)
    assert "45B" in text(view)
    view.handle("search", "n007")
    assert "100 found" in text(view)
    view.handle("search", "no/such")
    assert "Open no/such, which is not in the list" in text(view)


def test_a_click_asks_only_for_what_was_opened(crowd: RunningServer) -> None:
    view = look(crowd.address)
    settle(view)
    view.handle("repository", "a/first")
    until(lambda: view.contents.repository("a/first").tags)
    before = len(crowd.lines)
    view.handle("refresh", None)
    settle(view)

    def asked() -> list[tuple[str, str]]:
        return re.findall(r'"(\w+) /v2/(\S*?)[? ]', "".join(crowd.lines[before:]))

    until(lambda: len(asked()) >= 4)
    once = [("GET", "_catalog"), ("GET", "a/first/tags/list"), ("HEAD", "a/first/manifests/1")]
    assert asked() == [("GET", ""), *once]


def test_a_manifest_is_seen_from_every_side(server: RunningServer, http: httpx.Client) -> None:
    config = {
        "architecture": "arm64",
        "os": "linux",
        "config": {"Env": ["A=1"], "Cmd": ["<b>run</b>"], "ExposedPorts": {"80/tcp": {}}},
        "history": [{"created_by": "ENV A=1", "empty_layer": True}, {"created_by": "COPY a /"}],
        "rootfs": {},
    }
    content = json.dumps(config).encode()
    for blob in (content, b"x" * 1500):
        push_blob(http, "app", blob)
    notes = {"org.example.note": "<i>note</i>"}
    raw = image(content, b"x" * 1500, annotations=notes)
    assert put_manifest(http, "app", "1", raw).status_code == 201
    view = look(server.address)
    settle(view)
    view.handle("panel", "app:1")
    assert "1.5kB" in text(view) and "Looked for the same layers in 1 tag" in text(view)
    view.handle("section", "config app:1")
    until(lambda: "A=1" in text(view))
    assert "80/tcp" in text(view) and "<b>run" not in view.html(live=True)
    view.handle("section", "history app:1")
    assert explaining.history(content, Manifest.parse(raw)) == [
        ("ENV A=1", None),
        ("COPY a /", 1500),
    ]
    assert "COPY a /" in text(view)
    view.handle("section", "manifest app:1")
    for name in ("schemaVersion", "config", "layers", "annotations"):
        assert name in text(view)
    assert "org.example.note=<i>note</i>" in text(view)
    view.handle("section", "raw app:1")
    assert f"SHA-256 of these {len(raw)} bytes" in text(view)
    assert digests.of(raw) in text(view)
    view.handle("panel", "app:1")
    assert "SHA-256" not in text(view)


def test_every_field_and_type_is_explained_in_both_languages() -> None:
    raw = image(b"{}", b"", subject=descriptor(b"{}", OCI_MANIFEST), artifactType="a/b", odd=[1])
    manifest = Manifest.parse(raw)
    said = {}
    for lang in ("en", "bn"):
        i18n.choose(lang)
        fields = explaining.fields(manifest)
        said[lang] = {field.name: field.says for field in fields}
        assert explaining.type_of(manifest)
    assert said["en"].keys() == json.loads(raw).keys()
    assert all(said["en"][name] != said["bn"][name] for name in said["en"])
    assert "specification" in said["en"]["odd"]


def test_one_tag_is_deleted_and_its_twins_stay(server: RunningServer, http: httpx.Client) -> None:
    for tag in ("v1", "v2"):
        push_image(http, "app", tag, b"layer")
    push_image(http, "app", "other", b"another")
    view = look(server.address)
    settle(view)
    view.handle("panel", "app:v1")
    view.handle("ask_delete", "app:v1")
    until(lambda: view.deletion and view.deletion.twins)
    assert view.deletion and view.deletion.twins and view.deletion.twins.names == ("v2",)
    assert "Other tags lead to the very same manifest" in text(view)
    assert len(http.get("/v2/app/tags/list").json()["tags"]) == 3
    view.handle("delete", "")
    until(lambda: view.deletion is None)
    assert http.get("/v2/app/tags/list").json()["tags"] == ["other", "v2"]
    until(lambda: not view.is_deleting)
    assert "app:v1" not in view.html(live=True) and "Gone from app: v1" in text(view)


def test_the_real_registry_deletes_all_tags_of_a_manifest_after_a_second_yes(
    need: Need, tmp_path: Path
) -> None:
    with (
        start_real_registry(need("docker-registry"), tmp_path) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        for tag in ("v1", "v2"):
            push_image(http, "app", tag, b"layer")
        push_image(http, "app", "other", b"another")
        view = look(server.address)
        settle(view)
        for key, value in (("panel", "app:v1"), ("ask_delete", "app:v1")):
            view.handle(key, value)
        until(lambda: view.deletion and view.deletion.twins)
        view.handle("delete", "")
        until(lambda: view.deletion and view.deletion.whole and not view.is_deleting)
        assert "Delete all 2 tags and the manifest" in text(view)
        push_image(http, "app", "v3", b"layer")  # meanwhile
        view.handle("delete", "all")
        until(lambda: "Delete all 3 tags" in text(view) and not view.is_deleting)
        assert len(http.get("/v2/app/tags/list").json()["tags"]) == 4
        view.handle("delete", "all")
        until(lambda: view.deletion is None)
        assert http.get("/v2/app/tags/list").json()["tags"] == ["other"]
        assert "Gone from app: v1, v2, v3" in text(view)
        view.handle("refresh", None)
        settle(view)
        for key, value in (("panel", "app:other"), ("ask_delete", "app:other")):
            view.handle(key, value)
        until(lambda: view.deletion and view.deletion.twins)
        view.handle("delete", "")  # it has no twins: one yes is enough
        until(lambda: view.deletion is None)
        assert not http.get("/v2/app/tags/list").json()["tags"]


def test_an_index_that_would_lack_an_image_is_named_before_that_goes(
    need: Need, tmp_path: Path
) -> None:
    with (
        start_real_registry(need("docker-registry"), tmp_path) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        digest = push_image(http, "app", "v1", b"layer")
        raw = http.get(f"/v2/app/manifests/{digest}", headers={"Accept": OCI_MANIFEST}).content
        index = {"schemaVersion": 2, "manifests": [descriptor(raw, OCI_MANIFEST)]}
        put_manifest(http, "app", "all", json.dumps(index).encode(), OCI_INDEX)
        view = look(server.address)
        settle(view)
        for key, value in (("panel", "app:v1"), ("ask_delete", "app:v1")):
            view.handle(key, value)
        until(lambda: view.deletion and view.deletion.twins)
        view.handle("delete", "")
        until(lambda: "would then lack it: all." in text(view))
        assert len(http.get("/v2/app/tags/list").json()["tags"]) == 2


@pytest.mark.parametrize("real", [False, True])
def test_where_deleting_is_off_it_is_said_how_to_allow_it(
    real: bool, need: Need, tmp_path: Path
) -> None:
    env = {"REGISTRY_STORAGE_DELETE_ENABLED": "false"}
    start = (
        start_real_registry(need("docker-registry"), tmp_path, env=env)
        if real
        else start_server(tmp_path, env=env)
    )
    with start as server:
        with httpx.Client(base_url=server.url) as http:
            push_image(http, "app", "v1", b"layer")
        view = look(server.address)
        settle(view)
        for key, value in (("panel", "app:v1"), ("ask_delete", "app:v1")):
            view.handle(key, value)
        until(lambda: view.deletion and view.deletion.twins)
        view.handle("delete", "")
        until(lambda: view.is_off)
        assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in text(view)
        view.handle("keep", None)
        assert "REGISTRY_STORAGE" not in text(view) and "app" in repr(view)


def test_what_is_pushed_moved_and_deleted_is_seen_at_the_next_look(
    server: RunningServer, http: httpx.Client
) -> None:
    view = look(server.address)
    settle(view)
    assert "No repositories yet" in text(view)
    push_image(http, "app", "1", b"one")
    old = push_image(http, "app", "2", b"two")
    view.handle("refresh", None)
    until(lambda: "app:2" in view.html(live=True) and old[7:19] in text(view))
    settle(view)
    moved = push_image(http, "app", "2", b"three")
    http.delete("/v2/app/manifests/1")
    view.handle("refresh", None)
    settle(view)
    assert moved[7:19] in text(view) and old[7:19] not in text(view)
    assert "app:1" not in view.html(live=True)


def test_a_registry_that_goes_and_comes_back_is_seen_again(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        with httpx.Client(base_url=server.url) as http:
            push_image(http, "app", "1", b"one")
        view = look(server.address)
        settle(view)
    view.handle("refresh", None)
    settle(view)
    assert "Nobody answers" in text(view) and "app" in text(view)
    with start_server(tmp_path, port=server.port):
        view.handle("refresh", None)
        settle(view)
        assert "Nobody answers" not in text(view)


def test_a_slow_registry_leaves_the_cell_at_once_and_answers_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dockerlab.widgets.registry.PATIENCE", 0.05)
    go = threading.Event()

    def answer(asked: Asked) -> Reply:
        go.wait(30)
        return Reply(200, b'{"repositories": ["late"], "tags": []}', JSON)

    with liar(answer) as server:
        view = look(server.address)
        assert repr(view) == f"{server.address}\nStill asking {server.address}…"
        assert "Still asking" in Balanced(view.html()).text and "Still asking" in text(view)
        go.set()
        settle(view)
        assert "late" in text(view) and "Still asking" not in text(view)


def tagged(raw: bytes, kind: str = OCI_MANIFEST, **more: Reply) -> dict[str, Reply]:
    """A registry with the tag app:1."""
    return {
        "/v2/_catalog?n=100": Reply(200, b'{"repositories": ["app"]}', JSON),
        "/v2/_catalog?n=1000": Reply(200, b'{"repositories": ["app"]}', JSON),
        "/tags/list": Reply(200, b'{"tags": ["1"]}', JSON),
        "/manifests/1": Reply(200, raw, {"Content-Type": kind}),
        **more,
    }


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (tagged(b"<html>"), "not JSON"),
        (tagged(b'{"mediaType": "x/y"}', "x/y"), "unknown"),
        (tagged(b"[" * 90_000), "not JSON"),
        (tagged(b"x" * (5 << 20)), "larger than 4 MiB"),
    ],
)
def test_rubbish_is_named_where_it_is(replies: dict[str, Reply], words: str) -> None:
    with liar(replies) as server:
        view = look(server.address)
        settle(view)
        view.handle("panel", "app:1")
        assert words in text(view) and words in Balanced(view.html()).text and words in repr(view)


def test_wrong_digests_are_named() -> None:
    inner = image(b"{}", b"layer")
    entry = {**descriptor(inner, OCI_MANIFEST), "platform": {"os": "linux", "architecture": "x"}}
    index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    other = Reply(200, image(b"{}", b"other"), {"Content-Type": OCI_MANIFEST})
    replies = {digests.of(inner): other}
    with liar(tagged(index, OCI_INDEX) | replies) as server:
        view = look(server.address)
        assert "does not match its digest" in repr(view)
    lie = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digests.of(b"lie")}
    with liar(tagged(inner) | {"/manifests/1": Reply(200, inner, lie)}) as server:
        view = look(server.address)
        settle(view)
        view.handle("panel", "app:1")
        view.handle("refresh", None)
        settle(view)
        assert f"says that the digest is {digests.of(b'lie')}" in text(view)


@pytest.mark.parametrize("config", [b"[]", b"not JSON", b"[" * 90_000, b'{"config": [1]}', b"{}"])
def test_configs_that_are_none_are_shown_as_they_are(
    config: bytes, server: RunningServer, http: httpx.Client
) -> None:
    push_blob(http, "app", config)
    put_manifest(http, "app", "1", image(config))
    view = look(server.address)
    settle(view)
    view.handle("panel", "app:1")
    view.handle("section", "config app:1")
    until(lambda: "This is no config of an image" in text(view))
    view.handle("section", "history app:1")
    assert "tells no history" in text(view)


def test_a_config_that_is_gone_or_too_large_is_said(server: RunningServer) -> None:
    large = {**descriptor(b"{}", "x"), "size": 5 << 20}
    for change, words in (({}, "404"), (large, "larger than 4 MiB")):
        data = json.loads(image(b"{}"))
        data["config"] |= change
        with liar(tagged(json.dumps(data).encode())) as liars:
            view = look(liars.address)
            settle(view)
            view.handle("panel", "app:1")
            view.handle("section", "config app:1")
            until(lambda view=view: view.contents.configs)  # type: ignore[misc]
            assert words in text(view)


def test_two_hundred_layers_and_many_platforms_stay_readable(
    server: RunningServer, http: httpx.Client
) -> None:
    layers = [bytes([number, 1]) for number in range(200)]
    digest = push_image(http, "app", "1", *layers)
    raw = http.get(f"/v2/app/manifests/{digest}", headers={"Accept": OCI_MANIFEST}).content
    entry = descriptor(raw, OCI_MANIFEST)
    platforms = [{"os": "linux", "architecture": f"a{number}"} for number in range(120)]
    entries = [{**entry, "platform": platform} for platform in platforms]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    put_manifest(http, "app", "2", index, OCI_INDEX)
    view = look(server.address)
    settle(view)
    view.handle("panel", "app:1")
    html = view.html(live=True)
    assert html.count("<tr>") == 201 and len(html) < 200_000
    view.handle("panel", "app:2")
    assert "linux/a49" in text(view) and "linux/a50" not in text(view)
    assert "… and 70 more" in text(view)


@pytest.mark.parametrize(
    "name", ["আমার/ছবি", "<b>bold</b>", "a\u202eb", "../../v2/x", "a?n=1", "a b", "", "a:b@c"]
)
def test_strange_names_are_shown_and_lead_nowhere_else(name: str) -> None:
    asked = []

    def answer(request: Asked) -> Reply:
        asked.append(request.path)
        body = {"repositories": [name], "tags": [name]}
        return Reply(200, json.dumps(body).encode(), JSON)

    with liar(answer) as server:
        view = look(server.address)
        settle(view)
        for html in (view.html(), view.html(live=True)):
            assert visible(name) in Balanced(html).text
            assert "<b>bold" not in html and "\u202e" not in Balanced(html).text
        for key in ("panel", "section", "ask_delete", "repository", "tags"):
            view.handle(key, f"{name}:{name}")
        view.html(live=True)
    assert all(path.startswith("/v2/") and "?n=1" not in path.partition("?")[0] for path in asked)
    assert "/v2/x" not in " ".join(asked)


def test_a_name_with_bad_manners_is_not_asked_for() -> None:
    names = {"repositories": ["../../evil", "good"], "tags": []}
    replies = {"": Reply(200, json.dumps(names).encode(), JSON)}
    with liar(replies) as server:
        view = look(server.address)
        assert "No name in a registry may look like this" in repr(view)


def test_pages_that_a_registry_refuses_are_asked_for_smaller() -> None:
    def answer(request: Asked) -> Reply:
        if "n=1000" in request.path:
            return Reply(400, b'{"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}', JSON)
        return Reply(200, b'{"repositories": ["app"], "tags": []}', JSON)

    with liar(answer) as server:
        view = look(server.address)
        settle(view)
        view.handle("refresh", None)
        settle(view)
        assert repr(view).splitlines()[1:] == ["└─ app"]


def test_sizes_beyond_all_measure_are_shown() -> None:
    data = json.loads(image(b"{}", b"layer"))
    data["layers"][0]["size"] = 10**400
    with liar(tagged(json.dumps(data).encode())) as server:
        view = look(server.address)
        view.handle("panel", "app:1")
        view.handle("section", "manifest app:1")
        assert "PB" in repr(view) and "PB" in text(view)
