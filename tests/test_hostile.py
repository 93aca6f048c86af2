"""Requests that mean harm: each gets an error in the spec's form, and the server lives on."""

import json
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from raw import Reply, answer, ask, connect, request, sized
from servers import OCI_MANIFEST, RunningServer, image, push_blob, push_image, sha256, start_server

LIMITS = {
    "REGISTRY_LIMITS_BLOBSIZE": "1000000",
    "REGISTRY_LIMITS_UPLOADS": "5",
    "REGISTRY_LIMITS_SILENCE": "1s",
}
TYPE = f"Content-Type: {OCI_MANIFEST}"
HELLO = sha256(b"hello")
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("around") / "root"
    (folder.parent / "secret").mkdir()
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[RunningServer]:
    with start_server(root, env=LIMITS) as running:
        with httpx.Client(base_url=running.url) as http:
            push_image(http, "a", "latest", b"layer")
        yield running
        assert ask(running.port, request("GET", "/v2/")).status == 200
        assert "Traceback" not in running.log
        around = (root.parent, root.parent / "secret", root)
        assert [sorted(os.listdir(folder)) for folder in around] == [
            ["root", "secret"],
            [],
            ["docker"],
        ]


@pytest.fixture
def upload(server: RunningServer) -> Iterator[str]:
    """Where an upload goes on that was just begun."""
    location = ask(server.port, sized("POST", "/v2/a/blobs/uploads/")).headers["location"]
    yield location
    ask(server.port, sized("DELETE", location))


def put_manifest(server: RunningServer, raw: bytes, *headers: str, tag: str = "bad") -> Reply:
    """Put these bytes as a manifest."""
    return ask(server.port, sized("PUT", f"/v2/a/manifests/{tag}", raw, *(headers or (TYPE,))))


def put(location: str, headers: Iterable[str], body: bytes, digest: str = HELLO) -> bytes:
    """The end of an upload, with these headers only."""
    return request("PUT", f"{location}?digest={digest}", headers, body)


