"""Each check of the last lesson in each state that it has words for, on registries that run."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benches import Bench, unseen

from dockerlab.engine.embedded import Embedded

NAME = "ghcr.io/rongdhonu/web:1.4"
SETTINGS = """\
version: 0.1
storage: {filesystem: {}, delete: {enabled: false}}
http: {addr: ":5000"}
"""
RIGHT = ["backup", "retention", "replica", "acme", "scanner", "metrics"]


class Lab(Bench):
    """A bench whose registry is a container, or will be, as `backup` is the other one."""

    def __init__(self, engine: Embedded) -> None:
        self.ports = [free(), free()]
        super().__init__(engine, f"localhost:{self.ports[0]}")
        self.backup = f"localhost:{self.ports[1]}"
        self.settings = engine.root / "registry.yml"
        self.settings.write_text(SETTINGS)

    def start(self, *options: str, name: str = "registry") -> None:
        """Run a registry of that name."""
        port = self.ports[name == "backup"]
        self.docker(f"run -d -p {port}:5000 --name {name} {' '.join(options)} registry:2")

    def keep(self, name: str, image: str = "my-image") -> None:
        """Push an image to the backup."""
        self.docker(f"tag {image} {self.backup}/{name}")
        self.docker(f"push -q {self.backup}/{name}")


def free() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Lab]:
    engine = Embedded(tmp_path / "home")
    for name in ("my-image", "hello-registry"):
        engine.images.add_sample(name, name)
    yield Lab(engine)
    engine.reset()


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (NAME, "ok"),
        (f" {NAME}\n", "ok"),
        ("", "empty"),
        (None, "empty"),
        ("https://ghcr.io/rongdhonu/web:1.4", "invalid"),
        ("ghcr.io/রংধনু/web:1.4", "invalid"),
        ("github.com/rongdhonu/web:1.4", "wrong-registry"),
        ("rongdhonu/web:1.4", "wrong-registry"),
        ("ghcr.io/web:1.4", "wrong-namespace"),
        ("ghcr.io/rongdhonu/app:1.4", "wrong-name"),
        ("ghcr.io/rongdhonu/web", "wrong-tag"),
        (f"{NAME}@sha256:{'0' * 64}", "wrong-digest"),
    ],
)
def test_hosted_name(answer: Any, key: str, bench: Lab) -> None:
    assert bench.check("hosted-name", answer) == key


def test_config_file(bench: Lab) -> None:
    assert bench.check("config-file") == "no-registry"
    mount = f"--mount type=bind,src={bench.settings},dst="
    bench.start(f"{mount}/etc/distribution/config.yml")
    assert bench.check("config-file") == "no-file"
    bench.docker("rm -f -v registry")
    bench.start(f"{mount}/etc/docker/registry/config.yml")
    assert bench.check("config-file") == "off"
    bench.settings.write_text(SETTINGS.replace("false", "true"))
    assert bench.check("config-file") == "off"  # it is not read before the next start
    bench.docker("restart registry")
    assert bench.check("config-file") == "ok"


def test_config_file_says_of_another_trouble_what_it_is(bench: Lab) -> None:
    bench.start("-e REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED=true")
    assert bench.check("config-file") == "no-file"
    bench.docker("rm -f -v registry")
    bench.settings.with_name("htpasswd").write_text("")
    bench.start(
        f"-v {bench.settings.parent}:/auth -e REGISTRY_AUTH=htpasswd",
        "-e REGISTRY_AUTH_HTPASSWD_REALM=lab -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd",
    )
    assert bench.check("config-file") == "trouble"


def test_restored(bench: Lab) -> None:
    bench.start()
    assert bench.check("restored") == "no-backup"
    bench.start(name="backup")
    assert bench.check("restored") == "no-backup"  # it is empty
    bench.keep("my-image")
    bench.keep("team/app:1.0", "hello-registry")
    assert bench.check("restored") == "empty"
    bench.send("my-image")
    assert bench.check("restored") == "missing"
    bench.send("team/app:1.0")
    assert bench.check("restored") == "different"  # that is my-image
    bench.docker("tag hello-registry @/team/app:1.0")
    bench.docker("push -q @/team/app:1.0")
    assert bench.check("restored") == "ok"
    bench.docker("stop backup")
    assert bench.check("restored") == "no-backup"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (RIGHT, "ok"),
        (tuple(RIGHT), "ok"),
        ([each.upper() + " " for each in RIGHT], "ok"),
        (["ব্যাকআপ", "গারবেজ কালেকশন", "রেপ্লিকা", "ACME", "স্ক্যানার", "মেট্রিক্স"], "ok"),
        ([""] * 6, "empty"),
        ([], "empty"),
        (None, "empty"),
        ("", "empty"),
        ("backup", "number"),
        (RIGHT[:5], "number"),
        ([*RIGHT[:3], "", *RIGHT[4:]], "gap"),
        ([*RIGHT[:3], "prayer", *RIGHT[4:]], "no-such-word"),
        ([*RIGHT[:3], 7, *RIGHT[4:]], "no-such-word"),
        (RIGHT[::-1], "wrong"),
        ([*RIGHT[:5], "backup"], "wrong"),
    ],
)
def test_production(answer: Any, key: str, bench: Lab) -> None:
    assert bench.check("production", answer) == key


def test_nothing_that_the_checks_can_say_was_left_out(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "10-where-next") == set()
