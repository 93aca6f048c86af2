"""Certificates: whom docker believes at a registry, and what it says if it does not.

The words are a real Docker Engine's: the same pulls are carried out there too, if there is one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dockerlab.engine import words
from dockerlab.errors import RegistryError
from dockerlab.image.reference import Reference
from dockerlab.registry.certificates import Certificate, issue
from dockerlab.registry.client import Registry
from dockerlab.registry.trust import Trust
from tests import engines
from tests.dockers import Docker
from tests.engines import FIRST
from tests.faults import certificate as self_signed
from tests.online import NAME
from tests.servers import start_server

UNKNOWN = "x509: certificate signed by unknown authority"
EXPIRED = "x509: certificate has expired or is not yet valid: current time NOW is after "
BELIEVED = "manifest unknown"
INNER = "a.lab.example"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


@contextmanager
def served(folder: Path, made: Certificate, clients: Path | None = None) -> Iterator[int]:
    """A registry on all addresses with that certificate; its port."""
    env = {
        "REGISTRY_HTTP_TLS_CERTIFICATE": str(made.certificate),
        "REGISTRY_HTTP_TLS_KEY": str(made.key),
        **({"REGISTRY_HTTP_TLS_CLIENTCAS": f"[{clients}]"} if clients else {}),
    }
    with start_server(folder / "root", env=env, arguments=("--host", "0.0.0.0")) as server:
        yield server.port


def openssl(folder: Path, common: str, *alternative: str) -> Certificate:
    """A certificate that vouches for itself, as learners make them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = self_signed(folder / "own.pem", common, *alternative)
    return Certificate(path, path, path)


def another(made: Certificate, folder: Path) -> Certificate:
    """The same certificate beside the authority of another lab, which has the same name."""
    return Certificate(issue(folder, "other").ca, made.certificate, made.key)


# What a certificate is, the host that is asked, what is trusted, and what docker says then.
Maker = Callable[[Path], Certificate]
CASES: dict[str, tuple[Maker, str, bool, str]] = {
    "good": (lambda at: issue(at, FIRST), FIRST, True, BELIEVED),
    "good name": (lambda at: issue(at, NAME, FIRST), NAME, True, BELIEVED),
    "star": (lambda at: issue(at, "*.lab.example"), INNER, True, BELIEVED),
    "own": (lambda at: openssl(at, "x", f"IP:{FIRST}"), FIRST, True, BELIEVED),
    "unknown": (lambda at: issue(at, FIRST), FIRST, False, UNKNOWN),
    "own unknown": (lambda at: openssl(at, "x", f"IP:{FIRST}"), FIRST, False, UNKNOWN),
    "another authority of that name": (
        lambda at: another(issue(at, FIRST), at / "b"),
        FIRST,
        True,
        f'{UNKNOWN} (possibly because of "x509: ECDSA verification failure" while trying to '
        'verify candidate authority certificate "dockerlab")',
    ),
    "another own of that name": (
        lambda at: Certificate(
            openssl(at / "b", "x").ca, *[openssl(at, "x", f"IP:{FIRST}").ca] * 2
        ),
        FIRST,
        True,
        f'{UNKNOWN} (possibly because of "crypto/rsa: verification error" while trying to '
        'verify candidate authority certificate "x")',
    ),
    "expired": (
        lambda at: issue(at, FIRST, expired=True),
        FIRST,
        True,
        f"{EXPIRED}2020-01-01T00:00:00Z",
    ),
    "expired, unknown": (
        lambda at: issue(at, "a.example", expired=True),
        FIRST,
        False,
        f"{EXPIRED}2020-01-01T00:00:00Z",
    ),
    "other names": (
        lambda at: issue(at, "a.example", "*.b.example"),
        NAME,
        True,
        f"x509: certificate is valid for a.example, *.b.example, not {NAME}",
    ),
    "other addresses": (
        lambda at: issue(at, "10.0.0.1", "fd00::1", "a.example"),
        FIRST,
        True,
        f"x509: certificate is valid for 10.0.0.1, fd00::1, not {FIRST}",
    ),
    "other name, unknown": (
        lambda at: issue(at, "a.example"),
        NAME,
        False,
        f"x509: certificate is valid for a.example, not {NAME}",
    ),
    "no addresses": (
        lambda at: issue(at, NAME),
        FIRST,
        True,
        f"x509: cannot validate certificate for {FIRST} because it doesn't contain any IP SANs",
    ),
    "no names": (
        lambda at: issue(at, FIRST),
        NAME,
        True,
        f"x509: certificate is not valid for any names, but wanted to match {NAME}",
    ),
    "common name": (
        lambda at: openssl(at, NAME),
        NAME,
        True,
        "x509: certificate relies on legacy Common Name field, use SANs instead",
    ),
    "common name that is an address": (
        lambda at: openssl(at, FIRST),
        FIRST,
        True,
        "x509: certificate relies on legacy Common Name field, use SANs instead",
    ),
}


