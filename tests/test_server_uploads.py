"""Every way to push a blob, over raw HTTP against a real registry process."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import RunningServer, push_blob, push_image, sha256, start_server

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with start_server(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


def begin(http: httpx.Client, name: str = "uploads") -> str:
    """Start an upload; gives its location."""
    answer = http.post(f"/v2/{name}/blobs/uploads/")
    assert (answer.status_code, answer.headers["Range"]) == (202, "0-0")
    location: str = answer.headers["Location"]
    assert location.endswith(answer.headers["Docker-Upload-UUID"])
    return location


def patch(http: httpx.Client, location: str, start: int, content: bytes) -> httpx.Response:
    """Append one chunk that begins at `start`."""
    stated = {"Content-Range": f"{start}-{start + len(content) - 1}"}
    return http.patch(location, content=content, headers=stated)


def is_there(http: httpx.Client, content: bytes, name: str = "uploads") -> bool:
    """Whether the repository gives this content back under its digest."""
    return http.get(f"/v2/{name}/blobs/{sha256(content)}").content == content


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and the spec's error code."""
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 3 * MIB + 7])
def test_monolithic(http: httpx.Client, size: int) -> None:
    content = os.urandom(size)
    answer = http.put(begin(http), params={"digest": sha256(content)}, content=content)
    assert answer.status_code == 201
    assert answer.headers["Docker-Content-Digest"] == sha256(content)
    assert http.get(answer.headers["Location"]).content == content


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
@pytest.mark.parametrize("chunked", [False, True])
def test_other_algorithms(http: httpx.Client, algorithm: str, chunked: bool) -> None:
    content = algorithm.encode() * 1000
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    location = begin(http)
    if chunked:
        patch(http, location, 0, content)
    answer = http.put(location, params={"digest": digest}, content=b"" if chunked else content)
    assert answer.status_code == 201
    assert http.get(f"/v2/uploads/blobs/{digest}").content == content


def test_chunked(http: httpx.Client) -> None:
    content = os.urandom(5 * MIB)
    location = begin(http)
    for start in range(0, 4 * MIB, 2 * MIB):
        answer = patch(http, location, start, content[start : start + 2 * MIB])
        assert (answer.status_code, answer.headers["Range"]) == (202, f"0-{start + 2 * MIB - 1}")
        location = answer.headers["Location"]
    stated = {"Content-Range": f"{4 * MIB}-{5 * MIB - 1}"}
    digest = {"digest": sha256(content)}
    answer = http.put(location, params=digest, content=content[4 * MIB :], headers=stated)
    assert answer.status_code == 201
    assert is_there(http, content)


def test_streamed(http: httpx.Client) -> None:
    pieces = [os.urandom(100_000) for _ in range(25)]
    location = begin(http)
    assert http.patch(location, content=iter(pieces)).status_code == 202
    content = b"".join(pieces)
    assert http.put(location, params={"digest": sha256(content)}).status_code == 201
    assert is_there(http, content)


def test_single_post(http: httpx.Client) -> None:
    content = os.urandom(2 * MIB)
    where = "/v2/uploads/blobs/uploads/"
    answer = http.post(where, params={"digest": sha256(content)}, content=content)
    assert answer.status_code == 201
    assert http.get(answer.headers["Location"]).content == content
    answer = http.post(where, params={"digest": sha256(b"this")}, content=b"that")
    assert code(answer) == (400, "DIGEST_INVALID")
    assert not is_there(http, b"this")


@pytest.mark.parametrize("stated", ["5-6", "0-1", "4-3", "x", "bytes 9-10", "-1-2"])
def test_chunk_out_of_order(http: httpx.Client, stated: str) -> None:
    location = begin(http)
    patch(http, location, 0, b"1234")
    answer = http.patch(location, content=b"56", headers={"Content-Range": stated})
    assert code(answer) == (416, "BLOB_UPLOAD_INVALID")
    assert (answer.headers["Location"], answer.headers["Range"]) == (location, "0-3")
    assert patch(http, location, 4, b"56").status_code == 202
    assert http.put(location, params={"digest": sha256(b"123456")}).status_code == 201


