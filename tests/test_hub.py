"""`dockerlab hub` as a process: what it serves, what it says, and what it refuses."""

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dockerlab.hub import packing
from dockerlab.hub.advice import advice
from dockerlab.hub.stock import Stock
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Manifest
from dockerlab.registry.storage import Storage
from tests.servers import RunningServer, start_server

HUB = [sys.executable, "-m", "dockerlab", "hub"]
Need = Callable[[str], str]


@contextmanager
def running(*flags: str) -> Iterator[RunningServer]:
    """A hub on a free port."""
    server = RunningServer([*HUB, "--port", "0", *flags])
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="module")
def hub() -> Iterator[RunningServer]:
    with running() as server:
        yield server


@pytest.fixture
def packed(tmp_path: Path, need: Need) -> tuple[Layout, Manifest]:
    """The machine's own registry as an image."""
    need("docker-registry")
    program = packing.find()
    assert program
    layout = Layout(tmp_path / "layout")
    index = layout.manifest(packing.pack(layout, program))
    return layout, layout.manifest(index.manifests[0])


def refused(*arguments: str) -> str:
    """What a hub prints that does not start."""
    done = subprocess.run([*HUB, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_it_has_what_the_mini_hub_has(hub: RunningServer) -> None:
    with httpx.Client(base_url=hub.url) as http:
        names = http.get("/v2/_catalog").json()["repositories"]
        assert names == sorted(sample.HUB)
        for name, tags in sample.HUB.items():
            assert set(tags) <= set(http.get(f"/v2/{name}/tags/list").json()["tags"])


def test_skopeo_copies_every_platform(hub: RunningServer, need: Need, tmp_path: Path) -> None:
    source = f"docker://{hub.address}/library/nginx:1.27"
    command = [need("skopeo"), "copy", "--all", "--src-tls-verify=false", source]
    subprocess.run([*command, f"oci:{tmp_path}:nginx"], check=True, capture_output=True)
    assert (
        Layout(tmp_path).entries()[0].descriptor.digest
        == (
            httpx.head(f"{hub.url}/v2/library/nginx/manifests/1.27").headers[
                "Docker-Content-Digest"
            ]
        )
    )


def test_podmans_setting_leads_to_it(hub: RunningServer, need: Need, tmp_path: Path) -> None:
    stock = Stock(Storage(tmp_path / "registry"), {"registry:2": ""})
    said = advice("127.0.0.1", hub.port, stock)
    setting = re.search(r"^    \[\[registry\]\]\n(?:    .*\n)+", said, re.M)
    assert setting
    file = tmp_path / "registries.conf"
    file.write_text(textwrap.dedent(setting[0]), encoding="utf-8")
    image = "docker://docker.io/library/nginx:1.27"
    command = [need("skopeo"), f"--registries-conf={file}", "inspect", "--raw", image]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stdout == httpx.get(f"{hub.url}/v2/library/nginx/manifests/1.27").content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/library/nginx/blobs/uploads/"),
        ("PUT", "/v2/library/nginx/manifests/latest"),
        ("DELETE", "/v2/library/nginx/manifests/latest"),
    ],
)
def test_nobody_writes_to_it(hub: RunningServer, method: str, path: str) -> None:
    answer = httpx.request(method, hub.url + path)
    assert answer.status_code == 405
    assert answer.json()["errors"][0]["code"] == "UNSUPPORTED"
    assert httpx.get(f"{hub.url}/v2/library/nginx/manifests/latest").status_code == 200