UP = [
    "../..",
    "%2e%2e/%2e%2e",
    "%2e%2e%2f%2e%2e",
    "..%5c..",
    "%252e%252e%252f",
    "x%00",
    "%ff",
    "x%0a",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("up", UP)
def test_traversal(server: RunningServer, root: Path, up: str, method: str) -> None:
    for path in (
        f"/v2/{up}/secret/manifests/latest",
        f"/v2/a/{up}/secret/tags/list",
        f"/v2/a/manifests/{up}",
        f"/v2/a/manifests/sha256:{up}",
        f"/v2/a/blobs/sha256:{up}",
        f"/v2/a/blobs/{up}",
        f"/v2/a/referrers/{up}",
        f"/v2/a/blobs/uploads/{up}",
        f"/v2/a/blobs/uploads/{up}?digest={HELLO}",
        f"/v2/{up}/blobs/uploads/?digest={HELLO}",
        f"/v2/b/blobs/uploads/?mount={HELLO}&from={up}&digest=sha256:{up}",
        f"/v2/b/blobs/uploads/?mount=sha256:{up}&from=a",
        f"/v2/b/blobs/uploads/?digest-algorithm={up}",
        f"/v2/a/manifests/{sha256(b'{}')}?tag={up}",
    ):
        reply = ask(server.port, sized(method, path, b"hello", TYPE))
        assert reply.status in (400, 404, 405), path
        assert reply.code or method == "HEAD", path
    assert [path.name for path in (root / "docker/registry/v2/repositories").iterdir()] == ["a"]


@pytest.mark.parametrize("up", UP)
def test_lists_stay_inside(server: RunningServer, up: str) -> None:
    reply = ask(server.port, request("GET", f"/v2/_catalog?n=5&last={up}"))
    assert (reply.status, json.loads(reply.body)["repositories"]) in [(200, []), (200, ["a"])]
    reply = ask(server.port, request("GET", f"/v2/a/tags/list?last={up}"))
    assert (reply.status, json.loads(reply.body)["tags"]) in [(200, []), (200, ["latest"])]


@pytest.mark.parametrize("n", ["-1", "x", "%00", "1e9", "", "٣", "0x10", "1.0"])
def test_counts_that_are_none(server: RunningServer, n: str) -> None:
    n = httpx.QueryParams({"n": n}) if not n.isascii() else f"n={n}"
    for path in ("/v2/_catalog", "/v2/a/tags/list"):
        reply = ask(server.port, request("GET", f"{path}?{n}"))
        assert (reply.status, reply.code) == (400, "UNSUPPORTED")


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\0", b"null", b"true", b"NaN", b"1", b'"x"', b"[]", b"{}", b"{", b'{"a":1}x'),
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000),
        *(b'{"schemaVersion":' + b"9" * 1_000_000 + b"}", b'{"schemaVersion":-1e999999}'),
        *(b'{"mediaType":"\xff\xfe"}', '{"a":1}'.encode("utf-16"), b"\xef\xbb\xbf{}"),
        *(b'{"mediaType":"\\ud800"}', b'{"mediaType":[[]]}', b'{"mediaType":{"a":1}}'),
        b'{"schemaVersion":2,"config":{},"config":{},"layers":[]}',
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_no_manifests(server: RunningServer, raw: bytes) -> None:
    reply = put_manifest(server, raw)
    assert (reply.status, reply.code) == (400, "MANIFEST_INVALID")


FIELDS = {
    "schemaVersion": [1, 3, "2", True, None, [], 10**400, 1e300],
    "mediaType": ["text/html", 5, "x" * 100_000, "a\r\nb"],
    "config": [None, [], "x", 5, {"digest": "sha256:../../x", "size": 1, "mediaType": "x/y"}],
    "layers": [None, {}, "x", [[]], [None], [5], [{"digest": [], "size": 1, "mediaType": "x"}]],
    "subject": ["x", [1], {"digest": "../x", "size": 1, "mediaType": "x/y"}],
    "annotations": [[], "x", {"a": 1}, {"a": None}, {"a": {}}],
    "artifactType": [[], 5, {}],
}


@pytest.mark.parametrize("field", FIELDS)
def test_manifests_with_wrong_fields(server: RunningServer, field: str) -> None:
    right = json.loads(image(b"{}", b"layer"))
    for value in FIELDS[field]:
        reply = put_manifest(server, json.dumps({**right, field: value}).encode())
        assert (reply.status, reply.code) == (400, "MANIFEST_INVALID"), value


@pytest.mark.parametrize("size", [-1, 1.5, "1", None, True, 10**400, 1e400, [1]])
def test_sizes_that_are_none(server: RunningServer, size: object) -> None:
    layer = {"mediaType": "x/y", "digest": sha256(b"not here"), "size": size}
    raw = json.dumps({**json.loads(image(b"{}")), "layers": [layer]}).encode()
    code = "MANIFEST_BLOB_UNKNOWN" if size == 10**400 else "MANIFEST_INVALID"
    assert put_manifest(server, raw).code == code


def test_any_depth(server: RunningServer) -> None:
    whole = ask(server.port, request("GET", "/v2/a/manifests/latest")).body
    found = set()
    for depth in [*range(900, 1010, 2), 5000, 200_000]:
        raw = whole[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"
        reply = put_manifest(server, raw, tag="deep")
        found.add((reply.status, reply.code))
        for path in ("/v2/a/manifests/deep", f"/v2/a/referrers/{HELLO}", "/v2/a/tags/list"):
            assert ask(server.port, request("GET", path)).status in (200, 404)
    assert found <= {(201, ""), (400, "MANIFEST_INVALID")}
    assert (400, "MANIFEST_INVALID") in found


def test_the_last_of_equal_keys_counts(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url) as http:
        whole = http.get("/v2/a/manifests/latest").content
        missing = json.dumps(json.loads(image(b"nowhere"))["config"]).encode()
        raw = whole[:-1] + b',"config":' + missing + b"}"
    assert put_manifest(server, raw).code == "MANIFEST_BLOB_UNKNOWN"


def test_manifest_of_four_mebibytes_and_one_of_more(server: RunningServer) -> None:
    whole = ask(server.port, request("GET", "/v2/a/manifests/latest")).body
    largest = whole + b" " * (4 * MIB - len(whole))
    assert put_manifest(server, largest, tag="large").status == 201
    reply = put_manifest(server, largest + b" ")
    assert (reply.status, reply.code) == (413, "SIZE_INVALID")
    chunks = b"".join(b"100000\r\n" + b" " * MIB + b"\r\n" for _ in range(5)) + b"0\r\n\r\n"
    endless = request("PUT", "/v2/a/manifests/bad", [TYPE, "Transfer-Encoding: chunked"], chunks)
    reply = ask(server.port, endless)
    assert (reply.status, reply.code) == (413, "SIZE_INVALID")


@pytest.mark.parametrize(
    "length",
    ["-5", "five", "5, 5", "5 5", "0x5", "+5", "9" * 26, "", "5\r\nContent-Length: 6", "1e1"],
)
def test_lengths_that_are_none(server: RunningServer, upload: str, length: str) -> None:
    reply = ask(server.port, put(upload, [f"Content-Length: {length}"], b"hello"))
    assert reply.status == 400
    assert untouched(server, upload)


def test_length_that_is_too_small(server: RunningServer, upload: str) -> None:
    reply = ask(server.port, put(upload, ["Content-Length: 4"], b"hello"))
    assert (reply.status, reply.code) == (400, "DIGEST_INVALID")


def test_length_that_is_too_large(server: RunningServer, upload: str) -> None:
    for headers in (["Content-Length: 6"], ["Transfer-Encoding: chunked"]):
        body = b"hello" if "Length" in headers[0] else b"5\r\nhello\r\n"
        reply = ask(server.port, put(upload, headers, body))  # and then it is silent
        assert (reply.status, reply.code) == (499, "SIZE_INVALID")
    reply = ask(server.port, request("GET", upload))
    assert reply.headers["range"] == "0-9"  # what came is kept, to go on from


def test_silence_ends_a_manifest_too(server: RunningServer) -> None:
    reply = ask(server.port, request("PUT", "/v2/a/manifests/x", [TYPE, "Content-Length: 9"], b"{"))
    assert (reply.status, reply.code) == (499, "SIZE_INVALID")


@pytest.mark.parametrize(
    "chunks",
    [
        *(b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"3\r\nhello\r\n0\r\n\r\n"),
        *(b"f" * 17 + b"\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"\r\n\r\n"),
    ],
)
def test_chunks_that_lie(server: RunningServer, upload: str, chunks: bytes) -> None:
    reply = ask(server.port, put(upload, ["Transfer-Encoding: chunked"], chunks))
    assert (reply.status, reply.code) == (499, "SIZE_INVALID")
    assert ask(server.port, request("HEAD", f"/v2/a/blobs/{HELLO}")).status == 404


def untouched(server: RunningServer, upload: str) -> bool:
    """Whether nothing came into that upload."""
    return ask(server.port, request("GET", upload)).headers["range"] == "0-0"


@pytest.mark.parametrize("second", ["0-4", "5-9", ""])
def test_two_content_ranges(server: RunningServer, upload: str, second: str) -> None:
    headers = ["Content-Range: 0-4", f"Content-Range: {second}", "Content-Length: 5"]
    reply = ask(server.port, request("PATCH", upload, headers, b"hello"))
    assert (reply.status, reply.code) == (416, "BLOB_UPLOAD_INVALID")
    assert untouched(server, upload)


def test_two_content_types(server: RunningServer) -> None:
    raw = ask(server.port, request("GET", "/v2/a/manifests/latest")).body
    reply = put_manifest(server, raw, TYPE, "Content-Type: text/html")
    assert (reply.status, reply.code) == (400, "MANIFEST_INVALID")


def test_two_ranges(server: RunningServer) -> None:
    headers = ["Range: bytes=0-0", "Range: bytes=1-1"]
    reply = ask(server.port, request("GET", f"/v2/a/blobs/{sha256(b'layer')}", headers))
    assert (reply.status, reply.body) == (200, b"layer")


@pytest.mark.parametrize("host", ["[", "[::1", "a:b:c", "x/../y", "x@y", "\xff", ""])
def test_hosts_that_are_none(server: RunningServer, host: str) -> None:
    reply = ask(server.port, request("GET", "/v2/a/tags/list?n=1", [f"Host: {host}", "Host: y"]))
    assert reply.status in (200, 400)
    assert "[" not in reply.headers.get("link", "")


@pytest.mark.parametrize(
    "stated", ["0-", "-", "a-b", "0-" + "9" * 5000, "0-4/x", "bytes=0-4", "0-4,5-9", "٠-٤"]
)
def test_content_ranges_that_are_none(server: RunningServer, upload: str, stated: str) -> None:
    value = stated.encode().decode("latin-1")
    reply = ask(server.port, sized("PATCH", upload, b"hello", f"Content-Range: {value}"))
    assert (reply.status, reply.code) == (416, "BLOB_UPLOAD_INVALID")
    assert untouched(server, upload)


@pytest.mark.parametrize(
    "content",
    [
        *(b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n", b"GET / HTTP/9.9\r\n\r\n"),
        *(b"GET /v2/ HTTP/1.1\r\nHost: x\r\na\0b: 1\r\n\r\n", b"G\0T / HTTP/1.1\r\n\r\n"),
        *(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n a: 1\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"),
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * MIB + b"\r\n\r\n",
        b"GET /" + b"b" * MIB + b" HTTP/1.1\r\n\r\n",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_no_http(server: RunningServer, content: bytes) -> None:
    assert ask(server.port, content).status in (400, 414, 431)


def test_blob_that_is_too_large(server: RunningServer, upload: str) -> None:
    stated = ask(server.port, put(upload, ["Content-Length: 1000001"], b""))
    assert (stated.status, stated.code) == (413, "SIZE_INVALID")
    assert ask(server.port, request("GET", upload)).code == "BLOB_UPLOAD_UNKNOWN"
    single = f"/v2/a/blobs/uploads/?digest={HELLO}"
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    reply = ask(server.port, request("POST", single, ["Transfer-Encoding: chunked"], chunk * 20))
    assert (reply.status, reply.code) == (413, "SIZE_INVALID")
    with httpx.Client(base_url=server.url) as http:
        push_blob(http, "a", bytes(1_000_000))


def test_too_many_uploads(server: RunningServer) -> None:
    begun = []
    while (reply := ask(server.port, sized("POST", "/v2/a/blobs/uploads/"))).status == 202:
        begun.append(reply.headers["location"])
    assert (reply.status, reply.code, len(begun)) == (429, "TOOMANYREQUESTS", 5)
    assert int(reply.headers["retry-after"]) > 0
    for location in begun:
        assert ask(server.port, sized("DELETE", location)).status == 204
    with httpx.Client(base_url=server.url) as http:
        push_blob(http, "a", b"there is room again")


def test_too_many_requests(tmp_path: Path) -> None:
    with start_server(tmp_path, env={"REGISTRY_LIMITS_REQUESTS": "2"}) as server:
        slow = request("PUT", "/v2/a/manifests/x", [TYPE, "Content-Length: 9"], b"{")
        wires: list[socket.socket] = []
        for _ in range(2):
            wires.append(connect(server.port))
            wires[-1].sendall(slow)
        while (reply := ask(server.port, request("GET", "/v2/"))).status == 200:
            continue  # they may be on their way still
        assert (reply.status, reply.code) == (429, "TOOMANYREQUESTS")
        for wire in wires:
            wire.sendall(b"12345678")
            assert answer(wire, "PUT").code == "MANIFEST_INVALID"
            wire.close()
        assert ask(server.port, request("GET", "/v2/")).status == 200
