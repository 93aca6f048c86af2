"""docker's command line: usage errors and help as docker 28.2.2 prints them."""

import io
import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dockerlab import i18n
from dockerlab.engine.commands import complete
from tests.dockers import Docker, real


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def usage(message: str, line: str, path: str, see: str = "Run") -> str:
    return f"{message}\n\nUsage:  {line}\n\n{see} '{path} --help' for more information\n"


RUN_LINE = "docker run [OPTIONS] IMAGE [COMMAND] [ARG...]"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--nam", "x", "nginx"), "unknown flag: --nam"),
        (("-dz", "nginx"), "unknown shorthand flag: 'z' in -z"),
        (("-p",), "flag needs an argument: 'p' in -p"),
        (("-dp",), "flag needs an argument: 'p' in -p"),
        (("--name",), "flag needs an argument: --name"),
        (
            ("--rm=maybe", "nginx"),
            'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: '
            'parsing "maybe": invalid syntax',
        ),
        (
            ("-e", "", "nginx"),
            'invalid argument "" for "-e, --env" flag: invalid environment variable: ',
        ),
        (
            ("-l", "=x", "nginx"),
            'invalid argument "=x" for "-l, --label" flag: invalid label \'=x\': empty name',
        ),
        (
            ("--mount", "foo", "nginx"),
            'invalid argument "foo" for "--mount" flag: '
            "invalid field 'foo' must be a key=value pair",
        ),
        (
            ("--mount", "type=volume", "nginx"),
            'invalid argument "type=volume" for "--mount" flag: target is required',
        ),
        (("--=x", "nginx"), "bad flag syntax: --=x"),
    ],
)
def test_flags_that_docker_does_not_take(
    docker: Docker, argv: tuple[str, ...], message: str
) -> None:
    result = docker("run", *argv)
    assert (result.out, result.status) == ("", 125)
    assert result.err == usage(message, RUN_LINE, "docker run")


@pytest.mark.parametrize(
    ("argv", "says", "line", "see"),
    [
        ("ps extra", "accepts no arguments", "docker ps [OPTIONS]", "Run"),
        ("run", "requires at least 1 argument", RUN_LINE, "See"),
        ("logs", "requires 1 argument", "docker logs [OPTIONS] CONTAINER", "Run"),
        ("logs a b", "requires 1 argument", "docker logs [OPTIONS] CONTAINER", "Run"),
        ("rename a", "requires 2 arguments", "docker rename CONTAINER NEW_NAME", "Run"),
        (
            "port",
            "requires at least 1 and at most 2 arguments",
            "docker port CONTAINER [PRIVATE_PORT[/PROTO]]",
            "Run",
        ),
        (
            "exec a",
            "requires at least 2 arguments",
            "docker exec [OPTIONS] CONTAINER COMMAND [ARG...]",
            "See",
        ),
    ],
)
def test_numbers_of_arguments(docker: Docker, argv: str, says: str, line: str, see: str) -> None:
    path = f"docker {argv.split()[0]}"
    assert docker.bad(*argv.split()) == usage(f"docker: '{path}' {says}", line, path, see)


def test_the_slip_of_the_pen(docker: Docker) -> None:
    assert docker.bad("volume", "create", "a", "b").endswith(
        "\nSRun 'docker volume create --help' for more information\n"
    )


def test_unknown_commands(docker: Docker) -> None:
    assert docker.bad("foo") == (
        "docker: unknown command: docker foo\n\nRun 'docker --help' for more information\n"
    )
    assert docker.bad("container", "foo") == usage(
        "docker: unknown command: docker container foo", "docker container", "docker container"
    )
    assert docker.bad("volume", "foo") == usage(
        "docker: unknown command: docker volume foo", "docker volume COMMAND", "docker volume"
    )
    assert docker("image", "-q").err == usage(
        "unknown shorthand flag: 'q' in -q", "docker image", "docker image"
    )
    assert docker("--foo", "ps").err == usage(
        "unknown flag: --foo", "docker [OPTIONS] COMMAND [ARG...]", "docker"
    )
    assert docker.bad("help", "foo") == "unknown help topic: foo\n"


