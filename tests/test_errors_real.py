"""The errors that people meet with registries, provoked on a real Docker Engine.

What the course says of each must be about what docker really prints. Not provoked here:
- the containerd image store's words, which only engines from 29 on have; tests/test_explain.py
  keeps those that were reported;
- `blob upload invalid`: registry 2.8 says `unknown` where replicas have different secrets too;
- Docker Desktop's ("Ports are not available", a credential helper of Windows in WSL): no Linux
  has them; a helper that is missing or broken says the same (test_credential_helpers).
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dockerlab.course.explain import explain, known_errors
from dockerlab.image import layer
from dockerlab.registry.client import Registry
from tests.containing import until
from tests.dockerhub import LIMITED, PRIVATE, USER
from tests.engines import FIRST, SECOND, Daemon
from tests.engines import daemon as start_daemon
from tests.faults import certificate, proxy
from tests.online import NAME, online, program
from tests.servers import start_real_registry, start_server

LISTEN = """\
import signal, socket
with socket.create_server(("", 5009)):
    print("listening on 5009", flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def engine(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> Iterator[Daemon]:
    """A real engine with my-image; on localhost:5000 is a registry, on :5001 one with a login."""
    for name in ("dockerd", "docker-registry", "htpasswd"):
        need(name)
    folder = tmp_path_factory.mktemp("errors")
    auth = folder / "htpasswd"
    subprocess.run(["htpasswd", "-Bbc", auth, USER, "good"], check=True, capture_output=True)
    subprocess.run(["htpasswd", "-mb", auth, "md5", "good"], check=True, capture_output=True)
    with online(folder) as engine:
        engine.good("pull", "hello-registry")
        for name in ("my-image", "localhost:5001/hello", "localhost:5000/kept"):
            engine.good("tag", "hello-registry", name)
        run = ("run", "-d", "-p")
        engine.good(*run, "5000:5000", "--name", "registry", "registry:2")
        settings = ("AUTH=htpasswd", "AUTH_HTPASSWD_REALM=lab", "AUTH_HTPASSWD_PATH=/htpasswd")
        flags = [f"--env=REGISTRY_{setting}" for setting in settings]
        engine.good(*run, "5001:5000", *flags, "-v", f"{auth}:/htpasswd", "registry:2")
        for port in (5000, 5001):
            until(lambda port=port: answers(port))
        yield engine


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://{SECOND}:{port}/v2/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def check(said: str, key: str, words: list[str] | None = None, name: str = "") -> None:
    """What docker said must be explained as the error `key` of errors.yaml is."""
    known = next(known for known in known_errors() if known.key == key)
    meaning = explain(said, words or [])
    assert meaning is not None, said
    assert meaning.means.endswith(known.means["en"].rsplit("}", 1)[-1]), (said, meaning)
    assert name in str(meaning), (said, meaning)


# docker line -> what it must say (#: the numbers of errors.md), and which error that is for us.
SAYS = {
    "push my-image": (
        2,
        "denied: requested access to the resource is denied",
        "push-denied",
    ),
    "pull nosuch": (
        3,
        "pull access denied for nosuch, repository does not exist or may require 'docker login'",
        "pull-denied",
    ),
    f"pull {PRIVATE}": (3, f"pull access denied for {PRIVATE}, repository does", "pull-denied"),
    "pull localhost:5001/x": (4, "no basic auth credentials", "no-credentials"),
    "push localhost:5001/hello": (4, "no basic auth credentials", "no-credentials"),
    f"login -u {USER} -p wrong": (5, "unauthorized: incorrect username or password", "hub-login"),
    f"login -u {USER} -p wrong localhost:5001": (
        6,
        "login attempt to http://localhost:5001/v2/ failed with status: 401 Unauthorized",
        "login-failed",
    ),
    "login -u md5 -p good localhost:5001": (6, "failed with status: 401", "login-failed"),
    "login -u rahima localhost:5001": (7, "interactive login from a non", "interactive-login"),
    "pull localhost:5000/my-image:nosuch": (
        9,
        "manifest for localhost:5000/my-image:nosuch not found: manifest unknown: manifest unknown",
        "manifest-unknown",
    ),
    "pull -a localhost:5000/nosuch": (10, "repository name not known to registry", "name-unknown"),
    "push localhost:5000/kept:t": (13, "tag does not exist: localhost:5000/kept:t", "not-tagged"),
    "push localhost:5000/x": (
        13,
        "An image does not exist locally with the tag: localhost:5000/x",
        "not-tagged",
    ),
    "tag nosuch x": (14, "No such image: nosuch:latest", "no-such-image"),
    "run -d -p 5000:5000 --name other registry:2": (
        15,
        "Bind for 0.0.0.0:5000 failed: port is already allocated",
        "port-allocated",
    ),
    "run --name registry hello-registry": (
        17,
        'Conflict. The container name "/registry" is already in use by container "',
        "name-conflict",
    ),
    "pull localhost:5005/my-image": (
        20,
        ":5005: connect: connection refused",
        "connection-refused",
    ),
    "pull 192.168.56.7:5000/x": (20, "connect: no route to host", "no-way-there"),
    "pull nosuch.invalid/x": (20, "no such host", "no-such-host"),
    f"pull {LIMITED}": (21, "toomanyrequests: You have reached your pull rate limit", "rate-limit"),
    "-H unix:///nosuch.sock ps": (22, "Cannot connect to the Docker daemon at", "no-engine"),
    "-H tcp://127.0.0.1:1 ps": (22, "Cannot connect to the Docker daemon at", "no-engine"),
    "pull --platform linux/s390x hello-registry": (
        24,
        "no matching manifest for",
        "wrong-platform",
    ),
    "exec registry htpasswd -Bbn u p": (
        25,
        'exec: "htpasswd": executable file not found in $PATH',
        "htpasswd-missing",
    ),
    "run --rm --entrypoint htpasswd registry:2 -Bbn u p": (
        25,
        'exec: "htpasswd": executable file not found in $PATH',
        "htpasswd-missing",
    ),
    "run --rm --entrypoint nosuch registry:2": (0, "executable file not found", "program-missing"),
    "stop nosuch": (0, "No such container: nosuch", "no-such-container"),
    "rm registry": (0, "You cannot remove a running container", "container-running"),
    "rmi registry:2": (0, "is using its referenced image", "image-in-use"),
    "run --rm -it hello-registry": (0, "the input device is not a TTY", "no-terminal"),
}


@pytest.mark.parametrize(("line", "expected"), SAYS.items(), ids=SAYS)
def test_docker_says(engine: Daemon, line: str, expected: tuple[int, str, str]) -> None:
    _number, words, key = expected
    argv = shlex.split(line)
    result = engine.run(*argv)
    assert result.status != 0
    assert words in result.out + result.err
    check(result.out + result.err, key, argv)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("http://localhost:5000/x", "invalid reference format"),  # 11
        ("local host/x", "invalid reference format"),
        ("localhost:5000/x:", "invalid reference format"),
        (
            "localhost:5000/My-Image",  # 12
            "invalid reference format: repository name (My-Image) must be lowercase",
        ),
    ],
)
def test_bad_names(engine: Daemon, name: str, words: str) -> None:
    said = engine.docker("tag", "my-image", name)
    assert words in said
    check(said, "uppercase" if "lowercase" in words else "invalid-reference")
    assert explain(said, ["tag", "my-image", name]) not in (None, explain(said))


