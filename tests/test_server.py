"""Reading, tagging, listing and deleting, over raw HTTP against a real registry process."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    descriptor,
    image,
    push_blob,
    push_image,
    put_manifest,
    sha256,
    start_server,
)

ABSENT = sha256(b"nowhere")


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        start_server(tmp_path_factory.mktemp("registry")) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        yield client


def refused(answer: httpx.Response, status: int, code: str) -> bool:
    """Whether this is the spec's error; a HEAD has no body to look at."""
    codes = [error["code"] for error in answer.json()["errors"]]
    return answer.status_code == status and codes == [code]


@pytest.mark.parametrize("path", ["/v2/", "/v2"])
def test_says_which_api_it_speaks(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_is_alive(http: httpx.Client) -> None:
    assert http.get("/").status_code == 200


def test_blob(http: httpx.Client) -> None:
    digest = push_blob(http, "blob/read", b"content")
    answer = http.get(f"/v2/blob/read/blobs/{digest}")
    assert (answer.status_code, answer.content) == (200, b"content")
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Content-Type"] == "application/octet-stream"
    head = http.head(f"/v2/blob/read/blobs/{digest}")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "7")
    assert head.headers["Docker-Content-Digest"] == digest


def test_empty_blob(http: httpx.Client) -> None:
    digest = push_blob(http, "blob/empty", b"")
    answer = http.get(f"/v2/blob/empty/blobs/{digest}")
    assert (answer.status_code, answer.content) == (200, b"")


def test_what_a_client_has_already_is_not_sent_again(http: httpx.Client) -> None:
    manifest = push_image(http, "blob/cached", "1", b"layer")
    for path, digest in (("blobs", sha256(b"layer")), ("manifests", manifest)):
        url = f"/v2/blob/cached/{path}/{digest}"
        etag = http.get(url).headers["Etag"]
        assert http.get(url, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=2-5", slice(2, 6)),
        ("bytes=7-", slice(7, 10)),
        ("bytes=-3", slice(7, 10)),
        ("bytes=-99", slice(0, 10)),
        ("bytes=4-99", slice(4, 10)),
        ("bytes=0-0", slice(0, 1)),
    ],
)
def test_range(http: httpx.Client, asked: str, part: slice) -> None:
    content = b"0123456789"
    digest = push_blob(http, "blob/range", content)
    answer = http.get(f"/v2/blob/range/blobs/{digest}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content[part])
    assert answer.headers["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/10"
    assert answer.headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_range_outside(http: httpx.Client, asked: str) -> None:
    digest = push_blob(http, "blob/range", b"0123456789")
    answer = http.get(f"/v2/blob/range/blobs/{digest}", headers={"Range": asked})
    assert refused(answer, 416, "SIZE_INVALID")
    assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "pages=1-2", "bytes=0-1,3-4", "x"])