def test_last_chunk_out_of_order(http: httpx.Client) -> None:
    location = begin(http)
    patch(http, location, 0, b"1234")
    answer = http.put(
        location,
        params={"digest": sha256(b"123456")},
        content=b"56",
        headers={"Content-Range": "5-6"},
    )
    assert code(answer) == (416, "BLOB_UPLOAD_INVALID")


def test_chunk_of_another_length(http: httpx.Client) -> None:
    answer = http.patch(begin(http), content=b"123", headers={"Content-Range": "0-9"})
    assert code(answer) == (400, "SIZE_INVALID")


def test_wrong_digest_ends_the_upload(http: httpx.Client) -> None:
    location = begin(http)
    answer = http.put(location, params={"digest": sha256(b"this")}, content=b"that")
    assert code(answer) == (400, "DIGEST_INVALID")
    assert code(http.get(location)) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert not is_there(http, b"this")
    assert not is_there(http, b"that")


@pytest.mark.parametrize("digest", [None, "", "sha256:12"])
def test_digest_missing_or_broken(http: httpx.Client, digest: str | None) -> None:
    location = begin(http)
    answer = http.put(location, params={"digest": digest} if digest is not None else {})
    assert code(answer) == (400, "DIGEST_INVALID")
    assert http.get(location).status_code == 204


def test_status_and_cancel(http: httpx.Client) -> None:
    location = begin(http)
    assert http.get(location).headers["Range"] == "0-0"
    patch(http, location, 0, b"12345")
    answer = http.get(location)
    assert (answer.status_code, answer.headers["Range"]) == (204, "0-4")
    assert answer.headers["Location"] == location
    assert http.delete(location).status_code == 204
    for again in (http.get(location), http.delete(location), http.patch(location, content=b"6")):
        assert code(again) == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("identifier", ["x", "..", "%2e%2e", "0" * 36, "a" * 3000])
def test_no_such_upload(http: httpx.Client, identifier: str) -> None:
    answer = http.patch(f"/v2/uploads/blobs/uploads/./{identifier}", content=b"x")
    assert answer.status_code in (404, 405)


def test_upload_belongs_to_its_repository(http: httpx.Client) -> None:
    location = begin(http, "mine").replace("/mine/", "/yours/")
    assert code(http.patch(location, content=b"x")) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_mount(http: httpx.Client) -> None:
    digest = push_blob(http, "mount/source", b"shared")
    where = "/v2/mount/target/blobs/uploads/"
    answer = http.post(where, params={"mount": digest, "from": "mount/source"})
    assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert http.get(answer.headers["Location"]).content == b"shared"


def test_mount_from_wherever_it_is(http: httpx.Client) -> None:
    digest = push_blob(http, "mount/source", b"shared")
    answer = http.post("/v2/mount/anonymous/blobs/uploads/", params={"mount": digest})
    assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert http.get(answer.headers["Location"]).content == b"shared"


@pytest.mark.parametrize("source", ["mount/empty", "Not-A-Name", "../../x", ""])
def test_mount_of_what_is_not_there_starts_an_upload(http: httpx.Client, source: str) -> None:
    digest = push_blob(http, "mount/source", b"shared")
    asked = {"mount": digest, "from": source}
    answer = http.post("/v2/mount/other/blobs/uploads/", params=asked)
    assert answer.status_code == 202
    ended = http.put(answer.headers["Location"], params={"digest": digest}, content=b"shared")
    assert ended.status_code == 201


