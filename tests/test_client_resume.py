"""Connections that break: what has arrived is not sent again, and nothing gets lost."""

import io
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from servers import RunningServer, start_real_registry, start_server
from wires import Asked, Reply, liar, proxy

from dockerlab.errors import NotFound, RegistryError, SizeMismatch, Unavailable
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_LAYER, Descriptor
from dockerlab.registry.client import Exchange, Registry
from dockerlab.registry.patience import WAITS

MIB = 1024 * 1024
CONTENT = random.Random(1).randbytes(12 * MIB)
BLOB = Descriptor(OCI_LAYER, digests.of(CONTENT), len(CONTENT))
# What may be sent twice: what was on its way at a cut.
SLACK = 8 * MIB
Start = Callable[[Path], AbstractContextManager[RunningServer]]


@pytest.fixture(params=["dockerlab", "docker-registry"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, need: Callable[[str], str]
) -> Iterator[RunningServer]:
    """A running registry."""
    if request.param == "dockerlab":
        running = start_server(tmp_path)
    else:
        running = start_real_registry(need("docker-registry"), tmp_path)
    with running as started:
        yield started


def upload(registry: Registry, blob: Descriptor = BLOB, content: bytes = CONTENT) -> None:
    registry.upload("a", blob, lambda: io.BytesIO(content))


def test_upload_goes_on_where_it_was_cut(server: RunningServer) -> None:
    seen: list[Exchange] = []
    with (
        proxy(server.port, "up", 3 * MIB, cuts=3) as between,
        Registry(between.address, observe=seen.append) as registry,
    ):
        upload(registry)
    assert between.cuts == 3
    methods = [one.method for one in seen]
    assert methods.count("PATCH") == 4
    if "docker-registry" in server.process.args[0]:
        # The real one answers 404 for an upload whose last request broke off: it begins anew.
        assert "upload resumed at wrong offest" in server.log
        assert methods.count("POST") == 4
    else:
        assert methods.count("POST") == 1
        assert between.passed["up"] < BLOB.size + SLACK
    with Registry(server.address) as registry:
        assert registry.has_blob("a", BLOB.digest)
        assert b"".join(registry.blob("a", BLOB)) == CONTENT


def test_download_goes_on_where_it_was_cut(server: RunningServer) -> None:
    with Registry(server.address) as registry:
        upload(registry)
    seen: list[Exchange] = []
    with (
        proxy(server.port, "down", 3 * MIB, cuts=3) as between,
        Registry(between.address, observe=seen.append) as registry,
    ):
        assert b"".join(registry.blob("a", BLOB)) == CONTENT
    assert between.cuts == 3
    assert [one.status for one in seen] == [200, 200, 206, 206, 206]
    assert between.passed["down"] < BLOB.size + SLACK


def test_giving_up(server: RunningServer) -> None:
    seen: list[Exchange] = []
    with (
        proxy(server.port, "up", 100, cuts=10**6) as between,
        pytest.raises(Unavailable) as caught,
        Registry(between.address, observe=seen.append) as registry,
    ):
        upload(registry)
    assert caught.value.detail
    assert len(seen) <= 2 * len(WAITS) + 3


def test_download_from_a_registry_without_ranges(server: RunningServer) -> None:
    replies = iter([Reply(200, CONTENT[:MIB], length=len(CONTENT), hang_up=True)])
    with (
        liar(lambda asked: next(replies, Reply(200, CONTENT))) as without,
        Registry(without.address) as registry,
    ):
        assert b"".join(registry.blob("a", BLOB)) == CONTENT
    assert [asked.headers.get("range") for asked in without.asked[1:]] == [None, f"bytes={MIB}-"]


@pytest.mark.parametrize(
    ("second", "error"),
    [
        (Reply(206, CONTENT[5:], {"Content-Range": f"bytes 5-{BLOB.size - 1}/*"}), RegistryError),
        (Reply(206, CONTENT[MIB:-1], {"Content-Range": f"bytes {MIB}-/*"}), SizeMismatch),
        (Reply(404), NotFound),
        (Reply(416), RegistryError),
    ],
)
def test_download_that_goes_on_wrongly(second: Reply, error: type[Exception]) -> None:
    replies = iter([Reply(200, CONTENT[:MIB], length=len(CONTENT), hang_up=True)])
    with (
        liar(lambda asked: next(replies, second)) as wrong,
        Registry(wrong.address) as registry,
        pytest.raises(error),
    ):
        list(registry.blob("a", BLOB))


class Forgetful:
    """A registry that breaks off an upload once and then says `status` of it."""

    def __init__(self, status: Reply, exists: bool = False) -> None:
        self.status, self.exists = status, exists
        self.broken = False
        self.stored: list[bytes] = []

    def __call__(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            self.stored.append(b"")
            return Reply(202, headers={"Location": f"/v2/a/blobs/uploads/{len(self.stored)}"})
        if asked.method == "GET":
            return self.status
        if asked.method == "HEAD":
            return Reply(200 if self.exists else 404)
        if asked.method == "PUT":
            return Reply(201)
        if not self.broken:
            self.broken = True
            return Reply(hang_up=True)
        self.stored[-1] += asked.body
        return Reply(202, headers={"Location": asked.path})


@pytest.mark.parametrize(
    "status",
    [
        Reply(404),
        Reply(204),
        Reply(204, headers={"Range": "0-0"}),
        Reply(204, headers={"Range": "0-99999999"}),
        Reply(204, headers={"Range": "5-9"}),
        Reply(204, headers={"Range": "rubbish"}),
    ],
)
def test_upload_begins_anew_when_the_registry_lost_it(status: Reply) -> None:
    forgetful = Forgetful(status)
    with liar(forgetful) as server, Registry(server.address) as registry:
        upload(registry)
    assert forgetful.stored == [b"", CONTENT]


def test_upload_goes_on_at_a_new_location() -> None:
    moved = Reply(204, headers={"Range": "0-9", "Location": "/elsewhere"})
    forgetful = Forgetful(moved)
    with liar(forgetful) as server, Registry(server.address) as registry:
        upload(registry)
    assert forgetful.stored == [CONTENT[10:]]
    assert server.asked[-2].path == "/elsewhere"
    assert server.asked[-2].headers["content-range"] == f"10-{BLOB.size - 1}"


def test_upload_that_arrived_though_nobody_said_so() -> None:
    forgetful = Forgetful(Reply(404), exists=True)
    with liar(forgetful) as server, Registry(server.address) as registry:
        upload(registry)
    assert forgetful.stored == [b""]


def test_upload_whose_bytes_do_not_fit() -> None:
    """416 means that registry and client count differently: only a new upload helps."""
    answers = iter([Reply(416)])

    def script(asked: Asked) -> Reply:
        if asked.method == "PATCH":
            return next(answers, Reply(202, headers={"Location": "/end"}))
        return Reply(202 if asked.method == "POST" else 201, headers={"Location": "/begin"})

    with liar(script) as server, Registry(server.address) as registry:
        upload(registry)
    assert [one.method for one in server.asked[1:]] == ["POST", "PATCH", "POST", "PATCH", "PUT"]


def test_upload_that_is_always_forgotten_fails() -> None:
    def script(asked: Asked) -> Reply:
        return Reply(202 if asked.method == "POST" else 404, headers={"Location": "/begin"})

    with (
        liar(script) as server,
        Registry(server.address) as registry,
        pytest.raises(NotFound),
    ):
        upload(registry)
    assert [one.method for one in server.asked].count("POST") == len(WAITS) + 1


def test_refused_upload_is_not_tried_again() -> None:
    def script(asked: Asked) -> Reply:
        return Reply(202 if asked.method == "POST" else 413, headers={"Location": "/begin"})

    with (
        liar(script) as server,
        Registry(server.address) as registry,
        pytest.raises(RegistryError) as caught,
    ):
        upload(registry)
    assert caught.value.status == 413
    assert [one.method for one in server.asked[1:]] == ["POST", "PATCH"]
