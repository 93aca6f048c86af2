"""TLS: certificates and keys that a registry takes or refuses, versions, HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import httpx
import pytest
import trustme

from dockerlab.registry import htpasswd
from dockerlab.registry.certificates import Certificate, issue
from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.settings import TLS
from dockerlab.registry.tls import secure
from tests import raw
from tests.servers import RunningServer, push_blob, sha256, start_server

Need = Callable[[str], str]
CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for this machine."""
    return issue(tmp_path_factory.mktemp("lab"), "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def server(lab: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A registry with that certificate, which has CONTENT."""
    with serving(tmp_path_factory.mktemp("root"), lab) as running:
        with httpx.Client(base_url=url(running), verify=trusting(lab)) as http:
            push_blob(http, "a", CONTENT)
        yield running
    assert "Traceback" not in running.log and "panic" not in running.log


def serving(root: Path, made: Certificate, **more: str) -> AbstractContextManager[RunningServer]:
    """A registry with a certificate, and `more` variables."""
    env = {"HTTP_TLS_CERTIFICATE": str(made.certificate), "HTTP_TLS_KEY": str(made.key), **more}
    return start_server(root, env={f"REGISTRY_{name}": value for name, value in env.items()})


def url(server: RunningServer) -> str:
    return f"https://{server.address}"


def trusting(made: Certificate) -> ssl.SSLContext:
    """What a client trusts: the certificate's authority."""
    return ssl.create_default_context(cafile=made.ca)


def shaken(server: RunningServer, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection over which the registry has answered a request."""
    wire = context.wrap_socket(raw.connect(server.port), server_hostname="localhost")
    wire.sendall(raw.request("GET", "/v2/"))
    assert raw.answer(wire).status == 200
    return wire


# What is spoken


def curl(need: Need, lab: Certificate, *arguments: str) -> bytes:
    """What curl prints for a request over TLS."""
    command = [need("curl"), "-sS", "--fail", "--cacert", str(lab.ca), *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize(("flag", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_pull_and_push(
    server: RunningServer, lab: Certificate, tmp_path: Path, need: Need, flag: str, version: str
) -> None:
    blobs = f"{url(server)}/v2/a/blobs/"
    assert curl(need, lab, flag, blobs + sha256(CONTENT)) == CONTENT
    (file := tmp_path / "file").write_bytes(os.urandom(2_000_000))
    digest = sha256(file.read_bytes())
    where = f"{blobs}uploads/?digest={digest}"
    sent = [flag, "-X", "POST", "-H", "Content-Type: application/octet-stream"]
    shown = ["--data-binary", f"@{file}", "-w", "%{http_version} %{http_code}"]
    assert curl(need, lab, *sent, *shown, where).decode() == f"{version} 201"
    assert curl(need, lab, flag, "-r", "10-19", blobs + digest) == file.read_bytes()[10:20]


def test_http2_can_be_disabled(lab: Certificate, tmp_path: Path, need: Need) -> None:
    with serving(tmp_path, lab, HTTP_HTTP2_DISABLED="true") as server:
        version = ["--http2", "-o", os.devnull, "-w", "%{http_version}"]
        assert curl(need, lab, *version, f"{url(server)}/v2/") == b"1.1"


def test_a_token_is_given_at_the_same_address(lab: Certificate, tmp_path: Path, need: Need) -> None:
    """HTTP/2 has no Host, yet clients are told where tokens are."""
    htpasswd.add(path := tmp_path / "htpasswd", "rahim", "s3cret")
    login = {"REALM": "lab", "PATH": str(path), "ANONYMOUS": "pull"}
    env = {f"AUTH_HTPASSWD_{name}": value for name, value in login.items()}
    with serving(tmp_path / "root", lab, **env) as server:
        for flag in ("--http1.1", "--http2"):
            asked = [flag, "--no-fail", "-i", f"https://localhost:{server.port}/v2/"]
            realm = f'Bearer realm="https://localhost:{server.port}/token",service="lab"'
            assert realm in curl(need, lab, *asked).decode()


def test_versions(server: RunningServer, lab: Certificate, tmp_path: Path, need: Need) -> None:
    older, newer = trusting(lab), trusting(lab)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with shaken(server, older) as wire:
        assert wire.version() == "TLSv1.2"
    with shaken(server, newer) as wire:
        assert wire.version() == "TLSv1.3"
    oldest = [need("openssl"), "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    oldest += ["-connect", server.address]
    refused = subprocess.run(oldest, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert b"SSL alert number" in refused.stderr
    with serving(tmp_path, lab, HTTP_TLS_MINIMUMTLS="tls1.3") as strict:
        with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
            shaken(strict, older)
        with shaken(strict, newer) as wire:
            assert wire.version() == "TLSv1.3"


@pytest.mark.parametrize(
    "content",
    [raw.request("GET", "/v2/"), b"\n", b"\x16\x03\x01\xff\xff" + bytes(100), os.urandom(1000)],
    ids=["plain HTTP", "a line", "half a handshake", "anything"],
)
def test_what_is_not_tls(server: RunningServer, lab: Certificate, content: bytes) -> None:
    """Nothing is answered but an alert of TLS, if anything, and others are served on."""
    said = b""
    with raw.connect(server.port) as wire, suppress(ConnectionError):
        wire.sendall(content)
        wire.shutdown(socket.SHUT_WR)
        said = wire.recv(1000)
    assert said == b"" or said.startswith(b"\x15\x03")
    shaken(server, trusting(lab)).close()


def test_a_client_that_does_not_trust_it(server: RunningServer, tmp_path: Path) -> None:
    others = issue(tmp_path, "localhost")
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"{url(server)}/v2/", verify=trusting(others))


def test_clients_with_a_certificate_of_their_own(tmp_path: Path) -> None:
    made, client = issue(tmp_path / "a", "127.0.0.1"), issue(tmp_path / "a", "client.example")
    stranger = issue(tmp_path / "b", "client.example")
    with serving(tmp_path / "root", made, HTTP_TLS_CLIENTCAS=f"[{made.ca}]") as server:
        for known, certificate in ((True, client), (False, stranger), (False, None)):
            context = trusting(made)
            if certificate:
                context.load_cert_chain(certificate.certificate, certificate.key)
            if known:
                assert httpx.get(f"{url(server)}/v2/", verify=context).status_code == 200
            else:
                with pytest.raises(httpx.TransportError):
                    httpx.get(f"{url(server)}/v2/", verify=context)


# Certificates and keys


def openssl(*arguments: object) -> None:
    """Run openssl."""
    command = ["openssl", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def own(folder: Path, *kind: str) -> TLS:
    """A certificate that vouches for itself, with a key of this kind, as learners make it."""
    certificate, key = folder / "own.crt", folder / "own.key"
    of_key = ("-nodes", "-keyout", key, "-newkey", *kind)
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *of_key, "-out", certificate, *names)
    return TLS(certificate, key)


KINDS = {
    "RSA": ("rsa:2048",),
    "P-256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "Ed25519": ("ed25519",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_keys(kind: str, tmp_path: Path, need: Need) -> None:
    need("openssl")
    made = own(tmp_path, *KINDS[kind])
    assert made.certificate and made.key
    both = Certificate(made.certificate, made.certificate, made.key)
    with serving(tmp_path / "root", both) as server:
        shaken(server, trusting(both)).close()


def test_a_chain_and_its_key_in_one_file(tmp_path: Path) -> None:
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("localhost", "127.0.0.1")
    root.cert_pem.write_to_path(ca := tmp_path / "ca.pem")
    leaf.private_key_and_cert_chain_pem.write_to_path(file := tmp_path / "all.pem")
    made = Certificate(ca, file, file)
    with serving(tmp_path / "root", made) as server:
        shaken(server, trusting(made)).close()


def unusable(folder: Path, lab: Certificate) -> dict[str, tuple[TLS, str]]:
    """Certificates and keys with which nothing starts, and what is said of them."""
    (junk := folder / "junk").write_text("junk")
    (empty := folder / "empty").touch()
    other = issue(folder / "other", "localhost")
    openssl("pkey", "-in", lab.key, "-aes256", "-passout", "pass:a", "-out", folder / "locked")
    openssl("req", "-new", "-key", lab.key, "-subj", "/CN=localhost", "-out", folder / "request")
    old = ("-signkey", lab.key, "-out", folder / "old")
    openssl("x509", "-req", "-in", folder / "request", *old)
    kinds = {"short": ("rsa:1024",), "odd": ("ec", "-pkeyopt", "ec_paramgen_curve:P-521")}
    for name, kind in kinds.items():
        (folder / name).mkdir()
        own(folder / name, *kind)
    no, cert, key = folder / "no.pem", lab.certificate, lab.key
    certificate, of_key = "http.tls.certificate: ", "http.tls.key: "
    gone = f"open {no}: no such file or directory"
    none = f"no key that fits {cert} in"
    wanted = "a PEM file is wanted"
    short, odd = (TLS(folder / name / "own.crt", folder / name / "own.key") for name in kinds)
    return {
        "no certificate": (TLS(no, key), certificate + gone),
        "no key": (TLS(cert, no), of_key + gone),
        "a folder": (TLS(folder, key), f"{certificate}open {folder}: is a directory"),
        "junk": (TLS(junk, key), f"{certificate}no certificate in {junk}; {wanted}"),
        "empty": (TLS(empty, key), f"{certificate}no certificate in {empty}; {wanted}"),
        "swapped": (TLS(key, cert), f"{certificate}no certificate in {key}; {wanted}"),
        "a junk key": (TLS(cert, junk), f"{of_key}{none} {junk}; {wanted}"),
        "an empty key": (TLS(cert, empty), f"{of_key}{none} {empty}; {wanted}"),
        "no key in it": (TLS(cert, cert), f"{of_key}{none} {cert}; {wanted}"),
        "another key": (TLS(cert, other.key), f"{of_key}{other.key} is not the key of {cert}"),
        "locked": (
            TLS(cert, folder / "locked"),
            f"{of_key}the key in {folder / 'locked'} is locked with a password; "
            "it has to be there without one",
        ),
        "version 1": (
            TLS(folder / "old", key),
            f"{certificate}{folder / 'old'} is of version 1; "
            "clients want version 3, with subjectAltName",
        ),
        "short": (short, f"{certificate}the key of {short.certificate} is too short to be safe"),
        "odd": (
            odd,
            f"{of_key}{odd.key} is not of a kind that is supported: RSA, P-256, P-384, Ed25519",
        ),
        "no clients": (
            TLS(cert, key, (no,)),
            f"http.tls.clientcas: {gone}",
        ),
        "clients that are none": (
            TLS(cert, key, (junk,)),
            f"http.tls.clientcas: no certificate in {junk}",
        ),
        "clients in two files": (
            TLS(cert, key, (cert, cert)),
            "http.tls.clientcas: put all certificates into one file",
        ),
    }


def test_certificates_that_cannot_be_used(lab: Certificate, tmp_path: Path, need: Need) -> None:
    need("openssl")
    for name, (tls, said) in unusable(tmp_path, lab).items():
        with pytest.raises(SettingsError) as caught:
            secure(tls)
        assert str(caught.value) == f"configuration error: {said}", name


@pytest.mark.parametrize("by_variable", [True, False])
def test_they_stop_the_start(lab: Certificate, tmp_path: Path, by_variable: bool) -> None:
    other = issue(tmp_path / "other", "localhost")
    config = tmp_path / "config.yml"
    files = f"certificate: '{lab.certificate}', key: '{other.key}'"
    env = {}
    if by_variable:
        env = {"HTTP_TLS_CERTIFICATE": str(lab.certificate), "HTTP_TLS_KEY": str(other.key)}
        files = ""
    config.write_text(f"version: 0.1\nhttp: {{tls: {{{files}}}}}", "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "dockerlab.registry", "serve", config, "--root", tmp_path / "root"],
        env={**os.environ, **{f"REGISTRY_{name}": value for name, value in env.items()}},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    (line,) = ended.stderr.splitlines()
    setting = "REGISTRY_HTTP_TLS_KEY" if by_variable else "http.tls.key"
    said = f"configuration error: {setting}: {other.key} is not the key of {lab.certificate}"
    assert ended.returncode == 1 and line.endswith(f'level=fatal msg="{said}"')
    assert not (tmp_path / "root").exists()
