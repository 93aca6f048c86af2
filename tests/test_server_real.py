"""Side by side with the distribution project's registry, and with docker as a client."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    descriptor,
    push_image,
    put_manifest,
    sha256,
    start_real_registry,
    start_server,
)

Need = Callable[[str], str]
ACCEPT = {"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}"}


def fill(http: httpx.Client) -> dict[str, str]:
    """Push two images, an index and a moved tag; gives the manifests' digests by URL."""
    one = push_image(http, "apps/one", "latest", b"old")
    two = push_image(http, "apps/one", "latest", b"new", b"more")
    push_image(http, "apps/one", "v1", b"old")
    push_image(http, "two", "latest", b"old")
    urls = [f"/v2/apps/one/manifests/{digest}" for digest in (one, two)]
    raws = [http.get(url, headers=ACCEPT).content for url in urls]
    platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
    manifests = [
        {**descriptor(raw, OCI_MANIFEST), "platform": platform}
        for raw, platform in zip(raws, platforms, strict=True)
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    assert put_manifest(http, "apps/one", "all", index.encode(), OCI_INDEX).status_code == 201
    return {
        "/v2/apps/one/manifests/latest": two,
        "/v2/apps/one/manifests/v1": one,
        "/v2/apps/one/manifests/all": sha256(index.encode()),
        f"/v2/apps/one/manifests/{one}": one,
        "/v2/two/manifests/latest": http.head("/v2/two/manifests/latest", headers=ACCEPT).headers[
            "Docker-Content-Digest"
        ],
        f"/v2/apps/one/blobs/{sha256(b'more')}": sha256(b"more"),
    }


def view(http: httpx.Client, urls: dict[str, str]) -> list[object]:
    """What a client sees of a registry: bytes, types, digests, and lists."""
    answers = [http.get(url, headers=ACCEPT) for url in urls]
    assert [sha256(answer.content) for answer in answers] == list(urls.values())
    kept = ("Content-Type", "Docker-Content-Digest", "Content-Length", "Etag")
    headers = [[answer.headers[name] for name in kept] for answer in answers]
    tags = http.get("/v2/apps/one/tags/list").json()
    return [*headers, {**tags, "tags": sorted(tags["tags"])}, http.get("/v2/_catalog").json()]


def test_the_real_registry_serves_our_directory(need: Need, tmp_path: Path) -> None:
    binary = need("docker-registry")
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        urls = fill(http)
        ours = view(http, urls)
    with (
        start_real_registry(binary, tmp_path) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert view(http, urls) == ours
        assert push_image(http, "apps/one", "v2", b"by the real one")
        assert http.delete(f"/v2/two/manifests/{urls['/v2/two/manifests/latest']}").is_success
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        tags = http.get("/v2/apps/one/tags/list").json()["tags"]
        assert tags == ["all", "latest", "v1", "v2"]
        assert http.get("/v2/two/manifests/latest").status_code == 404


def test_we_serve_the_real_registrys_directory(need: Need, tmp_path: Path) -> None:
    binary = need("docker-registry")
    with (
        start_real_registry(binary, tmp_path) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        urls = fill(http)
        theirs = view(http, urls)
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        assert view(http, urls) == theirs
        assert http.delete(f"/v2/apps/one/manifests/{urls['/v2/apps/one/manifests/v1']}").is_success
    with (
        start_real_registry(binary, tmp_path) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert "v1" not in http.get("/v2/apps/one/tags/list").json()["tags"]


def test_the_real_registrys_garbage_collector(need: Need, tmp_path: Path) -> None:
    binary = need("docker-registry")
    root = tmp_path / "root"
    with start_server(root) as server, httpx.Client(base_url=server.url) as http:
        gone = push_image(http, "a", "gone", b"gone")
        kept = push_image(http, "a", "kept", b"kept")
        http.delete(f"/v2/a/manifests/{gone}")
    config = tmp_path / "config.yml"
    storage = {"filesystem": {"rootdirectory": str(root)}}
    config.write_text(json.dumps({"version": "0.1", "storage": storage}), encoding="utf-8")
    command = [binary, "garbage-collect", str(config)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with start_server(root) as server, httpx.Client(base_url=server.url) as http:
        assert http.head(f"/v2/a/blobs/{sha256(b'gone')}").status_code == 404
        assert http.get(f"/v2/a/blobs/{sha256(b'kept')}").content == b"kept"
        assert push_image(http, "a", "kept", b"kept") == kept
        assert push_image(http, "a", "gone", b"gone") == gone


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/"),
        ("GET", "/v2/unknown/tags/list"),
        ("GET", "/v2/apps/one/manifests/unknown"),
        ("GET", "/v2/apps/one/manifests/sha256:" + "0" * 64),
        ("GET", "/v2/apps/one/blobs/sha256:" + "0" * 64),
        ("PUT", "/v2/apps/one/manifests/x"),
        ("DELETE", "/v2/apps/one/blobs/sha256:" + "0" * 64),
    ],
)
def test_the_same_words(need: Need, tmp_path: Path, method: str, path: str) -> None:
    """Status, error codes and messages, which docker shows, are the real registry's."""
    binary = need("docker-registry")
    seen = []
    for start in (start_server, lambda root: start_real_registry(binary, root)):
        with start(tmp_path) as server:
            answer = httpx.request(method, server.url + path)
        errors = answer.json().get("errors", ())
        seen.append((answer.status_code, [(e["code"], e["message"]) for e in errors]))
    assert seen[0] == seen[1]


def test_docker(need: Need, tmp_path: Path) -> None:
    docker = need("docker")

    def run(*arguments: str, text: str | None = None) -> str:
        command = [docker, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, input=text)
        return ended.stdout + ended.stderr

    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        name = f"localhost:{server.port}/dockerlab-server/tiny"
        context = tmp_path / "context"
        context.mkdir()
        (context / "hello").write_text("hello", encoding="ascii")
        dockerfile = "FROM scratch\nCOPY hello /hello\n"
        (context / "Dockerfile").write_text(dockerfile, encoding="ascii")
        try:
            run("build", "-t", f"{name}:1", "-t", f"{name}-2:1", str(context))
            pushed = run("push", f"{name}:1")
            digest = http.head("/v2/dockerlab-server/tiny/manifests/1").headers[
                "Docker-Content-Digest"
            ]
            assert f"1: digest: {digest} size: " in pushed
            assert "Layer already exists" in run("push", f"{name}:1")
            assert "Mounted from dockerlab-server/tiny" in run("push", f"{name}-2:1")
            run("rmi", f"{name}:1", f"{name}-2:1")
            assert f"Downloaded newer image for {name}:1" in run("pull", f"{name}:1")
            answer = run("pull", f"{name}:none")
            assert f"manifest for {name}:none not found: manifest unknown" in answer
        finally:
            run("rmi", "-f", f"{name}:1", f"{name}-2:1")
