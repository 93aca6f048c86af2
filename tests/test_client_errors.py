"""What the client says when there is no registry, or one that sends rubbish."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from wires import Asked, Reply, liar

from dockerlab.errors import (
    DigestMismatch,
    NotFound,
    PlainHTTP,
    RegistryError,
    SizeMismatch,
    Unauthorized,
    Unavailable,
)
from dockerlab.image import digest as digests
from dockerlab.image.manifest import DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST, Descriptor, Manifest
from dockerlab.image.manifest import encode as encoded
from dockerlab.registry.client import Registry

CONTENT = b"these are the bytes"
BLOB = Descriptor(OCI_CONFIG, digests.of(CONTENT), len(CONTENT))
RAW = encoded(
    {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": BLOB.to_json(), "layers": []}
)
JSON = {"Content-Type": "application/json"}
TYPED = {"Content-Type": OCI_MANIFEST}


Connect = Callable[..., Registry]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that are closed in the end."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(Registry(*args, **options))


def refusal(call: Callable[[Registry], object], reply: Reply) -> RegistryError:
    """The error that a call raises when everything is answered with `reply`."""
    with (
        liar(lambda asked: reply) as server,
        Registry(server.address) as registry,
        pytest.raises(RegistryError) as caught,
    ):
        call(registry)
    return caught.value


def get_manifest(registry: Registry) -> Manifest:
    return registry.manifest("a", "v1")


def list_tags(registry: Registry) -> list[str]:
    return list(registry.tags("a"))


def upload(registry: Registry) -> None:
    registry.upload("a", BLOB, lambda: io.BytesIO(CONTENT))


@pytest.mark.parametrize(
    ("reply", "kind", "code", "detail"),
    [
        (Reply(401), Unauthorized, "UNAUTHORIZED", "authentication required"),
        (Reply(403), Unauthorized, "DENIED", "requested access to the resource is denied"),
        (Reply(404), NotFound, "MANIFEST_UNKNOWN", "manifest unknown"),
        (Reply(405), RegistryError, "UNSUPPORTED", "The operation is unsupported."),
        (Reply(429), RegistryError, "TOOMANYREQUESTS", "too many requests"),
        (
            Reply(502, b"<html>bad</html>"),
            RegistryError,
            "UNKNOWN",
            "received unexpected HTTP status: 502 Bad Gateway",
        ),
        (Reply(599), RegistryError, "UNKNOWN", "received unexpected HTTP status: 599"),
        (
            Reply(404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "no such name"}]}'),
            NotFound,
            "NAME_UNKNOWN",
            "no such name",
        ),
        (Reply(403, b'{"errors": [{"code": "DENIED"}]}'), Unauthorized, "DENIED", "denied"),
        (Reply(500, b'{"errors": []}'), RegistryError, "UNKNOWN", None),
        (Reply(500, b'{"errors": [5]}'), RegistryError, "UNKNOWN", None),
        (Reply(500, b"[" * 100_000), RegistryError, "UNKNOWN", None),
    ],
)
def test_every_status_is_judged(
    reply: Reply, kind: type[RegistryError], code: str, detail: str | None
) -> None:
    error = refusal(get_manifest, reply)
    assert type(error) is kind
    assert (error.status, error.code) == (reply.status, code)
    assert detail in (None, error.detail)
    assert error.method == "GET"
    assert error.url.endswith("/v2/a/manifests/v1")


def test_errors_detail_is_kept() -> None:
    body = b'{"errors": [{"code": "X", "message": "m", "detail": {"name": "a"}}, {"code": "Y"}]}'
    assert refusal(get_manifest, Reply(400, body)).facts == {"name": "a"}


@pytest.mark.parametrize(
    ("path", "code"),
    [("tags", "NAME_UNKNOWN"), ("blob", "BLOB_UNKNOWN"), ("upload", "BLOB_UPLOAD_UNKNOWN")],
)
def test_not_found_says_what(path: str, code: str) -> None:
    calls = {"tags": list_tags, "blob": lambda r: r.delete_blob("a", BLOB.digest), "upload": upload}
    assert refusal(calls[path], Reply(404)).code == code


@pytest.mark.parametrize(
    ("call", "reply", "reason"),
    [
        (get_manifest, Reply(200, b"<html>Hello</html>"), "it is not JSON"),
        (get_manifest, Reply(200, b"<html>", {"Content-Type": "text/html"}), "it is not JSON"),
        (get_manifest, Reply(200, b"{}", JSON), "it has no config"),
        (get_manifest, Reply(200, RAW, {"Content-Type": DOCKER_MANIFEST}), "it says"),
        (get_manifest, Reply(200, b"x" * (4 * 1024 * 1024 + 1)), "it is longer than 4194304"),
        (get_manifest, Reply(204), "unexpected HTTP status: 204 No Content"),
        (get_manifest, Reply(304), "unexpected HTTP status: 304 Not Modified"),
        (list_tags, Reply(200, b"<html>"), "it is no JSON with a list of tags"),
        (list_tags, Reply(200, b"[]"), "it is no JSON with a list of tags"),
        (list_tags, Reply(200, b"[" * 100_000), "it is no JSON with a list of tags"),
        (list_tags, Reply(200, b'{"tags": "v1"}'), "its tags are no list of names"),
        (list_tags, Reply(200, b'{"tags": [1]}'), "its tags are no list of names"),
        (upload, Reply(202), "it names no Location"),
        (upload, Reply(200, b"ok"), "unexpected HTTP status: 200 OK"),
        (upload, Reply(202, headers={"Location": "http://[::1"}), "an address that is none"),
        (upload, Reply(202, headers={"Location": "http://a:port/"}), "an address that is none"),
    ],
)
def test_rubbish(call: Callable[[Registry], object], reply: Reply, reason: str) -> None:
    error = refusal(call, reply)
    assert reason in error.detail
    assert error.code == "INVALID_ANSWER"


def test_list_of_nothing(connect: Connect) -> None:
    with liar({"/list": Reply(200, b'{"tags": null}')}) as server:
        assert list_tags(connect(server.address)) == []


def test_tags_follow_the_link_to_the_next_page() -> None:
    pages = {
        "/tags/list": Reply(200, b'{"tags": ["a"]}', {"Link": '</v2/a/tags/list?n=1>; rel="next"'}),
        "?n=1": Reply(200, b'{"tags": ["b"]}', {"Link": "<list?n=2>;rel=next"}),
        "?n=2": Reply(200, b'{"tags": ["c"]}', {"Link": '<list?n=9>; rel="prev"'}),
    }
    with liar(pages) as server, Registry(server.address) as registry:
        assert list_tags(registry) == ["a", "b", "c"]


def test_pages_that_never_end() -> None:
    reply = Reply(200, b'{"tags": ["a"]}', {"Link": '</v2/a/tags/list?n=1>; rel="next"'})
    assert "already read" in refusal(list_tags, reply).detail


def test_redirects_that_never_end() -> None:
    reply = Reply(307, headers={"Location": "/v2/a/tags/list"})
    assert isinstance(refusal(list_tags, reply), Unavailable)


def test_manifest_by_digest_is_verified() -> None:
    with (
        liar(lambda asked: Reply(200, RAW, TYPED)) as server,
        Registry(server.address) as registry,
    ):
        assert registry.manifest("a", digests.of(RAW)).raw == RAW
        with pytest.raises(DigestMismatch) as caught:
            registry.manifest("a", digests.of(b"other"))
    assert (caught.value.expected, caught.value.actual) == (digests.of(b"other"), digests.of(RAW))


def test_digest_header_of_a_manifest_is_not_believed(connect: Connect) -> None:
    headers = TYPED | {"Docker-Content-Digest": digests.of(b"other")}
    with liar(lambda asked: Reply(200, RAW, headers)) as server:
        assert connect(server.address).manifest("a", "v1").digest == digests.of(RAW)


def test_resolve_without_a_digest_header_reads_the_manifest(connect: Connect) -> None:
    with liar(lambda asked: Reply(200, RAW, TYPED)) as server:
        found = connect(server.address).resolve("a", "v1")
    assert found == Manifest.parse(RAW).descriptor
    assert [asked.method for asked in server.asked[1:]] == ["HEAD", "GET"]


def test_registry_that_stores_something_else(connect: Connect) -> None:
    headers = {"Docker-Content-Digest": digests.of(b"other")}
    with (
        liar(lambda asked: Reply(201, headers=headers)) as server,
        pytest.raises(DigestMismatch),
    ):
        connect(server.address).put_manifest("a", "v1", Manifest.parse(RAW))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, CONTENT.upper()), DigestMismatch),
        (Reply(200, CONTENT[:-1]), SizeMismatch),
        (Reply(200, CONTENT + b"!"), SizeMismatch),
        (Reply(206, CONTENT, {"Content-Range": "bytes 5-10/20"}), RegistryError),
        (Reply(404), NotFound),
        (Reply(204), RegistryError),
    ],
)
def test_wrong_blob(reply: Reply, error: type[Exception]) -> None:
    with (
        liar({BLOB.digest: reply}) as server,
        Registry(server.address) as registry,
        pytest.raises(error),
    ):
        registry.read("a", BLOB)


def test_upload_of_a_file_that_is_not_what_was_promised() -> None:
    replies = {
        "/blobs/uploads/": Reply(202, headers={"Location": "/one"}),
        "/one": Reply(202, headers={"Location": "/two"}),
        f"/two?digest={BLOB.digest.replace(':', '%3A')}": Reply(
            400, b'{"errors": [{"code": "DIGEST_INVALID"}]}'
        ),
    }
    with liar(replies) as server, Registry(server.address) as registry:
        with pytest.raises(DigestMismatch):
            registry.upload("a", BLOB, lambda: io.BytesIO(CONTENT.upper()))
        with pytest.raises(RegistryError) as caught:  # the registry is wrong, not the file
            upload(registry)
        assert caught.value.code == "DIGEST_INVALID"
        with pytest.raises(SizeMismatch):
            registry.upload("a", BLOB, lambda: io.BytesIO(CONTENT[:5]))
    # A body that broke off may be noticed after the request that came behind it.
    assert "DELETE" in [asked.method for asked in server.asked][-2:]


@contextmanager
def speaking(*answers: bytes) -> Iterator[str]:
    """A server that says these bytes to whoever connects, whatever they want."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        try:
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    for answer in answers:
                        connection.sendall(answer)
        except OSError:
            return

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


