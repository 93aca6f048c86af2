"""Two docker hosts that are given the same command lines: the embedded engine and a real one.

The real one is in a network of its own, so both have the same ports free, and the same images.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

from dockerlab.image import digest as digests
from dockerlab.image import layer as layers
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    encode,
)
from dockerlab.image.reference import Reference
from dockerlab.registry import transfer
from dockerlab.registry.certificates import issue
from dockerlab.registry.client import Registry
from dockerlab.registry.htpasswd import add
from tests.containing import free_port, until
from tests.dockers import Docker, Result
from tests.engines import FIRST, SECOND
from tests.online import online

PREPARED = ("images-test/one:v1", "images-test/two:latest")
_AGE = r"(?:\d+ \w+|About an? \w+|Less than a second)"
_MASKS = (
    (re.compile(rf"Up {_AGE}|{_AGE} ago"), "AGE"),
    (
        re.compile(r"20(?:2[5-9]|[3-9]\d)-\d\d-\d\d[T ][\d:.]+(?:Z| \+0000 UTC)"),
        "NOW",
    ),  # the images are older
    (re.compile(r"(?<!sha256:)\b[0-9a-f]{64}\b"), "LONG-ID"),
    (re.compile(r"/[^\s\"]*/volumes/(?=\w)"), "VOLUMES/"),
    (re.compile(r"'/\S+/config\.json'"), "CONFIG"),
    # Of these steps docker shows only those that it finds time for.
    (re.compile(r"(?m)^\w{12}: (?:Verifying Checksum|Download complete|Downloading)\n"), ""),
    # It runs with DOCKER_HOST set, and says so.
    (re.compile(r"Warning: DOCKER_HOST environment variable overrides.*\n"), ""),
)
_TABLE = re.compile(r"(?m)^(?=CONTAINER ID)[\s\S]*")  # its widths are those of ages
_ANY_ORDER = {"push", "pull", "images", "image", "rmi", "volume"}  # of what they print
_MAKING = {"run", "create"}


@dataclass
class Side:
    """One of the two: how it takes a line, where its ports are, what the capital words are.

    `trust` makes it trust the authority in a file at a registry.
    """

    run: Callable[..., Result]
    address: str
    words: dict[str, str]
    trust: Callable[[str, Path], object]
    _given: dict[str, str] = field(default_factory=dict)  # IDs, names and digests of its own

    def __call__(self, line: str) -> str:
        """What it prints for a line, and the status, without what differs from run to run."""
        argv = [self._said(word) for word in shlex.split(line)]
        result = self.run(*argv)
        if _MAKING & {*argv[:2]}:
            self._learn_containers()
        out, err = self._masked(result.out), self._masked(result.err)
        if _ANY_ORDER & {*argv[:1]}:
            out = _sorted(out)
        if _MAKING & {*argv[:2]} and "Pulling from" in err:
            err = _sorted(err)
        return f"{out}\n--- stderr\n{err}\n--- status {result.status}"

    def _said(self, word: str) -> str:
        for name, meaning in self.words.items():
            word = word.replace(name, meaning)
        return word

    def _learn_containers(self) -> None:
        format = "{{.ID}} {{.Names}}"
        lines = self.run("ps", "-a", "--no-trunc", "--format", format).out.splitlines()
        for one, name in (line.split() for line in lines):
            self._given |= {one: "LONG-ID", one[:12]: "ID"}
            if re.fullmatch(r"[a-z]+_[a-z]+\d?", name):
                self._given[name] = "SOME-NAME"

    def _masked(self, text: str) -> str:
        for name in ("FOLDER", "HOST", "NOWHERE", "AWAY", "PORT", "OTHER"):
            text = text.replace(self.words[name], name)
        for known, name in self._given.items():
            text = text.replace(known, name)
        for pattern, name in _MASKS:
            text = pattern.sub(name, text)
        return _TABLE.sub(lambda found: re.sub(" {3,}", "   ", found[0]), text)


@dataclass
class Pair:
    """Both engines."""

    ours: Side
    theirs: Side
    folder: Path
    token: str

    def both(self, line: str) -> tuple[str, str]:
        """What ours and the real one print for a line; for `!name`, method `name` is called."""
        if line.startswith("!"):
            getattr(self, line[1:])()
            return "", ""
        return self.ours(line), self.theirs(line)

    def ready(self) -> None:
        """Wait until both registries at HOST answer."""
        for side in (self.ours, self.theirs):
            until(lambda side=side: _answers(side))

    def secure(self) -> None:
        """Make a certificate for a registry of either host, and a login."""
        files = self.folder / "files"
        issue(files / "certs", "localhost", FIRST, SECOND)
        add(files / "auth" / "htpasswd", "rahima", "s3cret")

    def secure_ready(self) -> None:
        """Wait until both registries called `secure` listen."""
        for side in (self.ours, self.theirs):
            until(lambda side=side: "listening on" in side.run("logs", "secure").err)

    def trust(self) -> None:
        """Let both hosts trust the authority of that certificate at AWAY."""
        ca = self.folder / "files" / "certs" / "ca.crt"
        for side in (self.ours, self.theirs):
            side.trust(side.words["AWAY"], ca)

    def fill(self) -> None:
        """Put images for two platforms into both registries at HOST."""
        layout = Layout(self.folder / "away")
        for side in (self.ours, self.theirs):
            address = f"{side.address}:{side.words['PORT']}"
            with Registry(address, insecure=[address]) as registry:
                for version in (1, 2):
                    name = Reference.parse(f"{address}/repo/ix:v{version}")
                    transfer.push(layout, index_of(layout, version, self.token), registry, name)


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Both engines with the same images; nothing runs yet."""
    ours, token, tar = Docker(folder / "home"), uuid4().hex, str(folder / "prepared.tar")
    layout = ours.engine.images.layout
    lines = [
        Entry(f"docker.io/{name}", image_of(layout, "amd64", version, token))
        for version, name in enumerate(PREPARED, 1)
    ]
    layout.update(lambda _: lines)
    ours.engine.images.entries()  # describes them
    ours.engine.images.add_sample("my-image", "my-image")
    ours.good("save", "-o", tar, *PREPARED, "my-image")
    port = free_port()
    words = {
        "NOWHERE": f"localhost:{free_port()}",
        "HOST": f"localhost:{port}",
        "FOLDER": str(folder / "files"),
        "PORT": str(port),
        "OTHER": str(free_port()),
    }
    (folder / "files").mkdir()
    with ExitStack() as stack:
        stack.callback(ours.engine.reset)
        engine = stack.enter_context(online(folder))
        engine.good("load", "-i", tar)
        here, there = [words | {"AWAY": f"{host}:{words['OTHER']}"} for host in (FIRST, SECOND)]

        def trust(registry: str, ca: Path) -> None:
            ours.engine.trust(registry, ca.read_bytes())

        yield Pair(
            Side(ours, "127.0.0.1", here, trust),
            Side(engine.run, SECOND, there, engine.trust),
            folder,
            token,
        )


