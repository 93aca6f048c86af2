"""`docker push` and `docker pull` on the embedded engine, with real registry processes."""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab import i18n
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.reference import Reference
from dockerlab.registry import transfer
from dockerlab.registry.client import Registry
from tests.dockers import Docker
from tests.servers import RunningServer, start_server

HUB_LINE = "Here docker.io is the course’s Mini Hub"
DENIED = "denied: requested access to the resource is denied"


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    docker = Docker(tmp_path / "home")
    docker.engine.images.add_sample("my-image", "my-image")
    return docker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with start_server(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture
def host(server: RunningServer) -> str:
    return f"localhost:{server.port}"


@pytest.fixture
def nowhere() -> str:
    """The name of a registry that does not run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"localhost:{free.getsockname()[1]}"


def layers(docker: Docker, name: str) -> tuple[list[str], list[str]]:
    """What a push and a pull call the layers."""
    image = docker.engine.images.find(name)
    return (
        [digests.short(diff_id) for diff_id in reversed(image.diff_ids)],
        [digests.short(layer.digest) for layer in image.layers],
    )


def push_lines(name: str, ids: list[str], end: str) -> list[str]:
    return [
        f"The push refers to repository [{name}]",
        *(f"{short}: Preparing" for short in ids),
        *(f"{short}: {end}" for short in ids),
    ]


def test_push_says_what_docker_says(docker: Docker, host: str) -> None:
    ids, _ = layers(docker, "my-image")
    docker.good("tag", "my-image", f"{host}/first")
    *lines, last = docker.good("push", f"{host}/first").splitlines()
    assert lines == ["Using default tag: latest", *push_lines(f"{host}/first", ids, "Pushed")]
    descriptor = docker.engine.images.find("my-image").descriptor
    assert last == f"latest: digest: {descriptor.digest} size: {descriptor.size}"
    again = docker.good("image", "push", f"{host}/first:latest").splitlines()
    assert again[:-1] == push_lines(f"{host}/first", ids, "Layer already exists")
    docker.good("tag", "my-image", f"{host}/second:v2")
    other = docker.good("push", f"{host}/second:v2").splitlines()
    assert other[:-1] == push_lines(f"{host}/second", ids, "Mounted from first")
    assert other[-1] == f"v2: digest: {descriptor.digest} size: {descriptor.size}"


def test_push_remembers_the_digest(docker: Docker, host: str) -> None:
    docker.good("tag", "my-image", f"{host}/remembered")
    docker.good("push", f"{host}/remembered")
    digest = docker.engine.images.find("my-image").descriptor.digest
    inspected = json.loads(docker.good("image", "inspect", "my-image"))[0]
    assert inspected["RepoDigests"] == [f"{host}/remembered@{digest}"]
    shown = docker.good("images", "--digests", "--format", "{{.Digest}}", f"{host}/remembered")
    assert shown == f"{digest}\n"
    assert docker.good("rmi", f"{host}/remembered") == (
        f"Untagged: {host}/remembered:latest\nUntagged: {host}/remembered@{digest}\n"
    )


def test_push_quietly_and_with_all_tags(docker: Docker, host: str) -> None:
    for tag in ("v1", "v2"):
        docker.good("tag", "my-image", f"{host}/all:{tag}")
    assert docker.good("push", "-q", f"{host}/all:v1") == f"{host}/all:v1\n"
    lines = docker.good("push", "--all-tags", f"{host}/all").splitlines()
    assert [line.partition(": digest")[0] for line in lines if "size: " in line] == ["v1", "v2"]
    assert docker.good("push", "-aq", f"{host}/all") == f"{host}/all\n"
    pulled = docker.good("pull", "-a", f"{host}/all").splitlines()
    digest = docker.engine.images.find("my-image").descriptor.digest
    assert pulled == [
        "v1: Pulling from all",
        f"Digest: {digest}",
        "v2: Pulling from all",
        f"Digest: {digest}",
        f"Status: Image is up to date for {host}/all",
        f"{host}/all",
    ]


def test_pull_says_what_docker_says(docker: Docker, host: str, tmp_path: Path) -> None:
    docker.good("tag", "my-image", f"{host}/pulled:v1")
    docker.good("push", f"{host}/pulled:v1")
    digest = docker.engine.images.find("my-image").descriptor.digest
    _, ids = layers(docker, "my-image")
    other = Docker(tmp_path / "elsewhere")
    expected = [
        "v1: Pulling from pulled",
        *(f"{short}: Pulling fs layer" for short in ids),
        *(f"{s}: {text}" for s in ids for text in ("Verifying Checksum", "Download complete")),
        *(f"{short}: Pull complete" for short in ids),
        f"Digest: {digest}",
        f"Status: Downloaded newer image for {host}/pulled:v1",
        f"{host}/pulled:v1",
    ]
    assert other.good("pull", f"{host}/pulled:v1").splitlines() == expected
    assert other.good("image", "pull", f"{host}/pulled:v1").splitlines() == [
        "v1: Pulling from pulled",
        f"Digest: {digest}",
        f"Status: Image is up to date for {host}/pulled:v1",
        f"{host}/pulled:v1",
    ]
    assert other.good("pull", "-q", f"{host}/pulled:v1") == f"{host}/pulled:v1\n"


def test_a_newer_version_brings_only_its_own_layer(
    docker: Docker, host: str, tmp_path: Path
) -> None:
    other = Docker(tmp_path / "elsewhere")
    for version in (1, 2):
        docker.engine.images.add_sample("my-image", f"{host}/versions", version)
        docker.good("push", f"{host}/versions")
        lines = other.good("pull", f"{host}/versions").splitlines()
    ends = [line.partition(": ")[2] for line in lines[2:5]]
    assert ends == ["Already exists", "Already exists", "Pulling fs layer"]
    assert lines[-2] == f"Status: Downloaded newer image for {host}/versions:latest"
    names = other.good("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    # The older one keeps its digest, and so its repository.
    assert names == [f"{host}/versions:latest", f"{host}/versions:<none>"]


def test_pull_by_digest(docker: Docker, host: str, tmp_path: Path) -> None:
    docker.good("tag", "my-image", f"{host}/by-digest")
    docker.good("push", f"{host}/by-digest")
    digest = docker.engine.images.find("my-image").descriptor.digest
    other = Docker(tmp_path / "elsewhere")
    name = f"{host}/by-digest@{digest}"
    lines = other.good("pull", name).splitlines()
    assert lines[0] == f"{name}: Pulling from by-digest"
    assert lines[-2:] == [f"Status: Downloaded newer image for {name}", name]
    assert other.good("images", "--format", "{{.Repository}}:{{.Tag}}") == (
        f"{host}/by-digest:<none>\n"
    )


def test_pull_of_an_index_takes_the_platform_that_is_asked_for(
    docker: Docker, host: str, tmp_path: Path
) -> None:
    images = docker.engine.images
    index = sample.build(images.layout, "my-image")
    with Registry(host) as registry:
        transfer.push(images.layout, index, registry, Reference.parse(f"{host}/index"))
    other = Docker(tmp_path / "elsewhere")
    for architecture in ("amd64", "arm64"):
        lines = other.good("pull", "--platform", architecture, f"{host}/index").splitlines()
        assert f"Digest: {index.digest}" in lines
        assert f"Status: Downloaded newer image for {host}/index:latest" in lines
        found = json.loads(other.good("image", "inspect", f"{host}/index"))[0]
        assert found["Architecture"] == architecture
        # The digest of the index stays with the first image that was pulled by it.
        digest = [f"{host}/index@{index.digest}"]
        assert found["RepoDigests"] == (digest if architecture == "amd64" else [])
    result = other("pull", "--platform", "linux/s390x", f"{host}/index")
    assert result.out == "Using default tag: latest\nlatest: Pulling from index\n"
    assert result.err == "no matching manifest for linux/s390x in the manifest list entries\n"


def test_the_default_platform_is_the_one_that_docker_is_told(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for architecture in ("arm64", "amd64"):
        monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", f"linux/{architecture}")
        docker.good("pull", "hello-world")
        found = docker.good("image", "inspect", "-f", "{{.Architecture}}", "hello-world")
        assert found == f"{architecture}\n"


def test_pull_of_one_image_for_another_platform_warns(docker: Docker, host: str) -> None:
    docker.good("tag", "my-image", f"{host}/single")
    docker.good("push", f"{host}/single")
    lines = docker.good("pull", "--platform", "windows/arm", f"{host}/single").splitlines()
    platform = docker.engine.images.find("my-image").platform
    assert lines[-2] == (
        f"WARNING: image with reference {host}/single was found but does not match the specified "
        f"platform: wanted windows/arm, actual: {platform}"
    )


@pytest.mark.parametrize(
    ("platform", "error"),
    [
        ("foo", '"foo": unknown operating system or architecture: invalid argument'),
        ("a/b/c/d", '"a/b/c/d": cannot parse platform specifier: invalid argument'),
        (
            "a/@",
            '"@" is an invalid component of "a/@": platform specifier component must match '
            '"^[A-Za-z0-9_-]+$": invalid argument',
        ),
    ],
)
def test_platforms_that_are_none(docker: Docker, platform: str, error: str) -> None:
    assert docker.bad("pull", "--platform", platform, "nginx") == (
        f"Error response from daemon: {error}\n"
    )


@pytest.mark.parametrize("command", ["push", "pull"])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        (
            "localhost:5000/My-Image",
            "invalid reference format: repository name (My-Image) must be lowercase",
        ),
        ("http://localhost:5000/x", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("nginx:", "invalid reference format"),
    ],
)
def test_names_that_are_none(docker: Docker, command: str, name: str, error: str) -> None:
    assert docker.bad(command, name) == f"{error}\n"


@pytest.mark.parametrize("command", ["push", "pull"])
def test_all_tags_and_one_tag_at_once(docker: Docker, command: str) -> None:
    assert docker.bad(command, "-a", "x:y") == "tag can't be used with --all-tags/-a\n"


def test_push_of_what_is_not_there(docker: Docker, host: str) -> None:
    result = docker("push", f"{host}/my-image")
    assert result.out == (
        f"Using default tag: latest\nThe push refers to repository [{host}/my-image]\n"
    )
    assert result.err == f"An image does not exist locally with the tag: {host}/my-image\n"
    assert docker.bad("push", "-a", f"{host}/my-image") == result.err
    docker.good("tag", "my-image", f"{host}/my-image:v1")
    assert docker.bad("push", f"{host}/my-image") == (
        f"tag does not exist: {host}/my-image:latest\n"
    )


def test_pull_of_what_is_not_there(docker: Docker, host: str) -> None:
    result = docker("pull", f"{host}/nosuch")
    assert result.out == "Using default tag: latest\n"
    assert result.err == (
        f"Error response from daemon: manifest for {host}/nosuch:latest not found: "
        "manifest unknown: manifest unknown\n"
    )
    assert docker.bad("pull", "-a", f"{host}/nosuch") == (
        f"Error response from daemon: repository {host}/nosuch not found: "
        "name unknown: repository name not known to registry\n"
    )


def test_no_registry_answers(docker: Docker, nowhere: str) -> None:
    port = nowhere.partition(":")[2]
    refused = f'Get "http://{nowhere}/v2/": dial tcp 127.0.0.1:{port}: connect: connection refused'
    docker.good("tag", "my-image", f"{nowhere}/x")
    result = docker("push", f"{nowhere}/x")
    assert result.out.splitlines()[-1] == f"The push refers to repository [{nowhere}/x]"
    assert (result.err, result.status) == (f"{refused}\n", 1)
    assert docker.bad("pull", f"{nowhere}/x") == f"Error response from daemon: {refused}\n"


def test_a_host_that_does_not_exist(docker: Docker) -> None:
    error = docker.bad("pull", "registry.invalid:5000/x")
    assert error.startswith(
        'Error response from daemon: Get "https://registry.invalid:5000/v2/": '
        "dial tcp: lookup registry.invalid"
    )


def test_plain_http_on_a_name_that_is_not_loopback(docker: Docker, tmp_path: Path) -> None:
    address = _own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    with start_server(tmp_path / "open", arguments=("--host", "0.0.0.0")) as server:
        name = f"{address}:{server.port}/x"
        error = (
            f'Get "https://{address}:{server.port}/v2/": '
            "http: server gave HTTP response to HTTPS client\n"
        )
        assert docker.bad("pull", name) == f"Error response from daemon: {error}"
        docker.good("tag", "my-image", name)
        assert docker.bad("push", name) == error


def _own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # no packet is sent
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def test_a_registry_that_goes_away_during_a_push(docker: Docker, tmp_path: Path) -> None:
    """It is killed when the first layer has arrived: docker's error, and the image stays."""
    with start_server(tmp_path / "dying") as server:
        name = Reference.parse(f"localhost:{server.port}/x")
        docker.good("tag", "my-image", str(name))
        images = docker.engine.images

        def kill(step: transfer.Step) -> None:
            if step.state == "uploading" and server.process.poll() is None:
                server.kill()

        with pytest.raises(Exception, match="refused|reset|EOF|broken"):
            images.push(name, kill)
        error = docker.bad("push", str(name))
        assert "connect: connection refused" in error
    assert images.find(str(name)).names


def test_a_layer_that_is_not_what_it_should_be(
    docker: Docker, host: str, server: RunningServer, tmp_path: Path
) -> None:
    """A registry whose disk is broken: nothing of the image is kept."""
    with start_server(tmp_path / "rotten") as rotten:
        docker.good("tag", "my-image", f"localhost:{rotten.port}/x")
        docker.good("push", f"localhost:{rotten.port}/x")
        layer = docker.engine.images.find("my-image").layers[1]
        hexadecimal = layer.digest.partition(":")[2]
        [data] = (tmp_path / "rotten").rglob(f"{hexadecimal}/data")
        data.write_bytes(bytes(layer.size))
        other = Docker(tmp_path / "elsewhere")
        assert other.bad("pull", f"localhost:{rotten.port}/x") == (
            f"filesystem layer verification failed for digest {layer.digest}\n"
        )
        assert other.engine.images.list() == []
        assert other("rmi", "x").status == 1


def test_pull_from_the_mini_hub(docker: Docker) -> None:
    lines = docker.good("pull", "nginx").splitlines()
    assert lines[:2] == ["Using default tag: latest", "latest: Pulling from library/nginx"]
    assert lines[-2:] == [
        "Status: Downloaded newer image for nginx:latest",
        "docker.io/library/nginx:latest",
    ]
    index = docker.engine.hub().resolve("docker.io/library/nginx:latest")
    assert index is not None
    assert f"Digest: {index.digest}" in lines
    labels = docker.good("image", "inspect", "-f", "{{json .Config.Labels}}", "nginx")
    assert sample.STAND_IN_LABEL in labels
    again = docker.good("pull", f"nginx@{index.digest}").splitlines()
    assert again[-2] == f"Status: Image is up to date for nginx@{index.digest}"


def test_all_tags_of_the_mini_hub(docker: Docker) -> None:
    lines = docker.good("pull", "-a", "nginx").splitlines()
    titles = [line for line in lines if "Pulling from" in line]
    assert titles == ["1.27: Pulling from library/nginx", "latest: Pulling from library/nginx"]
    assert lines[-2:] == ["Status: Downloaded newer image for nginx", "docker.io/library/nginx"]


def test_what_the_mini_hub_has_not(docker: Docker) -> None:
    first, second = docker.bad("pull", "nosuch").splitlines()
    assert first == (
        "Error response from daemon: pull access denied for nosuch, repository does not exist or "
        f"may require 'docker login': {DENIED}"
    )
    assert second.startswith(HUB_LINE)
    assert "nginx:latest" in second
    first, second = docker.bad("pull", "nginx:9").splitlines()
    assert first == (
        "Error response from daemon: manifest for nginx:9 not found: "
        "manifest unknown: manifest unknown"
    )
    assert second.startswith(HUB_LINE)


def test_the_mini_hub_introduces_itself_in_bangla(docker: Docker) -> None:
    i18n.choose("bn")
    assert "মিনি হাব" in docker.bad("pull", "nosuch").splitlines()[1]


def test_the_mini_hub_denies_pushes(docker: Docker) -> None:
    ids, _ = layers(docker, "my-image")
    result = docker("push", "my-image")
    assert result.out.splitlines()[-3:] == [f"{short}: Preparing" for short in ids]
    assert (result.err, result.status) == (f"{DENIED}\n", 1)


def test_run_pulls_what_is_not_there(docker: Docker) -> None:
    result = docker("run", "hello-world")
    assert result.status == 0
    lines = result.err.splitlines()
    assert lines[:2] == [
        "Unable to find image 'hello-world:latest' locally",
        "latest: Pulling from library/hello-world",
    ]
    assert lines[-1] == "Status: Downloaded newer image for hello-world:latest"
    assert docker("run", "hello-world").err == ""


def test_output_is_the_same_each_time(docker: Docker, host: str, tmp_path: Path) -> None:
    """Layers come in parallel; the lines must not tell."""
    docker.good("tag", "my-image", f"{host}/steady")
    docker.good("push", f"{host}/steady")
    outputs = set()
    for number in range(10):
        other = Docker(tmp_path / f"host-{number}")
        outputs.add(other.good("pull", f"{host}/steady"))
    assert len(outputs) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk(docker: Docker, host: str, tmp_path: Path) -> None:
    import subprocess

    big = os.urandom(600_000)
    name = _push_big(docker, host, big)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        other = Docker(disk)
        error = other.bad("pull", name)
        assert "no space left on device" in error
        assert other.good("images", "-q") == ""
        assert not list((disk / "hosts/default/images/.partial").glob("*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _push_big(docker: Docker, host: str, content: bytes) -> str:
    """An image with one layer that holds `content`, in the registry."""
    from dockerlab.image import layer
    from dockerlab.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, encode

    layout = docker.engine.images.layout
    tar = layer.tar("big", content)
    config = {"os": "linux", "rootfs": {"type": "layers", "diff_ids": [digests.of(tar)]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(encode(config), OCI_CONFIG).to_json(),
        "layers": [layout.add(tar, OCI_LAYER).to_json()],
    }
    descriptor = layout.add(encode(manifest), OCI_MANIFEST)
    name = f"{host}/big:latest"
    with Registry(host) as registry:
        transfer.push(layout, descriptor, registry, Reference.parse(name))
    return name


def test_sizes_in_push_are_those_of_the_manifest(docker: Docker, host: str) -> None:
    docker.good("tag", "my-image", f"{host}/size")
    last = docker.good("push", f"{host}/size").splitlines()[-1]
    match = re.fullmatch(r"latest: digest: (sha256:[0-9a-f]{64}) size: (\d+)", last)
    assert match is not None
    raw = docker.engine.images.layout.read(match[1])
    assert len(raw) == int(match[2])