@pytest.mark.parametrize(
    ("answers", "detail"),
    [
        ((), "EOF"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n\r\n",), "illegal status line"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",), None),
    ],
)
def test_no_web_server(answers: tuple[bytes, ...], detail: str | None, connect: Connect) -> None:
    with speaking(*answers) as address, pytest.raises(Unavailable) as caught:
        connect(address).ping()
    assert detail is None or detail in caught.value.detail
    if detail is None:
        assert caught.value.detail == "unexpected EOF"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_listens(host: str, connect: Connect) -> None:
    port = free_port()
    with pytest.raises(Unavailable) as caught:
        connect(f"{host}:{port}").manifest("a", "v1")
    assert caught.value.detail == f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert (caught.value.method, caught.value.url) == ("GET", f"http://{host}:{port}/v2/")


def test_no_such_host(connect: Connect) -> None:
    with pytest.raises(Unavailable) as caught:
        connect("nosuch.invalid").ping()
    assert caught.value.detail.startswith("dial tcp: lookup nosuch.invalid: ")
    assert caught.value.url == "https://nosuch.invalid/v2/"


def test_port_that_is_none(connect: Connect) -> None:
    with pytest.raises(Unavailable) as caught:
        connect("localhost:99999").ping()
    assert caught.value.detail == "dial tcp: address 99999: invalid port"


