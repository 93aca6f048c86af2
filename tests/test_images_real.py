"""The same command lines on the embedded engine and on a real Docker Engine, letter by letter.

Lines that docker prints in any order are compared sorted. The images are the course's samples,
carried over with `docker save` and `docker load`; their names are removed again at the end.
"""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple
from uuid import uuid4

import pytest

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
from dockerlab.registry.client import Registry
from tests.dockers import Docker, Result, real
from tests.servers import start_server

IMAGES = "images-test/*"
PREPARED = ("images-test/one:v1", "images-test/two:latest")
NO_DIGEST = "sha256:" + "5" * 64

# HOST is a registry that runs, with repo/ix:v1, :v2 (indexes); NOWHERE is one that does not.
LINES = f"""
images images-test/one
images images-test/one:v1
images images-test/o*
images -q images-test/*
images -q --no-trunc images-test/*
images --digests images-test/*
images --no-trunc images-test/*
images docker.io/images-test/one
images nosuch
images [x
images a b
images --filter foo=bar
images --filter foo
images --filter dangling=x
images --filter before=nosuch
images --filter since=images-test/one:v1 images-test/*
images --filter before=images-test/two images-test/*
images --filter label=dockerlab.sample=nginx images-test/*
images --filter label=dockerlab.sample=x images-test/*
images --format {{{{.Repository}}}} images-test/*
images --format "table {{{{.Repository}}}}\\t{{{{.ID}}}}\\t{{{{.Size}}}}" images-test/*
images --format json images-test/two
images --format raw images-test/two
images --format table -q images-test/two
images --format "{{{{upper .Tag}}}} {{{{.CreatedAt}}}} {{{{.VirtualSize}}}}" images-test/two
images --format {{{{.Foo}}}} images-test/two
images --format {{{{.Repository images-test/two
images --nosuch
tag nosuch x
tag nosuch:v1 x
tag nosuch My-Image
tag images-test/two HOST/My-Image
tag images-test/two http://localhost:5000/x
tag images-test/two "a b"
tag images-test/two ""
tag "" x
tag images-test/two x@{NO_DIGEST}
tag images-test/two sha256:abc
tag images-test/two {"7" * 64}
tag images-test/two x:
tag images-test/two
tag images-test/one:v1 images-test/one:v2
image tag images-test/one:v2 HOST/images-test/one
tag images-test/one:v2 HOST/images-test/one:v2
tag images-test/one:v2 NOWHERE/images-test/one
push
push a b
push nosuch
push nosuch:v2
push HOST/nosuch
push HOST/images-test/one:v3
push -a HOST/images-test/one:v1
push -a HOST/nosuch
push My-Image
push http://localhost:5000/x
push NOWHERE/images-test/one
push -q NOWHERE/images-test/one
push HOST/images-test/one@{NO_DIGEST}
pull
pull My-Image
pull http://localhost:5000/x
pull "a b"
pull ""
pull nginx:
pull -a nginx:latest
pull --platform foo HOST/repo/ix
pull --platform a/b/c/d HOST/repo/ix
pull HOST/repo/nosuch
pull HOST/repo/ix:v9
pull -q HOST/repo/ix:v9
pull -a HOST/repo/nosuch
pull HOST/repo/ix@{NO_DIGEST}
pull HOST/repo/ix@sha256:000
pull NOWHERE/x
pull -q NOWHERE/x:v1
pull HOST/repo/ix:v1
pull HOST/repo/ix:v1
pull -q HOST/repo/ix:v1
pull --platform linux/s390x HOST/repo/ix:v2
pull HOST/repo/ix:v2
image pull -a HOST/repo/ix
pull --platform linux/arm64 HOST/repo/ix:v2
images --digests HOST/repo/ix
rmi HOST/repo/ix:v2 HOST/repo/ix:v1
image inspect nosuch
image inspect images-test/two nosuch images-test/one:v1 -f {{{{.Id}}}}
image inspect -f {{{{.RepoTags}}}} images-test/two
image inspect -f {{{{.RootFS.Layers}}}} images-test/two
image inspect -f {{{{.Foo}}}} images-test/two
image inspect -f {{{{.Foo images-test/two
image inspect My-Image
image inspect
history images-test/two
history --no-trunc images-test/two
history -q images-test/two
history -H=false images-test/two
history --format json images-test/two
history --format "table {{{{.ID}}}}\\t{{{{.Comment}}}}" images-test/two
history --format {{{{.Foo}}}} images-test/two
history nosuch
history
save
save nosuch -o FOLDER/x.tar
save images-test/two:v9 -o FOLDER/x.tar
save My-Image -o FOLDER/x.tar
save -o FOLDER/nosuch/x.tar images-test/two
save -o FOLDER images-test/two
load -i FOLDER/nosuch.tar
load x
rmi
rmi nosuch
rmi -f nosuch
rmi nosuch other:v1 -f
rmi My-Image
rmi http://x
rmi ""
rmi NOWHERE/images-test/one nosuch
rmi images-test/one:v2 HOST/images-test/one HOST/images-test/one:v2
image prune -f --filter foo=bar
image prune x
rmi images-test/one:v1
rmi images-test/two
""".strip().splitlines()
ANY_ORDER = {"push", "pull", "images", "image", "rmi"}


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