def test_resume_after_a_broken_connection(http: httpx.Client, server: RunningServer) -> None:
    content = os.urandom(4 * MIB)
    location = begin(http)
    head = f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(head.encode() + content[: 5 * MIB // 2])
    arrived = 0
    while arrived < 5 * MIB // 2:  # the registry reads what is on its way at its own pace
        arrived = int(http.get(location).headers["Range"].split("-")[1]) + 1
    assert patch(http, location, arrived, content[arrived:]).status_code == 202
    assert http.put(location, params={"digest": sha256(content)}).status_code == 201
    assert is_there(http, content)


def test_two_push_the_same_blob_at_once(http: httpx.Client) -> None:
    content = os.urandom(2 * MIB)
    first, second = begin(http), begin(http)
    answers = []

    def push(location: str) -> None:
        params = {"digest": sha256(content)}
        answers.append(httpx.put(http.base_url.join(location), params=params, content=content))

    threads = [threading.Thread(target=push, args=[location]) for location in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert is_there(http, content)


def test_two_append_to_one_upload(http: httpx.Client) -> None:
    location = begin(http)
    answers = {}

    def append(content: bytes) -> None:
        stated = {"Content-Range": f"0-{MIB - 1}"}
        url = http.base_url.join(location)
        answers[httpx.patch(url, content=content, headers=stated).status_code] = content

    threads = [threading.Thread(target=append, args=[letter * MIB]) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {202, 416}
    assert http.put(location, params={"digest": sha256(answers[202])}).status_code == 201
    assert is_there(http, answers[202])


def test_blob_that_was_cut_short_on_disk_heals(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        digest = push_blob(http, "a", b"whole")
        (data,) = tmp_path.glob("docker/registry/v2/blobs/sha256/*/*/data")
        data.write_bytes(b"who")
        push_blob(http, "a", b"whole")
        assert http.get(f"/v2/a/blobs/{digest}").content == b"whole"


def test_manifest_that_was_cut_short_on_disk_heals(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest")
        (data,) = tmp_path.glob(f"docker/registry/v2/blobs/sha256/*/{digest[7:]}/data")
        data.write_bytes(b'{"sch')
        assert http.get("/v2/a/manifests/latest").content == b'{"sch'
        push_image(http, "a", "latest")
        assert sha256(http.get("/v2/a/manifests/latest").content) == digest


def test_memory_stays_flat(tmp_path: Path) -> None:
    status = "/proc/{}/status"
    if not Path(status.format("self")).exists():
        pytest.skip("no /proc to read the memory from")
    whole, piece = hashlib.sha256(), os.urandom(MIB)
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:

        def pieces() -> Iterator[bytes]:
            for _ in range(200):
                whole.update(piece)
                yield piece

        location = begin(http)
        assert http.patch(location, content=pieces()).status_code == 202
        digest = "sha256:" + whole.hexdigest()
        assert http.put(location, params={"digest": digest}).status_code == 201
        with http.stream("GET", f"/v2/uploads/blobs/{digest}") as answer:
            assert sum(map(len, answer.iter_bytes())) == 200 * MIB
        text = Path(status.format(server.process.pid)).read_text(encoding="ascii")
        peak = int(text.split("VmHWM:")[1].split()[0])
    assert peak < 100 * 1024  # KiB


@pytest.mark.parametrize("stated", [{"Content-Type": "x/y"}, {"Transfer-Encoding": "chunked"}])
def test_who_is_still_sending_hears_why_it_is_refused(
    http: httpx.Client, stated: dict[str, str]
) -> None:
    content = bytes(20 * MIB)
    for method, path, code in (
        ("POST", "/v2/a/blobs/uploads/?digest=sha256:12", "DIGEST_INVALID"),
        ("PATCH", "/v2/a/blobs/uploads/nothing", "BLOB_UPLOAD_UNKNOWN"),
        ("PUT", "/v2/a/manifests/latest", "SIZE_INVALID"),
    ):
        pieces = (content[at : at + MIB] for at in range(0, len(content), MIB))
        body = pieces if "Transfer-Encoding" in stated else content
        answer = http.request(method, path, content=body, headers=stated)
        assert answer.json()["errors"][0]["code"] == code