@pytest.fixture
def outside() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no network address")
        return str(probe.getsockname()[0])


def test_plain_http_is_for_this_machine_only(outside: str, connect: Connect) -> None:
    with liar({"/_catalog?n=100": Reply(200, b'{"repositories": ["a"]}')}, host="") as server:
        host = f"{outside}:{server.port}"
        with pytest.raises(PlainHTTP) as caught:
            connect(host).ping()
        assert caught.value.detail == "http: server gave HTTP response to HTTPS client"
        assert caught.value.url == f"https://{host}/v2/"
        for insecure in (host, outside):
            assert list(connect(host, insecure=[insecure]).catalog()) == ["a"]


def test_methods_are_as_asked() -> None:
    def script(asked: Asked) -> Reply:
        return Reply(202 if asked.method == "DELETE" else 404)

    with liar(script) as server, Registry(server.address) as registry:
        registry.delete("a", "v1")
        registry.delete_blob("a", BLOB.digest)
        assert not registry.has_blob("a", BLOB.digest)
    assert [(asked.method, asked.path) for asked in server.asked[1:]] == [
        ("DELETE", "/v2/a/manifests/v1"),
        ("DELETE", f"/v2/a/blobs/{BLOB.digest}"),
        ("HEAD", f"/v2/a/blobs/{BLOB.digest}"),
    ]
