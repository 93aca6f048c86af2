"""What `docker run` takes and refuses.

The texts are those of docker 28.2.2 with engine 20.10.24.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab.engine.ports import are_open
from dockerlab.image.reference import Reference
from tests.containing import HINT, free_port, host, start, status
from tests.dockers import Docker


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


@pytest.fixture
def port() -> int:
    return free_port()


RUNC = (
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: exec: "
)


def test_a_sample_says_hello(docker: Docker) -> None:
    said = docker.good("run", "--name", "hello", "hello-registry")
    assert "Welcome! I am the image hello-registry" in said
    assert status(docker, "hello").startswith("Exited (0)")
    assert docker.good("logs", "hello") == said
    assert docker.good("start", "-a", "hello") == said
    assert docker.good("logs", "hello") == said * 2
    assert docker.good("wait", "hello") == "0\n"
    identity = docker.good("run", "-d", "hello-registry").strip()
    assert docker.good("logs", identity) == said
    assert docker.good("run", "--rm", "hello-registry") == said
    assert len(docker.good("ps", "-aq").split()) == 2


def test_programs_that_an_image_does_not_have(docker: Docker) -> None:
    result = docker("run", "--name", "x", "--name", "x1", "hello-registry", "nope")
    assert result.status == 127
    assert result.err == (
        f'docker: Error response from daemon: {RUNC}"nope": '
        f"executable file not found in $PATH: unknown{HINT}"
    )
    assert status(docker, "x1") == "Created"
    result = docker("run", "--rm", "hello-registry", "/bin/sh")
    assert f'{RUNC}"/bin/sh": stat /bin/sh: no such file or directory: unknown' in result.err
    result = docker("run", "--rm", "--entrypoint", "htpasswd", "registry:2", "-Bbn", "a", "b")
    assert (result.status, result.out) == (127, "")
    assert 'exec: "htpasswd": executable file not found in $PATH: unknown' in result.err
    assert docker.good("ps", "-aq", "--no-trunc", "--filter", "name=x1") == (
        docker.good("ps", "-aq", "--no-trunc")
    )


def test_programs_of_the_registry_image(docker: Docker) -> None:
    docker.good(
        "run", "-d", "--name", "r1", "registry:2", "serve", "/etc/docker/registry/config.yml"
    )
    result = docker("run", "--rm", "registry:2", "garbage-collect", "/etc/x.yml")
    assert result.status == 125
    assert result.err.startswith(
        "“docker run registry:2 garbage-collect /etc/x.yml” needs a Docker"
    )


def test_an_image_that_only_docker_can_run(docker: Docker) -> None:
    store = docker.engine.images
    image = store.find("hello-registry")
    config = {**image.config, "config": {"Cmd": ["python"]}}
    from dockerlab.image.manifest import OCI_CONFIG, OCI_MANIFEST, encode

    added = store.layout.add(encode(config), OCI_CONFIG).to_json()
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": added}
    manifest["layers"] = [layer.to_json() for layer in image.layers]
    descriptor = store.layout.add(encode(manifest), OCI_MANIFEST)
    store.point({str(Reference.parse("python:3")): store.describe(descriptor)})
    result = docker("run", "--rm", "python:3")
    assert (result.status, result.out) == (125, "")
    assert result.err == (
        "“docker run python:3” needs a Docker Engine. This lab runs on dockerlab's own engine, "
        "which runs registries and the course's sample images only.\n"
    )
    assert docker.good("ps", "-aq") == ""


def test_environment(
    docker: Docker, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "1")
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(tmp_path / "wrong"))
    file = tmp_path / "env"
    file.write_text("# comment\nA=file\nB=file\n", encoding="utf-8")
    flags = ("--env-file", str(file), "-e", "A=flag", "-e", "FROM_OUTSIDE", "-e", "UNKNOWN_THING")
    start(docker, port, "registry", *flags)
    env = json.loads(docker.good("inspect", "-f", "{{json .Config.Env}}", "registry"))
    assert env[:3] == ["A=flag", "B=file", "FROM_OUTSIDE=1"]
    assert [entry.partition("=")[0] for entry in env[3:]] == ["PATH"]
    assert not (tmp_path / "wrong").exists()


def test_create_and_cidfile(docker: Docker, tmp_path: Path) -> None:
    file = tmp_path / "cid"
    identity = docker.good("create", "--cidfile", str(file), "--name", "x1", "hello-registry")
    assert file.read_text(encoding="utf-8") == identity.strip()
    assert status(docker, "x1") == "Created"
    result = docker("run", "--cidfile", str(file), "hello-registry")
    assert (result.status, result.err) == (
        125,
        "docker: container ID file found, make sure the other container isn't running or delete "
        f"{file}{HINT}",
    )
    assert docker.good("start", "x1") == "x1\n"


def test_pull_flag(docker: Docker) -> None:
    docker.good("rmi", "hello-registry")
    result = docker("run", "--rm", "--pull", "never", "hello-registry")
    assert (result.status, result.err) == (
        125,
        f"docker: Error response from daemon: No such image: hello-registry:latest{HINT}",
    )
    result = docker("run", "--rm", "hello-registry")
    assert result.status == 0
    assert result.err.startswith("Unable to find image 'hello-registry:latest' locally\n")
    docker.good("rmi", "hello-registry")
    assert docker("run", "--rm", "-q", "hello-registry").err == ""
    assert "Image is up to date" in docker("run", "--rm", "--pull", "always", "hello-registry").err


def test_a_stand_in_says_what_the_real_one_needs(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert docker("run", "--rm", "-q", "nginx").err == (
        "The real nginx needs a Docker Engine. "
        "Here runs the course's small stand-in, which only prints a greeting.\n"
    )
    monkeypatch.setenv("DOCKERLAB_LANG", "bn")
    assert docker("run", "--rm", "-d", "nginx").err.startswith("আসল nginx চালাতে ডকার ইঞ্জিন লাগে।")
    assert docker("run", "--rm", "-q", "hello-world").err == ""


def test_unknown_image(docker: Docker) -> None:
    result = docker("run", "-d", "nosuchimage")
    assert result.status == 125
    assert result.err.startswith(
        "Unable to find image 'nosuchimage:latest' locally\n"
        "docker: Error response from daemon: pull access denied for nosuchimage, repository does "
        "not exist or may require 'docker login': denied: requested access to the resource is "
        f"denied{HINT}Here docker.io is the course’s Mini Hub"
    )
    result = docker("run", "-d", "No/Such")
    assert result.err == (
        f"docker: invalid reference format: repository name (Such) must be lowercase{HINT}"
    )


MOUNT = "invalid mount config for type"
REFUSED = r"""
--name|a b|Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
-p|abc|!invalid containerPort: abc
-p|5050:70000|!invalid containerPort: 70000
-p|abc:5000|!invalid hostPort: abc
-p|999.0.0.1:5050:5000|!invalid IP address: 999.0.0.1
-p|localhost:5050:5000|!invalid IP address: localhost
-p|a:b:c:d|!invalid IP address: a:b
-p|5050:5000/foo|!invalid proto: foo
-p|5050:|!no port specified: 5050:<empty>
-p||!no port specified: <empty>
-p|5050-5052:1-2|!invalid ranges specified for container and host Ports: 1-2 and 5050-5052
-p|5052-5050:5000|!invalid hostPort: 5052-5050
-v|:/x|!invalid spec: :/x: empty section between colons
-v|a:b:c:d|invalid volume specification: 'a:b:c:d'
-v|x:/y:zz|invalid mode: zz
-v|v:r|invalid volume specification: 'v:r': MOUNT "volume": invalid mount path: 'r' mount path \
must be absolute
-v|/tmp:/|invalid volume specification: '/tmp:/': MOUNT "bind": invalid specification: \
destination can't be '/'
-v|a/b:/y|create a/b: "a/b" includes invalid characters for a local volume name, only \
"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
--mount|type=bind,source=/nope,target=/x|MOUNT "bind": bind source path does not exist: /nope
--restart|foo|invalid restart policy 'foo'
--restart|on-failure:x|!invalid restart policy format: maximum retry count must be an integer
--restart|on-failure:-1|maximum retry count cannot be negative
--restart|always:3|maximum retry count cannot be used with restart policy 'always'
--pull|foo|!invalid pull option: 'foo': must be one of "always", "missing" or "never"
"""


@pytest.mark.parametrize("case", REFUSED.replace("\\\n", "").strip().splitlines())
def test_flags_that_docker_refuses(docker: Docker, case: str) -> None:
    """A message without ! comes from the daemon."""
    name, value, message = case.replace("MOUNT", MOUNT).split("|")
    result = docker("run", "-d", name, value, "registry:2")
    who = "" if message.startswith("!") else "Error response from daemon: "
    expected = f"docker: {who}{message.removeprefix('!')}{HINT}"
    assert (result.out, result.err, result.status) == ("", expected, 125)
    assert docker.good("ps", "-aq") == ""


def test_flags_that_exclude_each_other(docker: Docker) -> None:
    assert docker("run", "--rm", "--restart", "always", "registry:2").err == (
        f"docker: conflicting options: cannot specify both --restart and --rm{HINT}"
    )


def test_a_registry_whose_log_says_nothing_answers_all_the_same(docker: Docker, port: int) -> None:
    quiet = ("-e", "REGISTRY_LOG_LEVEL=error", "-e", "REGISTRY_LOG_ACCESSLOG_DISABLED=true")
    published = {"5000/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}], "53/udp": []}
    assert not are_open(published)
    docker.good("run", "-d", "--name", "quiet", "-p", f"{port}:5000", *quiet, "registry:2")
    assert docker.good("logs", "quiet") == ""
    assert are_open(published)
    docker.good("tag", docker.good("pull", "-q", "hello-registry").strip(), f"localhost:{port}/x")
    assert "digest: sha256:" in docker.good("push", f"localhost:{port}/x")
