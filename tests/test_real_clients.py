"""skopeo and docker against our registry, both ways: with and without passwords and TLS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.registry.certificates import issue
from tests.dockers import Docker
from tests.engines import FIRST, Daemon, second_daemon
from tests.servers import RunningServer, sha256, start_server

Need = Callable[[str], str]
USER, PASSWORD = "rahim", "s3cret: রহিম"
# How a registry is entered: with TLS, with a password, reading without one.
WAYS = {
    "plain": (False, False, False),
    "password": (False, True, False),
    "TLS": (True, False, False),
    "TLS and password": (True, True, False),
    "TLS, and a password to write": (True, True, True),
}


@dataclass(frozen=True)
class Served:
    """A running registry and how it is entered; `certs` is a folder with only its authority."""

    server: RunningServer
    certs: Path
    tls: bool
    password: bool
    open: bool


@pytest.fixture(scope="module", params=WAYS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, need: Need
) -> Iterator[Served]:
    """A registry on all addresses, once for each way."""
    tls, password, reads = WAYS[request.param]
    folder = tmp_path_factory.mktemp("served")
    env = {}
    if password:
        made = [need("htpasswd"), "-Bbc", "-C", "4", str(folder / "htpasswd"), USER, PASSWORD]
        subprocess.run(made, check=True, capture_output=True)
        env |= {"AUTH": "htpasswd", "AUTH_HTPASSWD_PATH": str(folder / "htpasswd")}
        env |= {"AUTH_HTPASSWD_REALM": "The lab"}
        env |= {"AUTH_HTPASSWD_ANONYMOUS": "pull" if reads else "none"}
    made_certificate = issue(folder / "lab", "localhost", FIRST)
    (folder / "certs").mkdir()
    shutil.copyfile(made_certificate.ca, folder / "certs" / "ca.crt")
    if tls:
        env["HTTP_TLS_CERTIFICATE"] = str(made_certificate.certificate)
        env["HTTP_TLS_KEY"] = str(made_certificate.key)
    named = {f"REGISTRY_{name}": value for name, value in env.items()}
    with start_server(folder / "root", env=named, arguments=("--host", "0.0.0.0")) as server:
        yield Served(server, folder / "certs", tls, password, reads)
    assert PASSWORD not in server.log and "Traceback" not in server.log


# skopeo


@dataclass(frozen=True)
class Skopeo:
    """skopeo as a user of a registry; `name` is an image there."""

    binary: str
    served: Served
    folder: Path

    def name(self, image: str) -> str:
        return f"docker://localhost:{self.served.server.port}/{image}"

    def __call__(
        self, command: str, *words: str, side: str = "", password: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; `side` is which end of a copy the registry is, `password` "" for none."""
        flags = [f"--{side}cert-dir={self.served.certs}"]
        if not self.served.tls:
            flags = [f"--{side}tls-verify=false"]
        given = (PASSWORD if self.served.password else "") if password is None else password
        if given:
            flags.append(f"--{side}creds={USER}:{given}")
        return subprocess.run(
            [self.binary, command, *flags, *words],
            env={**os.environ, "REGISTRY_AUTH_FILE": str(self.folder / "none.json")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def good(self, command: str, *words: str, side: str = "") -> str:
        """Standard output of a command that must succeed."""
        done = self(command, *words, side=side)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def skopeo(served: Served, need: Need, tmp_path: Path) -> Skopeo:
    return Skopeo(need("skopeo"), served, tmp_path)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The course's own images."""
    return sample.hub(tmp_path_factory.mktemp("layout"))


def test_skopeo_pushes_pulls_and_deletes(skopeo: Skopeo, layout: Layout, tmp_path: Path) -> None:
    source, copied = "docker.io/library/nginx:1.27", skopeo.name("apps/web:1.27")
    pushed = layout.resolve(source)
    assert pushed
    whole = ("--all", "--preserve-digests")
    skopeo.good("copy", *whole, f"oci:{layout.path}:{source}", copied, side="dest-")
    raw = skopeo.good("inspect", "--raw", copied)
    assert sha256(raw.encode()) == pushed.digest
    assert json.loads(skopeo.good("inspect", copied))["Digest"] == pushed.digest
    skopeo.good("copy", *whole, copied, f"oci:{tmp_path / 'back'}:web", side="src-")
    back = Layout(tmp_path / "back")
    assert [entry.descriptor.digest for entry in back.entries()] == [pushed.digest]
    blobs = list((back.path / "blobs" / "sha256").iterdir())
    assert len(blobs) > 4
    for blob in blobs:
        assert sha256(blob.read_bytes()) == f"sha256:{blob.name}"
    repository = copied.rpartition(":")[0]
    assert json.loads(skopeo.good("list-tags", repository))["Tags"] == ["1.27"]
    skopeo.good("delete", copied)
    assert json.loads(skopeo.good("list-tags", repository))["Tags"] == []
    assert "manifest unknown" in skopeo("inspect", copied).stderr


def test_skopeo_is_refused(skopeo: Skopeo, layout: Layout) -> None:
    served, name = skopeo.served, skopeo.name("refused:1")
    source = f"oci:{layout.path}:docker.io/library/nginx:1.27"
    if served.password:
        for password in ("", "wrong"):
            pushed = skopeo("copy", source, name, side="dest-", password=password)
            assert pushed.returncode == 1, password
            assert "authentication required" in pushed.stderr or "unauthorized" in pushed.stderr
            pulled = skopeo("inspect", name, password=password).stderr
            reads = served.open and not password
            assert ("manifest unknown" if reads else "unauthorized") in pulled
    others = Skopeo(skopeo.binary, Served(served.server, skopeo.folder, True, False, False), Path())
    wrong = "x509: certificate signed by unknown authority"
    if not served.tls:
        wrong = "http: server gave HTTP response to HTTPS client"
    refused = others("inspect", name, password="")
    assert refused.returncode == 1 and wrong in refused.stderr


# docker


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, need: Need) -> Iterator[Daemon]:
    """A real Docker Engine on a second host, that has my-image."""
    need("dockerd")
    folder = tmp_path_factory.mktemp("d")
    docker = Docker(folder / "home")
    docker.engine.images.add_sample("my-image", "my-image")
    docker.good("save", "-o", str(folder / "my-image.tar"), "my-image")
    with second_daemon(folder) as running:
        running.good("load", "-i", str(folder / "my-image.tar"))
        yield running


def test_docker_logs_in_pushes_pulls_and_logs_out(
    served: Served, engine: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    registry = f"{FIRST}:{served.server.port}"
    image = f"{registry}/apps/my-image"
    engine.good("tag", "my-image", image)
    refused = "x509: certificate signed by unknown authority"
    if not served.tls:
        refused = "http: server gave HTTP response to HTTPS client"
    assert refused in engine.docker("push", image)
    if served.tls:
        engine.trust(registry, served.certs / "ca.crt")
    else:
        engine.configure(insecure_registries=[registry])
    login = ("login", "-u", USER, registry, "-p")
    if served.password:
        assert engine.run("push", image).status == 1
        wrong = engine.run(*login, "wrong")
        assert wrong.status == 1 and "unauthorized" in wrong.err.lower()
    assert "Login Succeeded" in engine.good(*login, PASSWORD)
    pushed = engine.good("push", image)
    found = re.search(r"^latest: digest: (sha256:\S+) size: ", pushed, re.M)
    assert found
    digest = found[1]
    wanted = engine.good("image", "inspect", "-f", "{{.Id}}", image)
    engine.good("rmi", image)
    assert f"Digest: {digest}" in engine.good("pull", f"{image}@{digest}")
    assert "Image is up to date" in engine.good("pull", f"{image}@{digest}")
    engine.good("pull", image)
    assert engine.good("image", "inspect", "-f", "{{.Id}}", image) == wanted
    assert "Removing login credentials" in engine.good("logout", registry)
    assert json.loads((tmp_path / "config.json").read_text("utf-8"))["auths"] == {}
    may_read = served.open or not served.password
    pulled = engine.run("pull", image)
    assert pulled.status == (0 if may_read else 1), pulled
    assert may_read or "no basic auth credentials" in pulled.err
    if served.password:
        again = engine.run("push", f"{registry}/apps/my-image")
        assert again.status == 1, again