class Pair(NamedTuple):
    """Both engines, and what the capital words in LINES stand for."""

    ours: Docker
    binary: str
    words: dict[str, str]

    def run(self, line: str) -> tuple[Result, Result]:
        argv = []
        for word in shlex.split(line):
            for name, meaning in self.words.items():
                word = word.replace(name, meaning)
            argv.append(word)
        return self.ours(*argv), real(self.binary, *argv)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]) -> Iterator[Pair]:
    binary = need("docker")
    folder = tmp_path_factory.mktemp("pair")
    ours = Docker(folder / "home")
    layout, token = ours.engine.images.layout, uuid4().hex
    lines = [
        Entry(f"docker.io/{name}", image_of(layout, "amd64", version, token))
        for version, name in enumerate(PREPARED, 1)
    ]
    layout.update(lambda _: lines)
    tar = str(folder / "prepared.tar")
    ours.good("save", "-o", tar, *PREPARED)
    with start_server(folder / "registry") as server:
        host = f"localhost:{server.port}"
        with Registry(host) as registry, start_server(folder / "gone") as gone:
            nowhere = f"localhost:{gone.port}"
            away = Layout(folder / "away")
            for version in (1, 2):
                name = Reference.parse(f"{host}/repo/ix:v{version}")
                transfer.push(away, index_of(away, version, token), registry, name)
        words = {"HOST": host, "NOWHERE": nowhere, "FOLDER": str(folder)}
        assert real(binary, "load", "-i", tar).status == 0
        try:
            yield Pair(ours, binary, words)
        finally:
            shown = real(binary, "images", "--format", "{{.Repository}} {{.ID}}").out
            mine = ("images-test/", host, nowhere)
            found = [line.split()[1] for line in shown.splitlines() if line.startswith(mine)]
            real(binary, "rmi", "-f", *sorted({*found}))


def test_every_line_is_dockers(pair: Pair) -> None:
    """In one test, since the lines build upon each other."""
    differing = []
    for line in LINES:
        ours, theirs = pair.run(line)
        if _comparable(line, ours) != _comparable(line, theirs):
            differing.append((line, ours, theirs))
    for line, ours, theirs in differing:
        print(line, ours, theirs, sep=chr(10))
    assert differing == []


def _comparable(line: str, result: Result) -> tuple[object, str, int]:
    out, err, status = result.masked
    if line.split()[0] not in ANY_ORDER:
        return out, err, status
    # Of these steps docker shows only those that it finds time for.
    passing = ("Verifying Checksum", "Download complete")
    return sorted(text for text in out.splitlines() if not text.endswith(passing)), err, status
