"""Deleting, and garbage collection: beside the real one, beside a running registry, cut short."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crashes
import httpx
import pytest
from servers import (
    OCI_INDEX,
    descriptor,
    image,
    push_blob,
    push_image,
    put_manifest,
    sha256,
    start_real_registry,
    start_server,
)

from dockerlab.image.manifest import Manifest
from dockerlab.registry import manifests
from dockerlab.registry.collect import CollectError, collect
from dockerlab.registry.storage import Storage
from tests.containing import free_port, host, start, until
from tests.dockers import Docker

PUSHES = 24
COLLECTOR = """
import os, sys
from pathlib import Path
from dockerlab.registry.collect import collect
count = 0
while not os.path.exists(sys.argv[2]):
    collect(Path(sys.argv[1]), lambda line: None, untagged=True)
    count += 1
print(count)
"""
CONFIG = b'{"architecture": "amd64", "os": "linux"}'
DELETED = re.compile(r'msg="([Dd]eleting [a-z ]+: [^"]+)"')


def gc(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """`registry garbage-collect WORDS` of ours."""
    command = [sys.executable, "-m", "dockerlab.registry", "garbage-collect", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


def config(root: Path) -> Path:
    """Settings for the registry in a folder, beside it."""
    path = root.with_suffix(".yml")
    path.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n", "utf-8")
    return path


def files(root: Path) -> set[str]:
    """All that a registry keeps, but for what a repository has no bytes of any more."""
    base = root / "docker/registry/v2"
    found = {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}
    return {name for name in found if "/_layers/" not in name and not name.startswith(".")}


def blobs(root: Path) -> set[str]:
    """The digests of the blobs on disk."""
    found = root.glob("docker/registry/v2/blobs/*/*/*/data")
    return {f"{path.parents[2].name}:{path.parent.name}" for path in found}


@pytest.fixture(scope="module")
def filled(need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the real registry keeps after pushes, moved tags and deletes."""
    root = tmp_path_factory.mktemp("real") / "registry"
    root.mkdir()
    with (
        start_real_registry(need("docker-registry"), root) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        push_image(http, "apps/one", "v1", b"shared", b"one")
        push_image(http, "apps/one", "v2", b"shared", b"two")
        push_image(http, "apps/one", "v2", b"shared", b"three")
        push_blob(http, "apps/two", b"no manifest names it")
        gone = push_image(http, "zed", "gone", b"shared", b"zed")
        assert http.delete(f"/v2/zed/manifests/{gone}").status_code == 202
    return root


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize("flags", [(), ("--delete-untagged",)])
def test_beside_the_real_one(
    need: Callable[[str], str], filled: Path, tmp_path: Path, flags: tuple[str, ...], dry: bool
) -> None:
    flags += ("--dry-run",) if dry else ()
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    shutil.copytree(filled, ours)
    shutil.copytree(filled, theirs)
    command = [need("docker-registry"), "garbage-collect", *flags, str(config(theirs))]
    real = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = gc(*flags, config(ours))
    assert (said.returncode, real.returncode) == (0, 0)
    assert sorted(said.stdout.splitlines()) == sorted(real.stdout.splitlines())
    told = {line for line in DELETED.findall(real.stderr) if "tag reference" not in line}
    assert set(DELETED.findall(said.stderr)) == told
    assert files(ours) == files(theirs)
    assert (files(ours) == files(filled)) == dry


@pytest.mark.parametrize("words", [("--help",), ("-h",), (), ("/nowhere/config.yml",), ("--foo",)])
def test_words_of_the_real_one(need: Callable[[str], str], words: tuple[str, ...]) -> None:
    command = [need("docker-registry"), "garbage-collect", *words]
    real = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = gc(*words)
    quiet = "  -q, --quiet             silence output\n"  # of version 3
    assert (said.stdout + said.stderr).replace(quiet, "") == real.stdout + real.stderr
    assert said.returncode == (1 if words == ("--foo",) else real.returncode)  # it takes that for 0


def stored(storage: Storage, tag: str, **fields: object) -> str:
    """Push a manifest of no blobs to repository `a`; by its digest if the tag is ""."""
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], **fields})
    manifest = Manifest.parse(raw.encode())
    return manifests.store(storage, "a", tag or sha256(raw.encode()), manifest)


