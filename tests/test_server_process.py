"""The registry as a process: starting, stopping, its log, and the ways in which it cannot start."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
from servers import (
    RunningServer,
    push_blob,
    push_image,
    put_manifest,
    sha256,
    start_server,
)

from tests.raw import answer, connect, request

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
COMMAND = [sys.executable, "-m", "dockerlab.registry.serve"]


def run(
    *arguments: str, env: dict[str, str] | None = None, plain: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Start a registry that is expected to end by itself; `plain` is a command that runs it."""
    return subprocess.run(
        [*plain, *COMMAND, *arguments],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=30,
    )


def wait_for(condition: Callable[[], object]) -> None:
    """Poll until it holds; half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def failed(ended: subprocess.CompletedProcess[str], message: str) -> bool:
    """Whether it ended with status 1 and this one line."""
    (line,) = ended.stderr.splitlines()
    return ended.returncode == 1 and line.endswith(f'level=fatal msg="{message}"')


@posix
def test_ends_with_the_real_registrys_status(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        assert server.stop() == 2, server.log
    with start_server(tmp_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
    assert "Traceback" not in server.log, server.log


@posix
def test_transfers_may_end_before_the_registry_does_and_none_begins(tmp_path: Path) -> None:
    content, large = b"x" * 3_000_000, os.urandom(20_000_000)
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        known = push_blob(http, "a", large)
        location = http.post("/v2/a/blobs/uploads/").headers["Location"]
        (data,) = tmp_path.glob("docker/registry/v2/repositories/a/_uploads/*/data")
        digest = sha256(content)
        put = f"PUT {location}?digest={digest} HTTP/1.1\r\nHost: x\r\n"
        get = f"GET /v2/a/blobs/{known} HTTP/1.1\r\nHost: x\r\n\r\n"
        with connect(server.port) as pushing, connect(server.port) as pulling:
            pushing.sendall(f"{put}Content-Length: {len(content)}\r\n\r\n".encode())
            pushing.sendall(content[:2_000_000])
            wait_for(lambda: data.stat().st_size)
            pulling.sendall(get.encode())
            with HTTPResponse(pulling) as response:
                response.begin()
                server.process.terminate()
                wait_for(lambda: refuses(server.port))
                pushing.sendall(content[2_000_000:])
                assert answer(pushing, "PUT").status == 201
                assert response.read() == large
        assert server.process.wait(30) == 2
    assert "Traceback" not in server.log, server.log
    with start_server(tmp_path) as server:
        assert httpx.get(f"{server.url}/v2/a/blobs/{digest}").content == content


def refuses(port: int) -> bool:
    """Whether nobody can connect any more."""
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    return False


@posix
def test_a_transfer_longer_than_draintimeout_is_cut(tmp_path: Path) -> None:
    env = {"REGISTRY_HTTP_DRAINTIMEOUT": "100ms"}
    with (
        start_server(tmp_path / "patient") as patient,
        start_server(tmp_path / "hasty", env=env) as hasty,
        stalled(patient) as kept,
        stalled(hasty) as cut,
    ):
        for server in (patient, hasty):
            server.process.terminate()
        assert answer(cut, "PATCH").status in (0, 500)  # the server may still say so
        assert hasty.process.wait(30) == 2
        assert patient.process.poll() is None
        kept.sendall(b"nine more")
        assert answer(kept, "PATCH").status == 202
        assert patient.process.wait(30) == 2


@contextmanager
def stalled(server: RunningServer) -> Iterator[socket.socket]:
    """An upload of nine bytes that has begun, and does not go on."""
    location = httpx.post(f"{server.url}/v2/a/blobs/uploads/").headers["Location"]
    with connect(server.port) as wire:
        wire.sendall(request("PATCH", location, ["Content-Length: 9", "Expect: 100-continue"]))
        assert wire.recv(100).startswith(b"HTTP/1.1 100")  # it waits for them
        yield wire


@posix
def test_transfers_that_stall_do_not_keep_it(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, stalled(server), connect(server.port) as pulling:
        with httpx.Client(base_url=server.url) as http:
            digest = push_blob(http, "a", bytes(30_000_000))
        pulling.sendall(request("GET", f"/v2/a/blobs/{digest}"))
        assert pulling.recv(100).startswith(b"HTTP/1.1 200")
        assert server.stop() == 2
    assert "Traceback" not in server.log, server.log


def test_log(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        headers = {"User-Agent": 'say "hi"', "Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
        http.get("/v2/a%20b/tags/list?n=1", headers=headers)
        http.head("/v2/")
        wait_for(lambda: len(server.lines) == 5)
    time_, _, first, _, second = server.lines[:5]
    stated = rf'time="[-\d]+T[:\d]+Z" level=info msg="listening on {server.address}"\n'
    assert re.fullmatch(stated, time_)
    when = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\]"
    request = re.escape('"GET /v2/a%20b/tags/list?n=1 HTTP/1.1" 400 103 "" "say \\"hi\\""')
    assert re.fullmatch(rf"127\.0\.0\.1 - - {when} {request}\n", first)
    assert '"HEAD /v2/ HTTP/1.1" 200 0' in second
    assert "c2VjcmV0" not in server.log


def test_settings_of_the_real_registry(tmp_path: Path) -> None:
    settings = {
        "REGISTRY_HTTP_ADDR": "127.0.0.1:0",
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(tmp_path / "data"),
        "REGISTRY_STORAGE_DELETE_ENABLED": "true",
    }
    process = subprocess.Popen(
        COMMAND, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    with process, process.stderr as log:
        found = re.search(r"listening on (\S+:\d+)", log.readline())
        assert found
        with httpx.Client(base_url=f"http://{found[1]}") as http:
            digest = push_blob(http, "a", b"content")
            assert http.delete(f"/v2/a/blobs/{digest}").status_code == 202
        process.kill()
    assert (tmp_path / "data" / "docker").is_dir()


@posix
def test_serve_as_a_function(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from dockerlab.registry.serve import configured, serve\n"
        "settings = configured(None, pathlib.Path(sys.argv[1]), port=0)\n"
        "serve(settings, ready=lambda port: print(port, flush=True))\n"
        "print('returned')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with httpx.Client(base_url=f"http://127.0.0.1:{process.stdout.readline().strip()}") as http:
            digest = push_blob(http, "a", b"content")
            assert http.delete(f"/v2/a/blobs/{digest}").status_code == 405
        process.terminate()
        assert process.stdout.read() == "returned\n"


def test_port_in_use(tmp_path: Path) -> None:
    with start_server(tmp_path / "one") as server:
        port = str(server.port)
        ended = run("--root", str(tmp_path / "two"), "--port", port)
        assert failed(ended, f"listen tcp 127.0.0.1:{port}: bind: address already in use")
        assert httpx.get(f"{server.url}/v2/").status_code == 200


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            ["--host", "no.such.host.invalid"],
            "listen tcp: lookup no.such.host.invalid: no such host",
        ),
        (
            ["--host", "192.0.2.1"],
            "listen tcp 192.0.2.1:5000: bind: cannot assign requested address",
        ),
        (["--port", "70000"], "listen tcp: address 70000: invalid port"),
        (["--host", "a..b"], "listen tcp: lookup a..b: no such host"),
    ],
)
def test_bad_address(tmp_path: Path, address: list[str], message: str) -> None:
    assert failed(run("--root", str(tmp_path), *address), message)


def test_bad_settings(tmp_path: Path) -> None:
    ended = run("--root", str(tmp_path), env={"REGISTRY_HTTP_ADDR": "127.0.0.1:many"})
    assert failed(
        ended,
        "configuration error: REGISTRY_HTTP_ADDR: "
        '\\"127.0.0.1:many\\" has no port from 0 to 65535 after its last colon',
    )


def test_root_is_a_file(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("precious", encoding="ascii")
    ended = run("--root", str(root), "--port", "0")
    assert failed(ended, f"filesystem: {root}/docker: not a directory")
    assert root.read_text(encoding="ascii") == "precious"


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """`mounted(options)` is a small RAM disk of its own; only root can have one."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("only root can mount a disk")
        return folder

    yield mount
    while os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