@pytest.mark.parametrize(
    "argv",
    [
        ("-dp", "0:5000", "--name=x1"),
        ("-d", "-p0:5000", "--name", "x1"),
        ("-d=true", "--publish=0:5000", "--name", "x1", "--rm=false"),
        ("-d", "-p=0:5000", "--name", "x1", "--"),
        ("--detach", "--sig-proxy=false", "--publish", "0:5000", "--name", "x1", "-it"),
    ],
)
def test_ways_to_write_flags(docker: Docker, argv: tuple[str, ...]) -> None:
    """The port 0 leaves the choice to the system; flags end at the image's name."""
    docker("pull", "-q", "hello-registry")
    result = docker("run", *argv, "hello-registry", "/hello", "--rm", "-z")
    assert (result.err, result.status) == ("", 0)
    assert docker.good("inspect", "-f", "{{.Name}} {{.Args}}", "x1") == "/x1 [--rm -z]\n"


def test_flags_after_arguments(docker: Docker) -> None:
    docker("create", "--name", "x1", "hello-registry")
    assert docker.good("rm", "x1", "-f") == "x1\n"
    assert docker.bad("rm", "--", "-f") == "Error response from daemon: No such container: -f\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ps -a", "container ls --all"),
        ("ps -a", "container ps -a"),
        ("ps -a", "container list -a"),
        ("logs nope", "container logs nope"),
        ("stop nope", "container stop nope"),
        ("rm nope", "container remove nope"),
        ("rename nope x", "container rename nope x"),
        ("info -f {{.Images}}", "system info -f {{.Images}}"),
        ("volume ls", "volume list"),
    ],
)
def test_both_spellings(docker: Docker, one: str, other: str) -> None:
    assert docker(*one.split()) == docker(*other.split())


@pytest.mark.parametrize("argv", ["exec r sh", "build .", "network ls", "swarm", "cp a b", "top x"])
def test_what_takes_a_docker_engine(docker: Docker, argv: str) -> None:
    group = argv.split()[0]
    assert docker.bad(*argv.split()).startswith(f"“docker {group}” needs a Docker Engine. ")


def test_another_engine_is_not_this_one(docker: Docker) -> None:
    for url in ("tcp://127.0.0.1:9", "unix:///nosuch.sock", "nonsense://"):
        assert docker.bad("-H", url, "ps") == (
            f"Cannot connect to the Docker daemon at {url}. Is the docker daemon running?\n"
        )


def test_another_engine_that_answers_takes_docker_itself(docker: Docker) -> None:
    version = {"Version": "29.0", "ApiVersion": "1.50", "Os": "linux", "Arch": "amd64"}

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(version).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        said = docker.bad("--host", f"tcp://127.0.0.1:{server.server_port}", "ps")
    assert said.startswith("“docker --host” needs a Docker Engine. ")


def test_flags_that_take_a_docker_engine(docker: Docker) -> None:
    result = docker("run", "--privileged", "registry:2")
    assert result.status == 125
    assert result.err.startswith("“docker run --privileged” needs a Docker Engine. ")


def test_it_says_so_in_bangla(docker: Docker) -> None:
    i18n.choose("bn")
    assert docker.bad("exec", "r", "sh").startswith("“docker exec” চালাতে ডকার ইঞ্জিন লাগে।")


def test_help_to_the_right_stream(docker: Docker) -> None:
    for argv in ((), ("container",), ("system",)):
        result = docker(*argv)
        assert (result.out, result.status) == ("", 0)
        assert result.err == docker.good(*argv, "--help") == docker.good("help", *argv)
    assert docker.good("--help", "ps") == docker.good("ps", "--help") == docker.good("help", "ps")
    assert docker.good("ps", "-h") == (
        "Flag shorthand -h has been deprecated, use --help\n" + docker.good("ps", "--help")
    )
    assert docker.good("stop", "--help") == (
        "Usage:  docker stop [OPTIONS] CONTAINER [CONTAINER...]\n\n"
        "Stop one or more running containers\n\n"
        "Aliases:\n  docker container stop, docker stop\n\n"
        "Options:\n"
        "  -s, --signal string   Signal to send to the container\n"
        "  -t, --timeout int     Seconds to wait before killing the container\n"
    )