def about(storage: Storage, digest: str) -> dict[str, object]:
    """The descriptor of a manifest in repository `a`."""
    raw = storage.manifest("a", digest)
    assert raw
    return descriptor(raw, OCI_INDEX)


def family(storage: Storage) -> tuple[str, str, str, str]:
    """An index, what it lists, and who refers to that and to the referrer; tagged, then not."""
    child = stored(storage, "t", annotations={"is": "child"})
    index = stored(storage, "t", manifests=[about(storage, child)])
    signature = stored(storage, "t", subject=about(storage, child), annotations={"is": "first"})
    second = stored(storage, "t", subject=about(storage, signature))
    storage.untag("a", "t")
    return index, child, signature, second


def test_what_belongs_to_a_tagged_index_stays(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    every = set(family(storage))
    lone = stored(storage, "t", annotations={"is": "alone"})
    stored(storage, "t", manifests=[about(storage, next(iter(family(storage))))])
    collect(tmp_path, untagged=True)
    assert every < set(storage.manifests("a"))
    assert not storage.has_manifest("a", lone)
    storage.untag("a", "t")
    collect(tmp_path, dry_run=True, untagged=True)
    assert every < blobs(tmp_path)
    collect(tmp_path)
    assert every < blobs(tmp_path)
    collect(tmp_path, untagged=True)
    assert blobs(tmp_path) == set()


@pytest.mark.parametrize("again", range(4))
def test_what_is_tagged_meanwhile_stays_with_what_belongs_to_it(tmp_path: Path, again: int) -> None:
    storage = Storage(tmp_path)
    index, child, signature, second = every = family(storage)
    chosen = every[again]
    raw = storage.manifest("a", chosen)
    assert raw

    def say(line: str) -> None:
        if line.startswith("manifest eligible") and not storage.resolve("a", "again"):
            manifests.store(storage, "a", "again", Manifest.parse(raw))

    collect(tmp_path, say, untagged=True)
    needed = {index: {*every}, child: {child, signature, second}, signature: {signature, second}}
    assert needed.get(chosen, {second}) <= set(storage.manifests("a"))
    collect(tmp_path, untagged=True)
    assert set(storage.manifests("a")) == needed.get(chosen, {second}) == blobs(tmp_path)


def test_a_blob_is_promised_from_its_upload_to_its_manifest(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest = crashes.push(storage, "a", "v1", b"content")
    storage.untag("a", "v1")
    raw = storage.manifest("a", digest)
    blob = sha256(b"content")
    told: list[str] = []

    def say(line: str) -> None:
        told.append(line)
        if line == f"blob eligible for deletion: {blob}":
            assert storage.promise("a", blob)  # somebody asks whether it is there

    collect(tmp_path, say, untagged=True)
    assert f"blob eligible for deletion: {blob}" in told
    assert blobs(tmp_path) == {blob}
    collect(tmp_path, untagged=True)
    assert storage.blob("a", blob)
    assert raw and manifests.store(storage, "a", "v2", Manifest.parse(raw)) == digest
    manifests.remove(storage, "a", digest)
    collect(tmp_path)
    assert blobs(tmp_path) == set()
    assert not storage.blob("a", blob)


def test_a_manifest_that_cannot_be_read_ends_it_before_anything_goes(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    crashes.push(storage, "a", "v1", b"content")
    broken = stored(storage, "v2")
    manifests.remove(storage, "a", "v1")
    (file,) = tmp_path.glob(f"docker/registry/v2/blobs/*/*/{broken[7:]}/data")
    file.write_bytes(b"{")
    before = files(tmp_path)
    with pytest.raises(CollectError, match=f"manifest for digest {broken}"):
        collect(tmp_path, untagged=True)
    assert files(tmp_path) == before
    said = gc(config(tmp_path))
    assert said.returncode == 1
    assert said.stderr.startswith("failed to garbage collect: failed to mark: filesystem: failed")


def test_a_folder_without_a_registry(tmp_path: Path) -> None:
    said = gc(config(tmp_path))
    reason = "filesystem: Path not found: /docker/registry/v2/repositories"
    assert said.stderr == f"failed to garbage collect: failed to mark: {reason}\n"
    assert (said.returncode, list(tmp_path.iterdir())) == (1, [])


def test_deleting_through_the_api_and_then_collecting(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        old = push_image(http, "a", "v1", b"shared", b"one")
        put_manifest(http, "a", "also", http.get("/v2/a/manifests/v1").content)
        new = push_image(http, "a", "v2", b"shared", b"two")
        push_image(http, "b", "v1", b"shared")
        assert http.delete("/v2/a/manifests/v1").status_code == 202
        assert http.delete("/v2/a/manifests/v1").status_code == 404
        assert http.get("/v2/a/tags/list").json()["tags"] == ["also", "v2"]
        assert http.get(f"/v2/a/manifests/{old}").status_code == 200
        assert http.delete(f"/v2/a/manifests/{old}").status_code == 202
        assert http.get("/v2/a/tags/list").json()["tags"] == ["v2"]
        assert http.get(f"/v2/a/manifests/{old}").status_code == 404
        assert old in blobs(tmp_path)
        assert gc("--quiet", config(tmp_path)).stdout == ""
        assert {old, sha256(b"one")} & blobs(tmp_path) == set()
        assert http.head(f"/v2/a/blobs/{sha256(b'one')}").status_code == 404

        assert http.delete(f"/v2/a/manifests/{new}").status_code == 202
        for digest in (sha256(b"shared"), sha256(b"two"), sha256(CONFIG)):
            assert http.delete(f"/v2/a/blobs/{digest}").status_code == 202
            assert http.delete(f"/v2/a/blobs/{digest}").status_code == 404
        assert gc(config(tmp_path)).returncode == 0
        kept = sha256(http.get("/v2/b/manifests/v1").content)
        assert blobs(tmp_path) == {kept, sha256(b"shared"), sha256(CONFIG)}
        assert http.get(f"/v2/b/blobs/{sha256(b'shared')}").content == b"shared"
        push_image(http, "a", "v1", b"shared", b"one")


def test_nothing_can_be_deleted_unless_the_settings_say_so(tmp_path: Path) -> None:
    settings = {"REGISTRY_STORAGE_DELETE_ENABLED": "false"}
    with start_server(tmp_path, env=settings) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "v1", b"layer")
        for path in ("manifests/v1", f"manifests/{digest}", f"blobs/{sha256(b'layer')}"):
            answer = http.delete(f"/v2/a/{path}")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")
            assert http.get(f"/v2/a/{path}").status_code == 200


def push_like_clients(http: httpx.Client, name: str, tag: str, *layers: bytes) -> str:
    """Look, then mount or upload; all over again if what was there has been collected since."""
    raw = image(CONFIG, *layers, annotations={"for": tag})
    for _ in range(10):
        for layer in (CONFIG, *layers):
            if http.head(f"/v2/{name}/blobs/{sha256(layer)}").status_code == 404:
                other = {"mount": sha256(layer), "from": "r1" if name == "r0" else "r0"}
                if http.post(f"/v2/{name}/blobs/uploads/", params=other).status_code == 202:
                    push_blob(http, name, layer)
        answer = put_manifest(http, name, tag, raw)
        if answer.status_code == 201:
            return sha256(raw)
        assert answer.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"
    raise AssertionError(f"{name}:{tag} was refused again and again")


def push_often(url: str, tag: str) -> dict[str, str]:
    """Push images whose layers others push, delete and mount too; the digest in each repository."""
    pushed: dict[str, str] = {}
    with httpx.Client(base_url=url, timeout=30) as http:
        for count in range(PUSHES):
            name = f"r{count % 2}"
            if count % 3 == 2:
                assert http.delete(f"/v2/{name}/manifests/{pushed[name]}").status_code == 202
            layers = [b"shared %d" % (count % shared) for shared in (7, 11)]
            pushed[name] = push_like_clients(http, name, tag, *layers)
    return pushed


def test_pushes_during_collections(tmp_path: Path) -> None:
    end = tmp_path / "end"
    command = [sys.executable, "-c", COLLECTOR, str(tmp_path), str(end)]
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        push_image(http, "r0", "first", b"shared 0")
        collectors = [start_collector(command) for _ in range(2)]
        try:
            with ThreadPoolExecutor(3) as pool:
                tags = ["a", "b", "c"]
                pushed = dict(zip(tags, pool.map(push_often, [server.url] * 3, tags), strict=True))
        finally:
            end.touch()
            counts = [int(collector.communicate(timeout=60)[0]) for collector in collectors]
        assert min(counts) > 0
        assert gc("--delete-untagged", config(tmp_path)).returncode == 0
        for tag, digests in pushed.items():
            for name in ("r0", "r1"):
                assert whole(http, name, tag) == digests[name]
        assert "http.response.status=5" not in server.log
    crashes.check(tmp_path)


def start_collector(command: list[str]) -> subprocess.Popen[bytes]:
    """Collections in a process of its own; it prints how many."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def whole(http: httpx.Client, name: str, tag: str) -> str:
    """The digest of a tag's manifest, which is there with all its blobs."""
    raw = http.get(f"/v2/{name}/manifests/{tag}").content
    for item in (json.loads(raw)["config"], *json.loads(raw)["layers"]):
        content = http.get(f"/v2/{name}/blobs/{item['digest']}").content
        assert sha256(content) == item["digest"]
    return sha256(raw)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork makes a crash at every step cheap")
def test_killed_before_every_change_of_a_file(tmp_path: Path) -> None:
    script = Path(__file__).with_name("collectcrashes.py")
    command = [sys.executable, str(script), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout) > 40


@pytest.mark.parametrize("dry", [False, True])
def test_uploads_that_nobody_goes_on_with(tmp_path: Path, dry: bool) -> None:
    about = "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_"
    settings = {"AGE": "1h", "INTERVAL": "50ms", "DRYRUN": str(dry).lower()}
    env = {about + name: value for name, value in settings.items()}
    with start_server(tmp_path, env=env) as server, httpx.Client(base_url=server.url) as http:
        old, new = (http.post("/v2/a/blobs/uploads/").headers["Location"] for _ in range(2))
        assert http.patch(old, content=b"half").status_code == 202
        folder = f"/docker/registry/v2/repositories/a/_uploads/{old.rpartition('/')[2]}"
        os.utime(f"{tmp_path}{folder}/data", (1, 1))
        said = f"Upload files in {folder} are too old"
        until(lambda: "finished" in server.log.partition(said)[2])
        assert f"Num deleted={int(not dry)}, " in server.log.partition(said)[2]
        assert http.get(old).status_code == (204 if dry else 404)
        assert http.put(new, params={"digest": sha256(b"x")}, content=b"x").status_code == 201


@pytest.mark.parametrize("flags", [("-m",), ("--delete-untagged", "--dry-run"), ("-h",)])
def test_the_command_of_dockerlab(tmp_path: Path, flags: tuple[str, ...]) -> None:
    storage = Storage(tmp_path)
    old = crashes.push(storage, "a", "v1", b"old")
    crashes.push(storage, "a", "v1", b"new")
    command = [sys.executable, "-m", "dockerlab", "registry", "garbage-collect", *flags]
    given = [str(config(tmp_path))] if "-m" in flags else ["--root", str(tmp_path)]
    said = subprocess.run([*command, *given], capture_output=True, encoding="utf-8", timeout=60)
    assert said.returncode == 0, said.stderr
    assert ("eligible for deletion: " + old in said.stdout) == (flags != ("-h",))
    assert (old in blobs(tmp_path)) == ("-m" not in flags)


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


def test_docker_exec(docker: Docker) -> None:
    """As one types it in a lesson; the registry keeps running."""
    port = free_port()
    start(docker, port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        old = push_image(http, "a", "v1", b"shared", b"old")
        new = push_image(http, "a", "v1", b"shared", b"new")
        line = ["exec", "registry", "registry", "garbage-collect"]
        inside = "/etc/docker/registry/config.yml"
        would = docker.good(*line, "--dry-run", "--delete-untagged", inside)
        assert f"\nmanifest eligible for deletion: {old}\n" in would
        assert http.get(f"/v2/a/manifests/{old}").status_code == 200
        line = ["exec", "-it", "registry", "/bin/registry", "garbage-collect"]
        did = docker(*line, "-m", inside)
        assert (did.status, did.out) == (0, would)
        assert 'msg="deleting manifest: /docker/registry/v2/repositories/a' in did.err
        assert http.get(f"/v2/a/manifests/{old}").status_code == 404
        assert whole(http, "a", "v1") == new
        wrong = docker(*line, "/etc/nowhere.yml")
        assert wrong.status == 1
        assert "open /etc/nowhere.yml: no such file or directory" in wrong.err
    assert docker.bad("exec", "registry", "sh").startswith("“docker exec” needs a Docker")
    docker.good("stop", "registry")
    assert docker.bad(*line, inside).endswith(" is not running\n")
    line[2] = "other"
    assert docker.bad(*line, inside) == "Error response from daemon: No such container: other\n"