def said(text: str, host: str, port: int) -> str:
    """What docker printed, without what differs from run to run."""
    text = re.sub(r"current time [\d:TZ+-]+ is", "current time NOW is", text.strip())
    before = f'Error response from daemon: Get "https://{host}:{port}/v2/": '
    return text.removeprefix(before) if "x509" in text else text


def pulled(host: str, port: int, believed: Trust) -> str:
    """What the embedded engine would print for a pull from `host`, which is this machine."""
    name = Reference.parse(f"{host}:{port}/nosuch")
    try:
        with Registry(name.registry, trust=believed, route=lambda host, port: "127.0.0.1") as one:
            one.manifest("nosuch", "latest")
    except RegistryError as error:
        return f"Error response from daemon: {words.pull_refused(error, name)}"
    raise AssertionError("there is no such image")


@pytest.mark.parametrize("case", CASES)
def test_who_is_believed(case: str, files: Path) -> None:
    make, host, trusted, expected = CASES[case]
    made = make(files)
    with served(files, made) as port:
        answer = said(pulled(host, port, Trust((made.ca,) if trusted else ())), host, port)
    assert answer.endswith(expected) if expected == BELIEVED else answer == expected


def test_docker_says_the_same(
    files: Path, need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    need("dockerd")
    folder = tmp_path_factory.mktemp("d")
    (folder / "etc").mkdir()
    (folder / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n{FIRST} {NAME} {INNER}\n", "utf-8")
    wrong = []
    with engines.second_daemon(folder) as engine, ExitStack() as stack:
        for number, (case, (make, host, trusted, _)) in enumerate(CASES.items()):
            made = make(files / str(number))
            port = stack.enter_context(served(files / str(number), made))
            if trusted:
                engine.trust(f"{host}:{port}", made.ca)
            ours = said(pulled(host, port, Trust((made.ca,) if trusted else ())), host, port)
            theirs = said(engine.run("pull", f"{host}:{port}/nosuch").err, host, port)
            if ours != theirs:
                wrong.append(f"{case}\n<<< ours\n{ours}\n>>> docker\n{theirs}")
    assert wrong == []


@contextmanager
def both(
    tmp_path: Path, folder: Path
) -> Iterator[tuple[Callable[..., str], Callable[[str], list[Path]]]]:
    """`run` a line on the embedded engine and on a real one, which say the same; and the folders
    of certs.d in which both look for a registry.
    """
    docker = Docker(tmp_path / "home")
    docker.engine.images.add_sample("my-image", "my-image")
    tar = tmp_path / "my-image.tar"
    docker.good("save", "-o", str(tar), "my-image")
    with engines.second_daemon(folder) as engine:
        engine.good("load", "-i", str(tar))

        def run(*argv: str) -> str:
            ours = docker(*argv)
            theirs = engine.run(*argv)
            assert (ours.err, ours.status) == (theirs.err, theirs.status)
            return ours.out + ours.err

        def places(registry: str) -> list[Path]:
            found = [docker.engine.path / "certs.d" / registry, engine.etc / "certs.d" / registry]
            for place in found:
                place.mkdir(parents=True, exist_ok=True)
            return found

        yield run, places


def test_certs_d_is_read_as_docker_reads_it(
    tmp_path: Path,
    files: Path,
    need: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Authorities, and certificates of the client's own, which this registry wants."""
    need("dockerd")
    (empty := tmp_path / "empty").write_bytes(b"")
    made, client = issue(files, FIRST), issue(files, "client.example")
    with (
        served(files, made, clients=made.ca) as port,
        both(tmp_path, tmp_path_factory.mktemp("d")) as (run, places),
    ):
        registry = f"{FIRST}:{port}"
        name = f"{registry}/my-image"
        run("tag", "my-image", name)
        for line in (("pull", name), ("push", name), ("login", "-u", "a", "-p", "b", registry)):
            assert f'Get "https://{registry}/v2/": {UNKNOWN}' in run(*line)

        def put(source: Path, target: str) -> None:
            for place in places(registry):
                shutil.copyfile(source, place / target)

        def drop(target: str) -> None:
            for place in places(registry):
                (place / target).unlink()

        put(files / "client.example.key", "junk.crt")
        assert UNKNOWN in run("pull", name)
        put(made.ca, "any.crt")
        assert "remote error: tls: certificate required" in run("pull", name)
        put(client.certificate, "me.cert")
        assert "missing key me.key for client certificate me.cert. Note" in run("pull", name)
        put(made.key, "me.key")
        assert "tls: private key does not match public key" in run("pull", name)
        for certificate, key in ((client.certificate, made.ca), (client.key, client.certificate)):
            put(certificate, "me.cert")
            put(key, "me.key")
            assert "tls: f" in run("pull", name)
        put(client.certificate, "me.cert")
        for target in ("me.key", "me.cert"):
            put(empty, target)
            assert "failed to find any PEM data in" in run("pull", name)
        drop("me.cert")
        assert "Missing client certificate me.cert for key me.key" in run("pull", name)
        put(client.certificate, "me.cert")
        put(client.key, "me.key")
        run("push", name)
        assert "Image is up to date" in run("pull", name)