def test_plain_http(engine: Daemon, tmp_path: Path) -> None:  # 1
    with start_server(tmp_path, arguments=["--host", "0.0.0.0"]) as server:
        name = f"{FIRST}:{server.port}/my-image"
        said = engine.docker("pull", name)
        assert "http: server gave HTTP response to HTTPS client" in said
        check(said, "plain-http")
        engine.good("tag", "my-image", name)
        check(engine.docker("push", name), "plain-http")


def test_a_login_that_holds_no_more(
    engine: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # 4
    stored = base64.b64encode(f"{USER}:old".encode()).decode()
    (tmp_path / "config.json").write_text(
        json.dumps({"auths": {"localhost:5001": {"auth": stored}}})
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    said = engine.docker("pull", "localhost:5001/x")
    assert "unauthorized: authentication required" in said
    check(said, "no-credentials")


@pytest.mark.parametrize(
    ("helper", "words"),
    [
        ("", "executable file not found in $PATH"),
        ("#!/bin/sh\nexit 1\n", "error storing credentials - err: exit status 1"),
        ("MZ", "exec format error"),
    ],
)
def test_credential_helpers(
    engine: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helper: str, words: str
) -> None:  # 8
    (tmp_path / "config.json").write_text('{"credsStore": "desktop.exe"}')
    if helper:
        program = tmp_path / "docker-credential-desktop.exe"
        program.write_text(helper)
        program.chmod(0o755)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said = engine.docker("login", "-u", USER, "-p", "good", "localhost:5001")
    assert words in said
    check(said, "credential-store")


def test_a_port_that_another_program_has(engine: Daemon, tmp_path: Path) -> None:  # 16
    with program(engine.namespace, ("-c", LISTEN), tmp_path):
        said = engine.docker("run", "--rm", "-p", "5009:5000", "hello-registry")
    assert "bind: address already in use" in said
    check(said, "port-in-use")


def test_something_that_is_no_registry(engine: Daemon) -> None:  # 16, AirPlay on a Mac
    with proxy(refused={"*": 403}) as port:
        name = f"{FIRST}:{port}/my-image"
        engine.configure(insecure_registries=[f"{FIRST}:{port}"])
        engine.good("tag", "my-image", name)
        for said in engine.docker("push", name), engine.docker("pull", name):
            assert "error parsing HTTP 403 response body" in said
            check(said, "not-a-registry")


def test_certificates(engine: Daemon, tmp_path: Path) -> None:  # 18, 19
    """An unknown one, then with certs.d, then those whose name is not the registry's."""
    with ExitStack() as stack:
        server = stack.enter_context(start_server(tmp_path / "registry"))

        def pull(host: str, *alternative: str, trust: bool = True) -> str:
            made = certificate(tmp_path / "certificate.pem", host, *alternative)
            port = stack.enter_context(proxy(backends={"*": server.address}, certificate=made))
            if trust:
                engine.trust(f"{host}:{port}", made)
            return engine.docker("pull", f"{host}:{port}/nosuch")

        unknown = pull(FIRST, f"IP:{FIRST}", trust=False)
        assert "x509: certificate signed by unknown authority" in unknown
        check(unknown, "unknown-authority")
        check(pull(FIRST, f"IP:{FIRST}"), "manifest-unknown")
        said = {
            "x509: certificate relies on legacy Common Name field, use SANs instead": pull(NAME),
            "x509: certificate is valid for other.example, not": pull(NAME, "DNS:other.example"),
            "x509: certificate is valid for 10.0.0.1, not": pull(FIRST, "IP:10.0.0.1"),
            "doesn't contain any IP SANs": pull(FIRST, "DNS:other.example"),
        }
        for words, text in said.items():
            assert words in text
            check(text, "wrong-certificate-name")


def test_no_permission(engine: Daemon, tmp_path: Path) -> None:  # 22
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run(
        [*nobody, "docker", "-H", engine.host, "ps"], capture_output=True, text=True, check=False
    )
    assert "permission denied while trying to connect to the " in done.stderr
    check(done.stderr, "no-permission")


def test_uploads_through_bad_proxies(
    engine: Daemon, tmp_path: Path, need: Callable[[str], str]
) -> None:  # 23
    tar = tmp_path / "image.tar"
    tar.write_bytes(layer.tar("file", b"sent"))

    def push(port: int) -> str:
        engine.configure(insecure_registries=[f"{FIRST}:{port}"])
        engine.good("import", str(tar), f"{FIRST}:{port}/sent")
        return engine.docker("push", f"{FIRST}:{port}/sent")

    with ExitStack() as stack:
        binary = need("docker-registry")
        one, other = (
            stack.enter_context(start_real_registry(binary, tmp_path / root)).address
            for root in ("one", "other")
        )
        small = stack.enter_context(proxy(backends={"*": one}, refused={"PATCH": 413}))
        torn = stack.enter_context(proxy(backends={"POST": one, "*": other}))
        said = {
            "error parsing HTTP 413 response body": push(small),
            "blob upload unknown": push(torn),  # docker tries for 50 seconds
        }
    for words, text in said.items():
        assert words in text
        check(text, "upload-broken")


def test_a_layer_that_the_registry_lost(engine: Daemon, tmp_path: Path) -> None:  # 23
    tar = tmp_path / "image.tar"
    tar.write_bytes(layer.tar("file", b"lost"))
    name = "localhost:5000/lost"
    engine.good("import", str(tar), name)
    engine.good("push", name)
    engine.good("rmi", name)
    with Registry(f"{SECOND}:5000", insecure=[f"{SECOND}:5000"]) as registry:
        lost = registry.manifest("lost", "latest").layers[0].digest.removeprefix("sha256:")
    blobs = "/var/lib/registry/docker/registry/v2/blobs/sha256"
    engine.good("exec", "registry", "rm", "-r", f"{blobs}/{lost[:2]}/{lost}")
    engine.good("restart", "registry")  # it remembers what it had
    until(lambda: answers(5000))
    said = engine.docker("pull", name)
    assert "unknown blob" in said
    check(said, "layer-lost")


def test_another_processor(engine: Daemon, tmp_path: Path) -> None:  # 24
    broken = tmp_path / "broken.tar"
    broken.write_bytes(layer.tar("hello", b"\x7fELF of a machine that nobody has", 0o755))
    engine.good("import", "--change", 'CMD ["/hello"]', str(broken), "broken")
    said = engine.docker("run", "--rm", "broken")
    assert "exec format error" in said
    check(said, "wrong-platform")


def test_deleting_where_it_is_not_allowed(engine: Daemon) -> None:
    digest = engine.good("push", "localhost:5000/kept").split("digest: ")[1].split()[0]
    request = urllib.request.Request(
        f"http://{SECOND}:5000/v2/kept/manifests/{digest}", method="DELETE"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    check(refused.value.read().decode(), "delete-disabled")
    refused.value.close()


def test_a_question_that_nobody_answers(engine: Daemon) -> None:
    check(engine.docker("container", "prune"), "no-answer")


def test_without_a_name_server(engine: Daemon, tmp_path: Path) -> None:  # 20
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "resolv.conf").write_text("nameserver 127.0.0.2\n")
    with start_daemon(tmp_path, namespace=engine.namespace) as alone:
        said = alone.docker("pull", "nginx")
    assert "lookup registry-1.docker.io on 127.0.0.2:53: read udp" in said
    check(said, "no-such-host")


def test_an_image_with_many_names(engine: Daemon) -> None:
    said = engine.docker("rmi", engine.good("images", "-q", "my-image").strip())
    check(said, "image-many-names")


def test_a_full_disk(tmp_path: Path, engine: Daemon) -> None:
    """An engine whose disk is too small for the image."""
    data = tmp_path / "engine" / "data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", data], check=True)
    try:
        tar = tmp_path / "registry.tar"
        engine.good("save", "-o", str(tar), "registry:2")
        with start_daemon(tmp_path / "engine") as small:
            said = small.docker("load", "-i", str(tar))
    finally:
        subprocess.run(["umount", data], check=True)
    assert "no space left on device" in said
    check(said, "disk-full")