def test_read_only_root(mounted: Callable[[str], Path]) -> None:
    root = mounted("ro")
    ended = run("--root", str(root), "--port", "0")
    assert failed(ended, f"filesystem: {root}/docker: read-only file system")


@posix
def test_root_without_permission(tmp_path: Path) -> None:
    plain = []
    if os.geteuid() == 0:  # root may write anywhere, unless it gives that right up
        if not shutil.which("setpriv"):
            pytest.skip("root may write, and setpriv is not installed")
        plain = ["setpriv", "--bounding-set=-all"]
    tmp_path.chmod(0o555)
    ended = run("--root", str(tmp_path), "--port", "0", plain=plain)
    tmp_path.chmod(0o755)
    assert failed(ended, f"filesystem: {tmp_path}/docker: permission denied")


def test_disk_that_becomes_read_only(mounted: Callable[[str], Path]) -> None:
    root = mounted("size=6m")
    with start_server(root) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest", b"layer")
        # Laid over the disk, which cannot change itself while the server has its lock open.
        subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(root)], check=True)
        for method, path in (
            ("POST", "/v2/a/blobs/uploads/"),
            ("DELETE", "/v2/a/manifests/latest"),
            ("DELETE", f"/v2/a/manifests/{digest}"),
            ("DELETE", f"/v2/a/blobs/{sha256(b'layer')}"),
        ):
            answer = http.request(method, path)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")
        assert http.head(f"/v2/a/blobs/{sha256(b'layer')}").status_code == 200
        assert sha256(http.get("/v2/a/manifests/latest").content) == digest