def test_range_of_another_kind_is_ignored(http: httpx.Client, asked: str) -> None:
    digest = push_blob(http, "blob/range", b"0123456789")
    answer = http.get(f"/v2/blob/range/blobs/{digest}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_range_of_something_else_is_ignored(http: httpx.Client) -> None:
    digest = push_blob(http, "blob/range", b"0123456789")
    headers = {"Range": "bytes=1-2", "If-Range": '"other"'}
    assert http.get(f"/v2/blob/range/blobs/{digest}", headers=headers).content == b"0123456789"


def test_long_range_comes_in_pieces(http: httpx.Client) -> None:
    content = bytes(range(256)) * 4096 * 3
    digest = push_blob(http, "blob/long", content)
    answer = http.get(f"/v2/blob/long/blobs/{digest}", headers={"Range": "bytes=1-"})
    assert answer.content == content[1:]
    assert http.get(f"/v2/blob/long/blobs/{digest}").content == content


def test_manifest_by_tag_and_digest(http: httpx.Client) -> None:
    digest = push_image(http, "manifest/read", "v1", b"layer")
    by_tag = http.get("/v2/manifest/read/manifests/v1")
    by_digest = http.get(f"/v2/manifest/read/manifests/{digest}")
    assert sha256(by_tag.content) == digest
    assert by_tag.content == by_digest.content
    assert by_tag.headers["Docker-Content-Digest"] == digest
    assert by_tag.headers["Content-Type"] == OCI_MANIFEST
    head = http.head("/v2/manifest/read/manifests/v1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(by_tag.content))


def test_manifest_put_says_where_it_is(http: httpx.Client) -> None:
    push_image(http, "manifest/put", "v1")
    raw = http.get("/v2/manifest/put/manifests/v1").content
    answer = put_manifest(http, "manifest/put", sha256(raw), raw)
    assert answer.status_code == 201
    assert answer.headers["Docker-Content-Digest"] == sha256(raw)
    assert http.get(answer.headers["Location"]).content == raw


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_manifest_under_another_algorithm(http: httpx.Client, algorithm: str) -> None:
    push_image(http, "manifest/strong", "v1")
    raw = http.get("/v2/manifest/strong/manifests/v1").content
    digest = f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"
    assert put_manifest(http, "manifest/strong", digest, raw).status_code == 201
    answer = http.get(f"/v2/manifest/strong/manifests/{digest}")
    assert (answer.content, answer.headers["Docker-Content-Digest"]) == (raw, digest)


@pytest.mark.parametrize(
    ("change", "media_type"),
    [
        ({"mediaType": None}, OCI_MANIFEST),
        ({"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}, None),
        ({"mediaType": None, "manifests": []}, OCI_INDEX),
        ({"manifests": [], "mediaType": OCI_INDEX}, None),
    ],
)
def test_media_type_is_kept(
    http: httpx.Client, change: dict[str, object], media_type: str | None
) -> None:
    push_blob(http, "manifest/type", b"{}")
    data = {**json.loads(image(b"{}")), **change}
    raw = json.dumps({key: value for key, value in data.items() if value is not None}).encode()
    media_type = media_type or str(data["mediaType"])
    assert put_manifest(http, "manifest/type", "x", raw, media_type).status_code == 201
    assert http.get("/v2/manifest/type/manifests/x").headers["Content-Type"] == media_type


def test_index_needs_its_manifests(http: httpx.Client) -> None:
    digest = push_image(http, "manifest/index", "one")
    raw = http.get(f"/v2/manifest/index/manifests/{digest}").content
    index = {"schemaVersion": 2, "manifests": [descriptor(raw, OCI_MANIFEST)]}
    good = put_manifest(http, "manifest/index", "all", json.dumps(index).encode(), OCI_INDEX)
    assert good.status_code == 201
    bad = put_manifest(http, "elsewhere", "all", json.dumps(index).encode(), OCI_INDEX)
    assert refused(bad, 400, "MANIFEST_BLOB_UNKNOWN")
    assert http.get("/v2/elsewhere/manifests/all").status_code == 404


def test_manifest_needs_its_blobs(http: httpx.Client) -> None:
    push_blob(http, "manifest/lacking", b"{}")
    raw = image(b"{}", b"a layer that was never pushed")
    answer = put_manifest(http, "manifest/lacking", "latest", raw)
    assert refused(answer, 400, "MANIFEST_BLOB_UNKNOWN")
    assert sha256(b"a layer that was never pushed") in answer.text
    assert http.head("/v2/manifest/lacking/manifests/latest").status_code == 404


def test_layer_that_lies_elsewhere_may_be_missing(http: httpx.Client) -> None:
    push_blob(http, "manifest/foreign", b"{}")
    data = json.loads(image(b"{}", b"windows"))
    data["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    answer = put_manifest(http, "manifest/foreign", "latest", json.dumps(data).encode())
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"schemaVersion":2,"config":{},"layers":[]}',
        b"[" * 100_000,
        b'{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    ],
)
def test_manifest_invalid(http: httpx.Client, raw: bytes) -> None:
    answer = put_manifest(http, "manifest/bad", "latest", raw)
    assert refused(answer, 400, "MANIFEST_INVALID")


def test_manifest_too_large(http: httpx.Client) -> None:
    answer = put_manifest(http, "manifest/large", "latest", b" " * (4 * 1024 * 1024 + 1))
    assert refused(answer, 413, "SIZE_INVALID")


def test_manifest_digest_must_match(http: httpx.Client) -> None:
    push_blob(http, "manifest/wrong", b"{}")
    answer = put_manifest(http, "manifest/wrong", ABSENT, image(b"{}"))
    assert refused(answer, 400, "DIGEST_INVALID")
    assert http.head(f"/v2/manifest/wrong/manifests/{ABSENT}").status_code == 404


@pytest.mark.parametrize("tag", ["-x", ".hidden", "x" * 129, "a b", "ä"])
def test_tag_invalid(http: httpx.Client, tag: str) -> None:
    push_blob(http, "manifest/tag", b"{}")
    answer = put_manifest(http, "manifest/tag", tag, image(b"{}"))
    assert refused(answer, 400, "MANIFEST_INVALID")
    assert http.get(f"/v2/manifest/tag/manifests/{tag}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "My-Image",
        "a/B",
        "-a",
        "a-",
        "a/",
        "/a",
        "a//b",
        "a..b",
        "a___b",
        "a b",
        "..",
        "a/../b",
        "%2e%2e/%2e%2e",
        "a%00b",
        "%ff",
        "x" * 256,
        "ছবি",
    ],
)
def test_name_invalid(http: httpx.Client, name: str) -> None:
    plain = HTTPConnection(http.base_url.host, http.base_url.port or 0)  # httpx tidies paths up
    with closing(plain):
        plain.request("GET", f"/v2/{quote(name, safe='/%')}/tags/list")
        answer = plain.getresponse()
        assert (answer.status, json.load(answer)["errors"][0]["code"]) == (400, "NAME_INVALID")


@pytest.mark.parametrize(
    "name", ["a", "a/b/c", "a.b_c__d-e---f/0", "blobs/uploads/manifests", "x" * 255]
)
def test_name_valid(http: httpx.Client, name: str) -> None:
    digest = push_image(http, name, "latest")
    assert http.head(f"/v2/{name}/manifests/latest").headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize(
    "digest", ["sha256:12", "md5:" + "0" * 32, "sha256:" + "G" * 64, "x", "sha256:..", "..%2f.."]
)
def test_digest_invalid(http: httpx.Client, digest: str) -> None:
    for method, path in (("GET", "blobs"), ("HEAD", "blobs"), ("DELETE", "blobs")):
        answer = http.request(method, f"/v2/a/{path}/{digest}")
        assert answer.status_code in (400, 404)
    if ":" in digest:
        assert refused(http.get(f"/v2/a/manifests/{digest}"), 400, "DIGEST_INVALID")
        assert refused(http.post(f"/v2/a/blobs/uploads/?digest={digest}"), 400, "DIGEST_INVALID")


def test_unknown(http: httpx.Client) -> None:
    push_image(http, "known", "latest")
    assert refused(http.get(f"/v2/known/blobs/{ABSENT}"), 404, "BLOB_UNKNOWN")
    assert refused(http.get(f"/v2/known/manifests/{ABSENT}"), 404, "MANIFEST_UNKNOWN")
    assert refused(http.get("/v2/known/manifests/other"), 404, "MANIFEST_UNKNOWN")
    assert refused(http.get("/v2/unknown/tags/list"), 404, "NAME_UNKNOWN")
    assert refused(http.delete(f"/v2/known/blobs/{ABSENT}"), 404, "BLOB_UNKNOWN")
    assert refused(http.delete(f"/v2/known/manifests/{ABSENT}"), 404, "MANIFEST_UNKNOWN")
    assert refused(http.delete("/v2/known/manifests/other"), 404, "MANIFEST_UNKNOWN")
    assert http.head(f"/v2/known/blobs/{ABSENT}").status_code == 404


def test_blob_of_one_repository_is_not_in_another(http: httpx.Client) -> None:
    digest = push_blob(http, "private", b"secret of one repository")
    assert refused(http.get(f"/v2/public/blobs/{digest}"), 404, "BLOB_UNKNOWN")


def test_no_such_route(http: httpx.Client) -> None:
    for path in ("/v1/", "/v2/a", "/v2/a/tags", "/v2/a/tags/list/", "/v2/a%0ab/tags/list"):
        assert refused(http.get(path), 404, "UNSUPPORTED")


def test_no_such_method(http: httpx.Client) -> None:
    answer = http.post("/v2/a/manifests/latest")
    assert refused(answer, 405, "UNSUPPORTED")
    assert answer.headers["Allow"] == "GET, HEAD, PUT, DELETE"


def test_tags_page_by_page(http: httpx.Client) -> None:
    for tag in ("c", "a", "B", "b"):
        push_image(http, "tags/pages", tag)
    assert http.get("/v2/tags/pages/tags/list").json() == {
        "name": "tags/pages",
        "tags": ["B", "a", "b", "c"],
    }
    pages, url = [], "/v2/tags/pages/tags/list?n=3"
    while url:
        answer = http.get(url)
        pages.append(answer.json()["tags"])
        url = str(answer.links.get("next", {}).get("url", ""))
    assert pages == [["B", "a", "b"], ["c"]]
    assert http.get("/v2/tags/pages/tags/list?last=aa").json()["tags"] == ["b", "c"]
    assert http.get("/v2/tags/pages/tags/list?n=0").json()["tags"] == []
    assert "Link" not in http.get("/v2/tags/pages/tags/list?n=4").headers


@pytest.mark.parametrize("count", ["-1", "x", "", "1.5", "১"])
def test_page_size_invalid(http: httpx.Client, count: str) -> None:
    push_image(http, "tags/pages", "a")
    answer = http.get("/v2/tags/pages/tags/list", params={"n": count})
    assert refused(answer, 400, "UNSUPPORTED")
    answer = http.get("/v2/_catalog", params={"n": count})
    assert refused(answer, 400, "UNSUPPORTED")


def test_catalogue_page_by_page(http: httpx.Client) -> None:
    for name in ("list/b", "list/a-b", "list/a/b", "list/a"):
        push_image(http, name, "latest")
    names, url = [], "/v2/_catalog?n=2"
    while url:
        answer = http.get(url)
        assert len(answer.json()["repositories"]) <= 2
        names += answer.json()["repositories"]
        url = str(answer.links.get("next", {}).get("url", ""))
    assert names == sorted(set(names))
    assert [n for n in names if n.startswith("list/")] == [
        "list/a",
        "list/a-b",
        "list/a/b",
        "list/b",
    ]
    assert names == http.get("/v2/_catalog?n=10000").json()["repositories"]


def test_tag_moves(http: httpx.Client) -> None:
    first = push_image(http, "tags/move", "latest", b"1")
    second = push_image(http, "tags/move", "latest", b"2")
    assert first != second
    head = http.head("/v2/tags/move/manifests/latest")
    assert head.headers["Docker-Content-Digest"] == second
    assert http.head(f"/v2/tags/move/manifests/{first}").status_code == 200


def test_delete_tag_leaves_the_manifest(http: httpx.Client) -> None:
    digest = push_image(http, "delete/tag", "a")
    push_image(http, "delete/tag", "b")
    assert http.delete("/v2/delete/tag/manifests/a").status_code == 202
    assert http.get("/v2/delete/tag/tags/list").json()["tags"] == ["b"]
    assert http.head(f"/v2/delete/tag/manifests/{digest}").status_code == 200
    assert push_image(http, "delete/tag", "a") == digest


def test_delete_manifest_takes_its_tags_along(http: httpx.Client) -> None:
    old = push_image(http, "delete/manifest", "a", b"old")
    new = push_image(http, "delete/manifest", "b", b"new")
    push_image(http, "delete/manifest", "c", b"old")
    assert http.delete(f"/v2/delete/manifest/manifests/{old}").status_code == 202
    assert http.get("/v2/delete/manifest/tags/list").json()["tags"] == ["b"]
    assert http.head(f"/v2/delete/manifest/manifests/{old}").status_code == 404
    assert http.head(f"/v2/delete/manifest/manifests/{new}").status_code == 200


def test_delete_blob_from_one_repository(http: httpx.Client) -> None:
    digest = push_blob(http, "delete/one", b"shared")
    push_blob(http, "delete/two", b"shared")
    assert http.delete(f"/v2/delete/one/blobs/{digest}").status_code == 202
    assert http.head(f"/v2/delete/one/blobs/{digest}").status_code == 404
    assert http.get(f"/v2/delete/two/blobs/{digest}").content == b"shared"
    push_blob(http, "delete/one", b"shared")
    assert http.head(f"/v2/delete/one/blobs/{digest}").status_code == 200


def test_deleting_can_be_off(tmp_path: Path) -> None:
    off = {"REGISTRY_STORAGE_DELETE_ENABLED": "false"}
    with start_server(tmp_path, env=off) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest", b"layer")
        for path in ("manifests/latest", f"manifests/{digest}", f"blobs/{sha256(b'layer')}"):
            assert refused(http.delete(f"/v2/a/{path}"), 405, "UNSUPPORTED")
        assert http.head("/v2/a/manifests/latest").status_code == 200
        started = http.post("/v2/a/blobs/uploads/").headers["Location"]
        assert http.delete(started).status_code == 204  # an upload may always be given up


def test_referrers(http: httpx.Client) -> None:
    subject = push_image(http, "refer", "latest", b"program")
    raw = http.get("/v2/refer/manifests/latest").content
    about = {"subject": descriptor(raw, OCI_MANIFEST), "annotations": {"by": "me"}}
    push_blob(http, "refer", b"{}")
    signature = image(b"{}", artifactType="example/signature", **about)
    listing = image(b"{}", artifactType="example/listing", **about)
    answer = put_manifest(http, "refer", "signature", signature)
    assert answer.headers["OCI-Subject"] == subject
    put_manifest(http, "refer", sha256(listing), listing)
    answer = http.get(f"/v2/refer/referrers/{subject}")
    assert answer.headers["Content-Type"] == OCI_INDEX
    assert {item["digest"] for item in answer.json()["manifests"]} == {
        sha256(signature),
        sha256(listing),
    }
    answer = http.get(f"/v2/refer/referrers/{subject}?artifactType=example/signature")
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    (item,) = answer.json()["manifests"]
    assert item == {
        **descriptor(signature, OCI_MANIFEST),
        "artifactType": "example/signature",
        "annotations": {"by": "me"},
    }
    http.delete("/v2/refer/manifests/" + sha256(signature))
    assert len(http.get(f"/v2/refer/referrers/{subject}").json()["manifests"]) == 1


def test_subject_may_be_missing(http: httpx.Client) -> None:
    push_blob(http, "refer/ahead", b"{}")
    subject = {"mediaType": OCI_MANIFEST, "digest": ABSENT, "size": 1}
    answer = put_manifest(http, "refer/ahead", "x", image(b"{}", subject=subject))
    assert (answer.status_code, answer.headers["OCI-Subject"]) == (201, ABSENT)
    assert http.get(f"/v2/nobody/referrers/{ABSENT}").json()["manifests"] == []