def test_its_front_page_says_that_it_stands_in(hub: RunningServer) -> None:
    assert "stand-in for Docker Hub, not the real one" in httpx.get(hub.url).text


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("language", ["bn", "en"])
def test_from_its_start_to_ctrl_c(language: str, tmp_path: Path) -> None:
    env = {**os.environ, "DOCKERLAB_LANG": language, "DOCKERLAB_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [*HUB, "--port", "0"], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    with process, process.stdout as out:
        said = ""
        while "Ctrl-C" not in said:
            line = out.readline()
            assert line, said
            said += line
        setting = re.search(r'^    (\{"registry-mirrors": .*\})$', said, re.M)
        assert setting
        (address,) = json.loads(setting[1])["registry-mirrors"]
        assert httpx.get(f"{address}/v2/").status_code == 200
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert list(tmp_path.rglob("*")) == [tmp_path / "mirror"]
    assert "/etc/docker/daemon.json" in said and "host.docker.internal" in said
    stand_in = {"bn": "আসল ডকার হাব না", "en": "not the real one"}
    assert stand_in[language] in said


def test_the_port_is_taken(hub: RunningServer) -> None:
    said = refused("--port", str(hub.port))
    assert said.startswith(f"Error: Port {hub.port} is taken")
    assert "--port" in said
    assert httpx.get(f"{hub.url}/v2/").status_code == 200


def test_an_address_that_is_none() -> None:
    assert "no such host" in refused("--port", "0", "--host", "no.such.host.invalid")


def test_what_a_killed_one_left_is_cleared_away(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        port = server.port
    left = Path(os.environ["DOCKERLAB_HOME"], "mirror", f"127.0.0.1-{port}", "registry")
    left.mkdir(parents=True)
    left.joinpath("leftover").touch()
    running_there = RunningServer([*HUB, "--port", str(port)])
    assert httpx.get(f"http://127.0.0.1:{port}/v2/").status_code == 200
    assert not left.joinpath("leftover").exists()
    running_there.stop()
    assert not left.exists()


# The packed registry


def test_the_real_registry_is_packed(hub: RunningServer, need: Need) -> None:
    binary = need("docker-registry")
    with httpx.Client(base_url=f"{hub.url}/v2/library/registry/") as http:
        tags = {
            tag: http.head(f"manifests/{tag}").headers["Docker-Content-Digest"]
            for tag in http.get("tags/list").json()["tags"]
        }
    program = packing.find()
    assert program and program.path == Path(binary)
    assert len({tags[tag] for tag in program.tags}) == 1
    assert {"2", "latest", program.version} <= set(program.tags)
    assert tags["3"] != tags["2"]


def test_packing_gives_the_same_bytes(tmp_path: Path, need: Need) -> None:
    need("docker-registry")
    program = packing.find()
    assert program
    first, second = (packing.pack(Layout(tmp_path / name), program) for name in "ab")
    assert first == second


def test_it_is_made_as_the_real_image_is(packed: tuple[Layout, Manifest]) -> None:
    layout, manifest = packed
    assert manifest.config
    said = json.loads(layout.read(manifest.config.digest))
    settings = said["config"]
    assert settings["Entrypoint"] == ["/entrypoint.sh"]
    assert settings["Cmd"] == ["/etc/docker/registry/config.yml"]
    assert settings["ExposedPorts"] == {"5000/tcp": {}}
    assert settings["Volumes"] == {"/var/lib/registry": {}}
    assert settings["Labels"]["dockerlab.sample"] == "registry"
    assert settings["Labels"]["dockerlab.stand-in"] == "registry"
    assert len(manifest.layers) == len(said["rootfs"]["diff_ids"]) == 3


def test_what_is_packed_runs(packed: tuple[Layout, Manifest], tmp_path: Path) -> None:
    layout, manifest = packed
    root = tmp_path / "root"
    for one in manifest.layers:
        with tarfile.open(layout.blob_path(one.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(root)
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can chroot")

    def chroot(*command: str) -> str:
        done = subprocess.run(["chroot", str(root), *command], capture_output=True, check=True)
        return done.stdout.decode()

    assert "distribution" in chroot("/entrypoint.sh", "--version")
    assert "garbage-collect" in chroot("/entrypoint.sh", "help")
    assert chroot("/bin/ls", "/").split()[0] == "bin"
    assert chroot("/entrypoint.sh", "env", "echo=1", "sh", "-c", "echo $echo") == "1\n"


def test_without_the_real_registry_it_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packing.find() is None
    process = subprocess.Popen(
        [*HUB, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    with process, process.stdout as out:
        said = "".join(iter(out.readline, "Ctrl-C ends it.\n"))
        process.terminate()
    assert "sudo apt install docker-registry" in said
    assert "dockerlab hub --image registry.tar" in said


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\necho registry 2.8.2\n"])
def test_only_a_program_of_linux_can_be_packed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    binary = tmp_path / packing.PROGRAM
    binary.write_bytes(content)
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert packing.find() is None


# Images from files


def save(hub: RunningServer, need: Need, target: str) -> None:
    """A file as `docker save` writes it, of the hub's nginx."""
    source = f"docker://{hub.address}/library/nginx:latest"
    command = [need("skopeo"), "copy", "--src-tls-verify=false", source, target]
    subprocess.run(command, check=True, capture_output=True)


def test_images_of_a_file_are_offered_too(hub: RunningServer, need: Need, tmp_path: Path) -> None:
    save(hub, need, f"docker-archive:{tmp_path / 'mine.tar'}:rahim/app:7")
    packed = tmp_path / "registry.tar.gz"
    save(hub, need, f"docker-archive:{tmp_path / 'other.tar'}:registry:2")
    packed.write_bytes(gzip.compress(tmp_path.joinpath("other.tar").read_bytes()))
    with (
        running("--image", str(tmp_path / "mine.tar"), "--image", str(packed)) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert http.get("/v2/rahim/app/tags/list").json()["tags"] == ["7"]
        ours = http.get("/v2/rahim/app/manifests/7")
        given = http.get("/v2/library/registry/manifests/2")
        assert given.json()["config"] == ours.json()["config"]  # it replaces the course's own
        for blob in (ours.json()["config"], *ours.json()["layers"]):
            found = http.get(f"/v2/rahim/app/blobs/{blob['digest']}").content
            assert len(found) == blob["size"]


def test_a_file_without_images_for_it(hub: RunningServer, need: Need, tmp_path: Path) -> None:
    elsewhere, broken, empty = (tmp_path / name for name in ("elsewhere.tar", "broken", "empty"))
    save(hub, need, f"docker-archive:{elsewhere}:localhost:5000/app:1")
    broken.write_bytes(b"no tar at all")
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as archive, empty.open("wb") as file:
        archive.close()
        file.write(archive.fileobj.getvalue())  # type: ignore[union-attr]
    reasons = {
        elsewhere: "none of its images has a name on docker.io",
        empty: "does not contain a manifest.json",
        tmp_path / "absent": "no such file or directory",
        tmp_path: "is a directory",
    }
    for path, reason in reasons.items():
        said = refused("--port", "0", "--image", str(path))
        assert said.startswith(f"Error: {path} has no image") and reason in said
    assert str(broken) in refused("--port", "0", "--image", str(broken))