def test_told_to_be_read_only(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest", b"layer")
    readonly = {"REGISTRY_STORAGE_MAINTENANCE_READONLY": "{enabled: true}"}
    with start_server(tmp_path, env=readonly) as server, httpx.Client(base_url=server.url) as http:
        assert http.post("/v2/a/blobs/uploads/").status_code == 405
        assert put_manifest(http, "a", "b", b"{}").status_code == 405
        assert http.delete(f"/v2/a/manifests/{digest}").status_code == 405
        assert sha256(http.get("/v2/a/manifests/latest").content) == digest


def test_full_disk(mounted: Callable[[str], Path]) -> None:
    root = mounted("size=6m")
    big, small = os.urandom(8_000_000), os.urandom(1_000_000)
    with start_server(root) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest", small)
        location = http.post("/v2/a/blobs/uploads/").headers["Location"]
        answer = http.put(location, params={"digest": sha256(big)}, content=big)
        assert answer.status_code == 507
        assert answer.json()["errors"][0]["message"] == "no space left on device"
        assert not list(root.glob("docker/registry/v2/repositories/a/_uploads/*"))
        assert http.head(f"/v2/a/blobs/{sha256(big)}").status_code == 404
        assert push_image(http, "a", "again", small) == digest  # there is room for it again
        assert http.get("/v2/a/tags/list").json()["tags"] == ["again", "latest"]


def test_disk_without_any_room(mounted: Callable[[str], Path]) -> None:
    root = mounted("size=2m")
    with start_server(root) as server, httpx.Client(base_url=server.url) as http:
        digest = push_image(http, "a", "latest", b"layer")
        raw = http.get("/v2/a/manifests/latest").content
        other = raw + b" " * 5000
        filler = root / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(bytes(3_000_000))
        for tag in ("latest", "new"):
            assert put_manifest(http, "a", tag, other).status_code == 507
        assert http.post("/v2/a/blobs/uploads/").status_code in (202, 507)
        assert http.get("/v2/a/tags/list").json()["tags"] == ["latest"]
        assert sha256(http.get("/v2/a/manifests/latest").content) == digest
        filler.unlink()
        assert put_manifest(http, "a", "new", other).status_code == 201
        assert not list(root.glob("docker/registry/v2/.partial/*"))


def test_file_size_limit(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of POSIX")
    if not hasattr(resource, "prlimit"):
        pytest.skip("another process's limits can be set on Linux only")
    big = os.urandom(3_000_000)
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        answer = http.post("/v2/a/blobs/uploads/", params={"digest": sha256(big)}, content=big)
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
            507,
            "file too large",
        )
        assert not list(tmp_path.glob("docker/registry/v2/repositories/a/_uploads/*"))
        push_image(http, "a", "latest", b"small")


def test_the_directorys_second_server_leaves_the_first_ones_uploads(tmp_path: Path) -> None:
    with start_server(tmp_path) as first, httpx.Client(base_url=first.url) as http:
        location = http.post("/v2/a/blobs/uploads/").headers["Location"]
        http.patch(location, content=b"half")
        with start_server(tmp_path) as second:
            assert "is served by another process too" in second.log
            answer = httpx.patch(f"{second.url}{location}", content=b"-way")
            assert answer.headers["Range"] == "0-7"
        answer = http.put(location, params={"digest": sha256(b"half-way")})
        assert answer.status_code == 201


def test_serves_a_name_and_ipv6(tmp_path: Path) -> None:
    with start_server(tmp_path, arguments=["--host", "localhost"]) as server:
        assert httpx.get(f"http://localhost:{server.port}/v2/").status_code == 200
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with start_server(tmp_path, arguments=["--host", "::1"]) as server:
        assert server.address.startswith("[::1]:")
        assert httpx.get(f"{server.url}/v2/").status_code == 200