def _sorted(text: str) -> str:
    return "\n".join(sorted(text.splitlines()))


def _answers(side: Side) -> bool:
    try:
        with urlopen(f"http://{side.address}:{side.words['PORT']}/v2/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def image_of(layout: Layout, architecture: str, version: int, token: str) -> Descriptor:
    """An image that no other test has: two layers, the first the same in all versions."""
    tars = [
        layers.tar("base", f"{architecture} {token}".encode()),
        layers.tar("top", f"{version} {token}".encode()),
    ]
    created = f"2024-01-0{version}T00:00:00Z"
    lines = ["COPY base /base", "COPY top /top\t" + "x" * 50, 'CMD ["/base"]']
    config = {
        "os": "linux",
        "architecture": architecture,
        "created": created,
        "config": {"Cmd": ["/base"], "Labels": {"dockerlab.sample": "nginx"}},
        "rootfs": {"type": "layers", "diff_ids": [digests.of(tar) for tar in tars]},
        "history": [
            {"created": created, "created_by": line, "comment": "test"}
            | ({"empty_layer": True} if line.startswith("CMD") else {})
            for line in lines
        ],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(encode(config), OCI_CONFIG).to_json(),
        "layers": [layout.add(layers.gzip(tar), OCI_LAYER_GZIP).to_json() for tar in tars],
    }
    added = layout.add(encode(manifest), OCI_MANIFEST)
    return replace(added, platform=Platform("linux", architecture))


def index_of(layout: Layout, version: int, token: str) -> Descriptor:
    """The same image for two platforms."""
    images = [image_of(layout, name, version, token) for name in ("amd64", "arm64")]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [image.to_json() for image in images],
    }
    return layout.add(encode(index), OCI_INDEX)
