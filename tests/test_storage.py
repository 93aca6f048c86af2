"""The registry's directory, without a server before it."""

import os
from pathlib import Path

import pytest

from dockerlab.errors import DigestMismatch
from dockerlab.image import digest as digests
from dockerlab.registry.storage import Storage

RAW = b'{"schemaVersion": 2}'
DIGEST = digests.of(RAW)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


def push(storage: Storage, repository: str, content: bytes) -> str:
    """Upload and keep a blob; gives its digest."""
    upload = storage.begin(repository)
    upload.write([content])
    upload.close()
    storage.keep(repository, digests.of(content), upload)
    storage.finish(upload)
    return digests.of(content)


def files(root: Path) -> list[str]:
    """All files below the registry's folder."""
    base = root / "docker" / "registry" / "v2"
    return sorted(p.relative_to(base).as_posix() for p in base.rglob("*") if p.is_file())


def test_layout_is_the_filesystem_drivers(storage: Storage, tmp_path: Path) -> None:
    digest = push(storage, "apps/one", b"content")
    storage.put_manifest("apps/one", DIGEST, RAW, "v1")
    name, raw = digest[7:], DIGEST[7:]
    repository = "repositories/apps/one"
    assert files(tmp_path) == sorted(
        [
            f"blobs/sha256/{name[:2]}/{name}/data",
            f"blobs/sha256/{raw[:2]}/{raw}/data",
            f"{repository}/_layers/sha256/{name}/link",
            f"{repository}/_manifests/revisions/sha256/{raw}/link",
            f"{repository}/_manifests/tags/v1/current/link",
            f"{repository}/_manifests/tags/v1/index/sha256/{raw}/link",
        ]
    )


def test_upload_on_its_way(storage: Storage, tmp_path: Path) -> None:
    upload = storage.begin("a")
    folder = f"repositories/a/_uploads/{upload.id}"
    assert files(tmp_path) == [f"{folder}/data", f"{folder}/startedat"]
    assert storage.upload("a", upload.id) is upload
    assert storage.upload("b", upload.id) is None
    storage.finish(upload)
    assert files(tmp_path) == []
    assert storage.upload("a", upload.id) is None


def test_upload_that_another_process_wrote_to(storage: Storage, tmp_path: Path) -> None:
    mine = storage.begin("a")
    theirs = Storage(tmp_path).upload("a", mine.id)
    assert theirs
    for upload, piece in ((mine, b"1"), (theirs, b"2"), (mine, b"3")):
        upload.write([piece])
        upload.close()
    assert mine.size == 3
    storage.keep("a", digests.of(b"123"), mine)
    assert storage.blob("a", digests.of(b"123"))


def test_wrong_content_is_not_kept(storage: Storage) -> None:
    upload = storage.begin("a")
    upload.write([b"that"])
    upload.close()
    with pytest.raises(DigestMismatch) as caught:
        storage.keep("a", digests.of(b"this"), upload)
    assert caught.value.actual == digests.of(b"that")
    assert storage.blob("a", digests.of(b"this")) is None


def test_tag_history(storage: Storage, tmp_path: Path) -> None:
    other = b'{"schemaVersion":2}'
    storage.put_manifest("a", DIGEST, RAW, "latest")
    storage.put_manifest("a", digests.of(other), other, "latest")
    assert storage.resolve("a", "latest") == digests.of(other)
    history = [name for name in files(tmp_path) if "/tags/latest/index/" in name]
    assert len(history) == 2


def test_tag_folder_without_a_link_is_no_tag(storage: Storage, tmp_path: Path) -> None:
    storage.put_manifest("a", DIGEST, RAW, "good")
    broken = tmp_path / "docker/registry/v2/repositories/a/_manifests/tags/broken/current"
    broken.mkdir(parents=True)
    assert storage.tags("a") == ["good"]
    storage.put_manifest("a", DIGEST, RAW, "broken")
    assert storage.tags("a") == ["broken", "good"]


@pytest.mark.parametrize("content", ["", "sha256:12", "../../../x", "\N{BENGALI LETTER KA}"])
def test_broken_link_points_to_nothing(storage: Storage, tmp_path: Path, content: str) -> None:
    digest = push(storage, "a", b"content")
    (link,) = tmp_path.glob("docker/registry/v2/repositories/a/_layers/sha256/*/link")
    link.write_text(content, encoding="utf-8")
    assert storage.blob("a", digest) is None


def test_manifest_whose_bytes_are_gone(storage: Storage, tmp_path: Path) -> None:
    storage.put_manifest("a", DIGEST, RAW, "latest")
    (data,) = tmp_path.glob("docker/registry/v2/blobs/sha256/*/*/data")
    data.unlink()
    assert storage.manifest("a", DIGEST) is None
    assert not storage.has_manifest("a", DIGEST)


def test_only_the_owner_cleans(tmp_path: Path) -> None:
    first, second = Storage(tmp_path), Storage(tmp_path)
    assert first.claim()
    upload = first.begin("a/b")
    partial = tmp_path / "docker/registry/v2/.partial"
    (partial / "file").write_bytes(b"half")
    (partial / "folder").mkdir()
    assert not second.claim()
    assert upload.data.exists()
    first.release()
    assert second.claim()
    assert not upload.folder.parent.exists()
    assert os.listdir(partial) == []
    second.release()


def test_cleaning_keeps_what_is_whole(storage: Storage, tmp_path: Path) -> None:
    push(storage, "a/b", b"content")
    storage.put_manifest("a/b", DIGEST, RAW, "latest")
    before = files(tmp_path)
    storage.begin("a/b")
    storage.begin("a")
    assert storage.claim()
    assert [name for name in files(tmp_path) if name != ".lock"] == before
    assert storage.repositories() == ["a/b"]
    storage.release()


def test_repositories_within_repositories(storage: Storage) -> None:
    for name in ("b", "a/b", "a", "a-b", "a/b/c/d"):
        push(storage, name, b"content")
    assert storage.repositories() == ["a", "a-b", "a/b", "a/b/c/d", "b"]
    assert storage.tags("a/b/c") is None
    assert storage.tags("a/b/c/d") == []


def test_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = Storage(Path("data"))
    digest = push(storage, "a", b"content")
    blob = storage.blob("a", digest)
    assert blob and blob.path.is_absolute() and blob.size == 7
