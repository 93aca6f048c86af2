"""Each check of the second host in each state that it has words for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from benches import Bench, unseen
from servers import start_server

from dockerlab import lab
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.second import SecondHost, second

USER, PASSWORD = "rahima", "toy"
Start = Callable[..., Bench]


@pytest.fixture
def engine(tmp_path: Path) -> Embedded:
    made = Embedded(tmp_path / "home")
    made.images.add_sample("my-image", "my-image")
    return made


@pytest.fixture
def start(engine: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a registry, with TLS and with a password if they are wanted, and a bench at it."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(engine.root))
    made = lab.certificate("localhost", second(engine).first, folder=str(tmp_path / "certs"))
    lab.htpasswd(str(tmp_path / "htpasswd"), USER, PASSWORD)
    settings = {
        "tls": {
            "REGISTRY_HTTP_TLS_CERTIFICATE": str(made.certificate),
            "REGISTRY_HTTP_TLS_KEY": str(made.key),
        },
        "password": {
            "REGISTRY_AUTH": "htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
            "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
        },
    }
    with ExitStack() as stack:

        def begin(*wanted: str) -> Bench:
            env = {name: value for each in wanted for name, value in settings[each].items()}
            root = tmp_path / "-".join(["registry", *wanted])
            return Bench(engine, stack.enter_context(start_server(root, env=env)).address)

        yield begin


@pytest.fixture
def bench(start: Start) -> Bench:
    return start()


def _other(bench: Bench) -> SecondHost:
    """The second host, with the bench's registry among its insecure ones."""
    other = second(bench.engine)
    assert isinstance(other.engine, Embedded)
    other.engine.daemon.configure({"insecure-registries": [other.first]})
    return other


@pytest.mark.parametrize(("check", "tag"), [("other-host", "latest"), ("other-host-v2", "v2")])
def test_other_host(check: str, tag: str, bench: Bench) -> None:
    other, name = _other(bench), f"my-image:{tag}"
    if tag == "v2":
        bench.send("my-image:latest")
        bench.renew()
    assert bench.check(check) == "not-tagged"
    bench.docker(f"tag my-image @/{name}")
    assert bench.check(check) == "not-pushed"
    bench.docker(f"push @/{name}")
    assert bench.check(check) == "not-pulled"
    port = bench.address.rpartition(":")[2]
    bench.docker(f"--context host2 pull {other.first}:{port}/{name}")
    assert bench.check(check) == "ok"
    bench.engine.images.add_sample("hello-world", "my-image")
    bench.send(name)
    assert bench.check(check) == "different"


def test_other_host_v2_that_is_the_old_one(bench: Bench) -> None:
    bench.send("my-image:latest")
    bench.send("my-image:v2")
    assert bench.check("other-host-v2") == "same"


def test_from_host2(bench: Bench) -> None:
    other = _other(bench)
    name = f"{other.first}:{bench.address.rpartition(':')[2]}/from-host2"
    assert bench.check("from-host2") == "not-tagged"
    other.engine.images.add_sample("my-image", name)
    assert bench.check("from-host2") == "not-pushed"
    bench.docker(f"--context host2 push {name}")
    assert bench.check("from-host2") == "ok"


REMOTE = "10.0.0.7:5001/team/app:1.0"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (REMOTE, "ok"),
        (f" {REMOTE} ", "ok"),
        ("", "empty"),
        ("http://" + REMOTE, "invalid"),
        ("10.0.0.7/team/app:1.0", "wrong-registry"),
        ("10.0.0.7:5001/app:1.0", "wrong-namespace"),
        ("10.0.0.7:5001/team/api:1.0", "wrong-name"),
        ("10.0.0.7:5001/team/app", "wrong-tag"),
        (f"{REMOTE}@sha256:{'0' * 64}", "wrong-digest"),
    ],
)
def test_remote_name(answer: str, key: str, bench: Bench) -> None:
    assert bench.check("remote-name", answer) == key


def test_other_host_secure(start: Start, tmp_path: Path) -> None:
    check = "other-host-secure"
    assert start().check(check) == "no-tls"
    assert start("password").check(check) == "no-tls"
    assert start("tls").check(check) == "no-password"
    bench = start("tls", "password")
    assert bench.check(check) == "no-login"
    bench.engine.credentials.store(bench.address, Login(USER, PASSWORD))
    assert bench.check(check) == "not-tagged"
    bench.docker("tag my-image @/my-image")
    assert bench.check(check) == "not-pushed"
    bench.docker("push @/my-image")
    other = _other(bench)
    there = f"{other.first}:{bench.address.rpartition(':')[2]}"
    assert bench.check(check) == "insecure"
    assert isinstance(other.engine, Embedded)
    other.engine.daemon.configure({})
    assert bench.check(check) == "untrusted"
    other.engine.trust(there, (tmp_path / "certs" / "ca.crt").read_bytes())
    assert bench.check(check) == "no-login-there"
    bench.engine.credentials.store(there, Login(USER, PASSWORD))
    assert bench.check(check) == "not-pulled"
    bench.docker(f"--context host2 pull {there}/my-image")
    assert bench.check(check) == "ok"
    bench.renew()
    bench.send("my-image")
    assert bench.check(check) == "different"


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "06-another-host") == set()