@pytest.mark.parametrize(
    "argv",
    [
        *("ps", "run", "create", "stop", "start", "rm", "kill", "logs", "port", "rename", "wait"),
        *("container ls", "container run", "container inspect", "container", "image", "system"),
        *("volume rm", "volume inspect", "volume prune", "inspect", "version", "context ls"),
    ],
)
def test_help_is_that_of_docker(docker: Docker, need: Callable[[str], str], argv: str) -> None:
    """With an engine of 20.10, which hides the flags that came later."""
    binary = need("docker")
    if not real(binary, "version", "-f", "{{.Server.Version}}").out.startswith("20.10."):
        pytest.skip("another engine hides other flags")
    words = [*argv.split(), "--help"]
    assert docker.good(*words) == real(binary, *words).out


def test_versions(docker: Docker) -> None:
    assert docker.good("--version") == docker.good("-v") == "Docker version 28.2.2, build e6534b4\n"
    shown = docker.good("version")
    assert "Server: dockerlab embedded engine\n" in shown
    assert docker.good("version", "-f", "{{.Server.Version}}") == f"{docker.engine.version}\n"
    assert docker.good("version", "--format", "json").startswith('{"Client":{"Version":"28.2.2"')


def test_info(docker: Docker) -> None:
    docker("run", "hello-registry")
    shown = docker.good("info")
    assert " Containers: 1\n  Running: 0\n  Paused: 0\n  Stopped: 1\n Images: 1\n" in shown
    assert "(dockerlab embedded engine)" in shown
    assert docker.good("info", "-f", "{{.DockerRootDir}}") == f"{docker.engine.path}\n"


def test_disk_usage(docker: Docker) -> None:
    docker("run", "hello-registry")
    docker.good("volume", "create", "v1")
    lines = [line.split() for line in docker.good("system", "df").splitlines()]
    assert lines[0] == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert lines[1][:3] == ["Images", "1", "1"]
    assert lines[2] == ["Containers", "1", "0", "0B", "0B"]
    assert lines[3] == ["Local", "Volumes", "1", "0", "0B", "0B"]


def test_system_prune(docker: Docker) -> None:
    docker("run", "--name", "x1", "hello-registry")
    docker.good("volume", "create", "v1")
    assert docker.good("system", "prune") == (
        "WARNING! This will remove:\n"
        "  - all stopped containers\n"
        "  - all networks not used by at least one container\n"
        "  - all dangling images\n"
        "  - unused build cache\n\n"
        "Are you sure you want to continue? [y/N] "
    )
    shown = docker.good("system", "prune", "-f", "--volumes")
    assert "Deleted Containers:\n" in shown
    assert "Deleted Volumes:\nv1\n" in shown
    assert docker.good("ps", "-aq") == docker.good("volume", "ls", "-q") == ""


def test_completion(docker: Docker) -> None:
    docker("run", "--name", "hello", "hello-registry")
    docker.good("volume", "create", "v1")

    def offers(line: str) -> list[str]:
        return complete(line.split(" "), docker.engine)

    assert offers("p") == ["pause", "plugin", "port", "ps", "pull", "push"]
    assert offers("container st") == ["start", "stats", "stop"]
    assert offers("image l") == ["load", "ls"]
    assert offers("rm he") == ["hello"]
    assert offers("start ") == ["hello"]
    assert offers("stop ") == []
    assert offers("run hello-r") == ["hello-registry:latest"]
    assert offers("run hello-registry h") == []
    assert offers("run --na") == ["--name"]
    assert offers("volume rm ") == ["v1"]
    assert offers("foo ") == []
    assert "run" in complete([""], docker.engine)
    assert complete([], docker.engine) == complete([""], docker.engine)


def test_completion_without_a_usable_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert complete(["rm", ""], Docker(tmp_path / "file").engine) == []


def test_ctrl_c(docker: Docker) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    from dockerlab.engine.commands import run

    assert run(["ps"], docker.engine, Interrupted(), io.StringIO()) == 130


def test_a_reader_that_has_gone(docker: Docker) -> None:
    """`docker ps | head -0`: whoever owns the stream decides."""
    from dockerlab.engine.commands import run

    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError), open(writing, "w", buffering=1) as stream:
        run(["ps"], docker.engine, stream, io.StringIO())
