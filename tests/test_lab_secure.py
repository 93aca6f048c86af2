"""A registry with a certificate and a password, as a learner has it on the course's own engine.

The words are docker's; test_certificates.py and test_differential.py hold them against a real one.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from dockerlab import i18n, lab
from dockerlab.engine import current
from dockerlab.engine.credentials import Login
from dockerlab.engine.daemon import FIRST
from dockerlab.errors import (
    BadLogin,
    BadName,
    BadRegistry,
    CannotWrite,
    DockerlabError,
    EngineError,
    NoAuthority,
)
from tests import shells
from tests.dockers import Docker

USER, PASSWORD = "rahima", "s3cret অ"
UNKNOWN = "x509: certificate signed by unknown authority"
NO_LOGIN = "no basic auth credentials"
WITH_LOGIN = (
    *("-v", "./auth:/auth", "-e", "REGISTRY_AUTH=htpasswd"),
    *("-e", "REGISTRY_AUTH_HTPASSWD_REALM=the lab"),
    *("-e", "REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd"),
)


class Scene:
    """A learner's folder, her lab in it, and registries that she has started there."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work = folder / "home", folder / "work"
        self.work.mkdir()
        self.docker = Docker(self.home)
        self.docker.engine.images.add_sample("my-image", "my-image")

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Be in her folder, with `lab` being hers."""
        patch.chdir(self.work)
        patch.setenv("DOCKERLAB_HOME", str(self.home))

    def start(self, name: str, certificate: str, *more: str) -> str:
        """Run a registry with a certificate that is in the folder certs; its port."""
        result = self.docker(
            *("run", "-d", "-p", "5000", "--name", name, "-v", "./certs:/certs"),
            *("-e", f"REGISTRY_HTTP_TLS_CERTIFICATE=/certs/{certificate}.crt"),
            *("-e", f"REGISTRY_HTTP_TLS_KEY=/certs/{certificate}.key"),
            *(*more, "registry:2"),
        )
        assert result.status == 0, result
        port = self.docker.good("port", name, "5000").strip().rpartition(":")[2]
        assert "listening on" in self.docker("logs", name).err
        return port

    def named(self, registry: str) -> str:
        """my-image by a name at that registry."""
        self.docker.good("tag", "my-image", f"{registry}/my-image")
        return f"{registry}/my-image"

    def login(self, registry: str, password: str, *context: str) -> str:
        """What `docker login --password-stdin` prints, both streams together."""
        words = (*context, "login", "-u", USER, "--password-stdin", registry)
        result = self.docker(*words, stdin=f"{password}\n".encode())
        return result.out + result.err


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("lab"))
    yield scene
    for host in scene.docker.engine.hosts():
        host.reset()


@pytest.fixture(scope="module")
def port(scene: Scene) -> str:
    """The port of her registry: for localhost and FIRST, and for USER only."""
    with pytest.MonkeyPatch.context() as patch:
        scene.enter(patch)
        lab.certificate("localhost", FIRST)
        lab.htpasswd("auth/htpasswd", USER, PASSWORD)
        return scene.start("registry", "localhost", *WITH_LOGIN)


@pytest.fixture(autouse=True)
def here(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.enter(monkeypatch)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_certificate_then_password_then_push_and_pull(scene: Scene, port: str) -> None:
    docker, registry = scene.docker, f"{FIRST}:{port}"
    name = scene.named(registry)
    assert docker.bad("push", name) == f'Get "https://{registry}/v2/": {UNKNOWN}\n'
    refused = f'Error response from daemon: Get "https://{registry}/v2/": {UNKNOWN}\n'
    assert docker.bad("pull", name) == refused
    assert scene.login(registry, PASSWORD) == refused
    assert f"The certificate of {registry} is not to be trusted: {UNKNOWN}." in repr(
        lab.registry(registry)
    )
    assert repr(lab.trust(registry)) == (
        f"The docker host default now trusts this authority at {registry}: its certificate is in "
        f"certs.d/{registry}/ca.crt."
    )
    assert docker.bad("push", name) == f"{NO_LOGIN}\n"
    assert docker.bad("pull", name) == (
        f'Error response from daemon: Head "https://{registry}/v2/my-image/manifests/latest": '
        f"{NO_LOGIN}\n"
    )
    assert scene.login(registry, "wrong") == (
        f"Error response from daemon: login attempt to https://{registry}/v2/ failed with status: "
        "401 Unauthorized\n"
    )
    assert scene.login(registry, PASSWORD).startswith("Login Succeeded\n")
    docker.good("push", name)
    docker.good("rmi", name)
    docker.good("pull", name)
    assert "my-image" in repr(lab.registry(registry))
    assert docker.good("logout", registry) == f"Removing login credentials for {registry}\n"
    assert docker.bad("push", name) == f"{NO_LOGIN}\n"


def test_localhost_needs_no_trust_but_a_password(scene: Scene, port: str) -> None:
    """As docker has it: any certificate is good enough on this machine."""
    name = scene.named(f"localhost:{port}")
    assert scene.docker.bad("push", name) == f"{NO_LOGIN}\n"
    assert not lab.login(f"localhost:{port}", USER, PASSWORD).is_plain  # though HTTP was tried
    scene.docker.good("push", name)


def test_another_host_trusts_for_itself(scene: Scene, port: str) -> None:
    docker, registry, there = scene.docker, f"{FIRST}:{port}", ("--context", "host2")
    assert lab.second_host().first == FIRST
    local = scene.named(f"localhost:{port}")
    scene.login(f"localhost:{port}", PASSWORD)
    docker.good("push", local)
    lab.trust(registry)  # of the first host, which is nothing to the second
    pull = (*there, "pull", f"{registry}/my-image")
    refused = f'Error response from daemon: Get "https://{registry}/v2/": {UNKNOWN}\n'
    assert docker.bad(*pull) == refused
    assert scene.login(registry, PASSWORD, *there) == refused
    assert repr(lab.trust(registry, "host2")).startswith("The docker host host2 now trusts")
    docker("logout", registry)
    assert NO_LOGIN in docker.bad(*pull)
    assert scene.login(registry, PASSWORD, *there).startswith("Login Succeeded\n")
    assert f"Downloaded newer image for {registry}/my-image:latest" in docker.good(*pull)
    docker.good("logout", registry)


def test_a_certificate_that_is_none_of_this_host(scene: Scene) -> None:
    lab.certificate("registry.example", "10.0.0.1")
    port = scene.start("elsewhere", "registry.example")
    lab.trust(f"{FIRST}:{port}")
    assert scene.docker.bad("pull", f"{FIRST}:{port}/my-image") == (
        f'Error response from daemon: Get "https://{FIRST}:{port}/v2/": '
        f"x509: certificate is valid for 10.0.0.1, not {FIRST}\n"
    )


def test_a_certificate_that_has_expired(scene: Scene) -> None:
    lab.certificate(FIRST, expired=True)
    port = scene.start("expired", FIRST)
    lab.trust(f"{FIRST}:{port}")
    said = scene.docker.bad("pull", f"{FIRST}:{port}/my-image")
    assert "x509: certificate has expired or is not yet valid: current time " in said
    assert said.endswith(" is after 2020-01-01T00:00:00Z\n")


def test_a_login_is_kept_as_docker_keeps_it(scene: Scene, port: str) -> None:
    for registry in (f"localhost:{port}", f"127.0.0.1:{port}"):
        scene.docker.good("logout", registry)
        said = scene.login(registry, PASSWORD)
    kept = scene.home / "docker-config" / "config.json"
    assert f"Your credentials are stored unencrypted in '{kept}'." in said
    auth = "cmFoaW1hOnMzY3JldCDgpoU="  # printf %s 'rahima:s3cret অ' | base64
    entry = '\t\t"{}": {{\n\t\t\t"auth": "' + auth + '"\n\t\t}}'
    entries = ",\n".join(entry.format(f"{host}:{port}") for host in ("127.0.0.1", "localhost"))
    assert kept.read_text("utf-8") == f'{{\n\t"auths": {{\n{entries}\n\t}}\n}}'
    scene.docker.good("logout", f"127.0.0.1:{port}")
    assert list(json.loads(kept.read_text("utf-8"))["auths"]) == [f"localhost:{port}"]
    if os.name == "posix":
        assert (mode(kept), mode(kept.parent)) == (0o600, 0o700)


def test_secrets_stay_where_they_belong(scene: Scene, port: str) -> None:
    scene.login(f"localhost:{port}", "wr0ng")
    log = scene.docker("logs", "registry").err
    assert f'error authenticating user \\"{USER}\\"' in log
    users = (scene.work / "auth" / "htpasswd").read_text("utf-8")
    assert users.startswith(f"{USER}:$2b$10$") and users.count("\n") == 1
    shown = lab.certificate("localhost", FIRST, folder="other")
    note = lab.htpasswd("other/htpasswd", USER, PASSWORD)
    key = shown.key.read_text("ascii")
    assert key.startswith("-----BEGIN ") and "PRIVATE KEY" in key
    for text in (log, users, repr(note), repr(shown), shown._repr_html_()):
        assert PASSWORD not in text and "wr0ng" not in text and "PRIVATE" not in text
    if os.name == "posix":
        secret = (shown.key, shown.key.with_name("htpasswd"), scene.home / "authority" / "ca.key")
        assert {mode(path) for path in secret} == {0o600}


def test_a_new_password_takes_the_place_of_the_old(scene: Scene, port: str) -> None:
    """The registry reads the file again when it changes."""
    lab.htpasswd("auth/htpasswd", "karim", "before")
    lab.htpasswd("auth/htpasswd", "karim", "after")
    docker, registry = scene.docker, f"localhost:{port}"
    login = ("login", "-u", "karim", "--password-stdin", registry)
    assert docker(*login, stdin=b"before").status == 1
    assert docker(*login, stdin=b"after").status == 0
    assert scene.login(registry, PASSWORD).startswith("Login Succeeded\n")


def test_what_is_shown_in_both_languages(scene: Scene) -> None:
    made = lab.certificate("localhost", FIRST, folder="shown")
    assert repr(made).splitlines() == [
        f"Certificate: shown/localhost.crt, for localhost, {FIRST}",
        "Its key, a secret: shown/localhost.key",
        "The lab's authority: shown/ca.crt",
    ]
    assert repr(lab.htpasswd("shown/htpasswd", USER, "x")) == (
        "shown/htpasswd lets rahima in; it holds a hash of the password, not the password."
    )
    assert "<th" in made._repr_html_() and "shown/localhost.key" in made._repr_html_()
    i18n.choose("bn")
    assert f"সার্টিফিকেট: shown/localhost.crt, এই নামের জন্য: localhost, {FIRST}" in repr(made)
    assert 'lang="bn"' in made._repr_html_() and "সার্টিফিকেট" in made._repr_html_()
    assert "হ্যাশ" in repr(lab.htpasswd("shown/htpasswd", USER, "x"))
    assert "বিশ্বাস করে" in repr(lab.trust("a.example:5000", ca="shown/ca.crt"))


NAMES = "No certificate can be made for “{}”. It needs names of hosts, or IP addresses"
LOGIN = "There can be no login “{}” with this password. A user's name is not empty"
REGISTRY = "“{}” is no address of a registry"
NO_CA = "{} is no certificate of an authority. lab.certificate(…) makes one"
IN_THE_WAY = "{} cannot be written: a file stands where a folder should be, or the other way round."


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        *(
            (lambda name=name: lab.certificate(name, folder="new"), BadName, NAMES.format(name))
            for name in ("localhost:5000", "http://localhost", "a b", "", "a_b", "999.1.1.1", 5000)
        ),
        (lambda: lab.certificate(folder="new"), BadName, NAMES.format("")),
        (lambda: lab.certificate("a", folder="file"), CannotWrite, IN_THE_WAY.format("file")),
        (lambda: lab.certificate("a", folder="file/b"), CannotWrite, IN_THE_WAY.format("file/b")),
        *(
            (
                lambda user=user, word=word: lab.htpasswd("new/x", user, word),
                BadLogin,
                LOGIN.format(user),
            )
            for user, word in (
                *(("rahima", ""), ("a:b", "x"), ("", "x"), (" a", "x"), ("a\n", "x"), ("#a", "x")),
                *(("rahima", "x" * 73), ("rahima", "a\0b"), ("rahima", 1234), ("rahima", "\ud800")),
            )
        ),
        (lambda: lab.htpasswd("file/x", "a", "b"), CannotWrite, IN_THE_WAY.format("file/x")),
        (lambda: lab.htpasswd("folder", "a", "b"), CannotWrite, IN_THE_WAY.format("folder")),
        *(
            (lambda at=at: lab.trust(at, ca="ca.crt"), BadRegistry, REGISTRY.format(at))
            for at in ("https://a:5000", "a:5000/x", "", "../..", "a b", "a:b")
        ),
        *(
            (lambda ca=ca: lab.trust("a:5000", ca=ca), NoAuthority, NO_CA.format(ca))
            for ca in ("nowhere.crt", "folder", "file", "empty", "broken.crt", "a.key", "binary")
        ),
        (
            lambda: lab.trust("a:5000", "host9", ca="ca.crt"),
            EngineError,
            'context "host9": context not found',
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_left_half_done(
    call: Callable[[], object],
    kind: type[DockerlabError],
    said: str,
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = lab.certificate("a", folder=str(tmp_path))
    (tmp_path / "broken.crt").write_text(made.ca.read_text("ascii").replace("M", "\n"), "ascii")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    (tmp_path / "empty").touch()
    (tmp_path / "file").write_text("text", "ascii")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(kind) as refused:
        call()
    assert said in str(refused.value)
    i18n.choose("bn")
    assert kind is EngineError or said not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert not (scene.home / "hosts" / "default" / "certs.d" / "a:5000").exists()


def test_a_notebook_shows_a_sentence_and_no_password(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    for shell in shells.shell():
        cell(shell, 'from dockerlab import lab; lab.htpasswd("auth/x", "a:b", "hush")')
    said = capsys.readouterr()
    assert said.err.startswith("There can be no login “a:b” with this password.")
    assert "Traceback" not in said.out + said.err and "hush" not in said.out + said.err


def cell(shell: InteractiveShell, code: str) -> None:
    shell.run_cell(code, store_history=False)


def test_a_docker_engine_is_told_by_its_owner(
    port: str, need: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The course says how, and changes nothing; what is wrong is said there too."""
    need("docker")
    made = lab.certificate("localhost", folder="for docker")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    assert current().name == "docker"
    ca = made.ca.as_posix()
    said = repr(lab.trust("192.168.1.9:5000", ca=ca))
    assert f"sudo cp '{ca}' /etc/docker/certs.d/192.168.1.9:5000/ca.crt" in said
    with pytest.raises(BadRegistry):
        lab.trust("a; b", ca=ca)
    registry, credentials = f"localhost:{port}", current().credentials
    credentials.erase(registry)
    assert "wants a login" in repr(lab.registry(registry))
    credentials.store(registry, Login(USER, PASSWORD))
    assert "wants a login" not in repr(lab.registry(registry))
    assert not Path("/etc/docker/certs.d/192.168.1.9:5000").exists()
