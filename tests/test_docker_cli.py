"""%docker on a real Docker Engine: the real docker CLI gets the line, and nothing else changes."""

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel
from servers import start_real_registry

from dockerlab import engine
from dockerlab.engine.docker import cli, config, marking
from dockerlab.engine.docker.address import LOCAL, Address
from dockerlab.engine.docker.labels import LAB_LABEL
from dockerlab.engine.serving import serve
from tests import relays, shells
from tests.dockers import Result, real
from tests.running import KILL

Need = Callable[[str], str]
Run = Callable[[str], Any]
IMAGE = "dockerlab-cli-test:1"
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def image(need: Need) -> Iterator[str]:
    """A small image that holds busybox."""
    content, docker = io.BytesIO(), need("docker")
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(need("busybox"), "bin/busybox")
        for name in ("sh", "printf", "tty"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    command = [docker, "import", "-", IMAGE]
    subprocess.run(command, input=content.getvalue(), check=True, capture_output=True)
    yield IMAGE
    real(docker, "image", "rm", "--force", IMAGE)


@pytest.fixture
def docker(need: Need, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The real CLI, a real engine, a lab of its own and a folder that is the learner's."""
    path = need("docker")
    monkeypatch.delenv("DOCKERLAB_ENGINE")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "lab"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "learner"))
    engine.forget()
    yield path
    engine.forget()


@pytest.fixture
def shell(docker: str) -> Iterator[InteractiveShell]:
    yield from shells.shell()


@pytest.fixture
def cell(shell: InteractiveShell) -> Run:
    return lambda code: shell.run_cell(code, store_history=False)


def served(*words: str) -> Result:
    """What a cell shows of a line, and its exit status."""
    out = io.StringIO()
    status = serve(words, out, out)
    return Result(out.getvalue(), "", status)


def inspected(docker: str, kind: str, name: str) -> str:
    """The labels of something, as docker shows them."""
    path = ".Config.Labels" if kind == "container" else ".Labels"
    return real(docker, kind, "inspect", "--format", f"{{{{json {path}}}}}", name).out.strip()


@pytest.mark.parametrize(
    "line",
    [
        "version",
        "network ls --format {{.Name}}",
        "info --format {{json.RegistryConfig}}",
        "image ls --no-trunc -aq --filter reference=nobody",
        "volume create --help",
        "run",
        "run --nonsense",
        "image rm nobody:1",
        "frobnicate",
        "container run --rm",
    ],
)
def test_it_prints_what_the_cli_prints(line: str, docker: str) -> None:
    wanted = subprocess.run(
        [docker, *line.split()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert served(*line.split()) == Result(wanted.stdout, "", wanted.returncode)


@pytest.mark.parametrize(
    ("line", "labelled"),
    [
        ("run -d x", "run LABEL -d x"),
        ("container create --name y x", "container create LABEL --name y x"),
        ("--context host2 -D volume create", "--context host2 -D volume create LABEL"),
        ("-H tcp://x:1 --log-level=debug build .", "-H tcp://x:1 --log-level=debug build LABEL ."),
        ("network create net", "network create LABEL net"),
        ("ps -a", "ps -a"),
        ("image tag run create", "image tag run create"),
        ("container", "container"),
        ("--context", "--context"),
        ("", ""),
    ],
)
def test_what_the_lab_makes_is_labelled_and_nothing_else(line: str, labelled: str) -> None:
    label = f"--label {LAB_LABEL}=1"
    assert " ".join(marking.labelled(line.split())) == labelled.replace("LABEL", label)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("run -d -v data:/var -p 5000:5000 x", ["data"]),
        (
            "create --rm --volume=data:/a:ro -vmore:/b -v data:/c x sh -c x -v not:/d",
            ["data", "more"],
        ),
        ("--context c container run --mount source=data,target=/a x", ["data"]),
        ("run --mount type=volume,src=data,dst=/a --mount type=bind,src=/b,dst=/b x", ["data"]),
        ("run -v /here:/there -v ./here:/a -v /anonymous x", []),
        ("run --nonsense -v data:/a x", []),
        ("run --help", []),
        ("ps -v data:/a", []),
    ],
)
def test_volumes_that_a_container_names_are_made_with_the_label(
    line: str, names: list[str]
) -> None:
    made = marking.volumes(line.split())
    assert [each[-1] for each in made] == names
    assert all(each[-3:-1] == ["--label", f"{LAB_LABEL}=1"] for each in made)


def test_a_learners_own_volume_gets_no_label(docker: str, image: str) -> None:
    mine, labs = "dockerlab-cli-mine", "dockerlab-cli-labs"
    assert real(docker, "volume", "create", mine).status == 0
    made = served("create", "-v", f"{mine}:/mine", "-v", f"{labs}:/labs", image, "sh").out.strip()
    try:
        assert inspected(docker, "volume", mine) in ("{}", "null")
        assert inspected(docker, "volume", labs) == '{"dockerlab.lab":"1"}'
    finally:
        real(docker, "rm", made)
        real(docker, "volume", "rm", mine, labs)


def test_labels_are_really_there(docker: str, image: str) -> None:
    mine = '{"dockerlab.lab":"1"}'
    for kind in ("volume", "network"):
        assert served(kind, "create", "dockerlab-cli-test").status == 0
        assert inspected(docker, kind, "dockerlab-cli-test") == mine
        assert served(kind, "rm", "dockerlab-cli-test").status == 0
    made = served("create", image, "sh").out.strip()
    assert inspected(docker, "container", made) == mine
    served("rm", made)


def test_both_streams_are_shown_as_one_and_the_status_is_kept(
    cell: Run, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "echo 1; sleep .2; echo 2 >&2; sleep .2; printf 'a\\rb\\377'; exit 7"
    cell(f'%docker run --rm --network none {image} sh -c "{script}"\nprint("", _exit_code)')
    assert capsys.readouterr() == ("1\n2\na\rb\ufffd 7\n", "")


def test_variables_of_the_notebook_stand_in_the_line(
    cell: Run, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("x, n, other = 'a b', 5001, ['list']")
    words = """$x "${n}:5000 it's $x" '$x' \\$x $nope ${x}y $other $ "a\\"$n" """
    cell(f"%docker run --rm --network none {image} printf %s/ {words}")
    wanted = ["a b", "5001:5000 it's a b", "$x", "$x", "$nope", "a by", "$other", "$", 'a"5001', ""]
    assert capsys.readouterr().out.split("/") == wanted


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (f"run -it {IMAGE} sh", "-t asks for a terminal"),
        ("volume prune --filter label=nobody", "So nothing was removed."),
        ("image rm nobody", "nobody:latest is not on this machine."),
        ("tag My-Image x", "“My-Image” has capital letters"),
    ],
)
def test_what_docker_refuses_is_explained(
    line: str, means: str, cell: Run, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cell(f"%docker {line}").success
    assert means in capsys.readouterr().out


def test_an_engine_that_stops_in_mid_lesson_is_explained_and_comes_back(
    cell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "docker.sock"
    target = relays.real_socket()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with relays.at(path, target):
        cell("%docker version --format '{{.Server.Os}}'")
        assert capsys.readouterr().out == "linux\n"
    assert cell("%docker ps\n_exit_code").result == 1
    out = capsys.readouterr().out
    assert "Cannot connect to the Docker daemon" in out
    assert "What to do: Start Docker and run the cell again" in out
    with relays.at(path, target):
        assert cell("%docker version\n_exit_code").result == 0


def test_a_lab_that_cannot_be_kept_is_no_traceback(
    cell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "file"))
    assert cell("%docker ps\n_exit_code").result == 1
    out, err = capsys.readouterr()
    assert str(tmp_path / "file") in out and "Traceback" not in out + err


def test_a_docker_host_that_is_wrong_is_told_once(
    cell: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    cell("%docker ps\n%docker ps")
    out, err = capsys.readouterr()
    assert out.count("CONTAINER ID") == 2
    assert err.count("DOCKER_HOST says tcp://127.0.0.1:1. Nobody answers there") == 1
    assert "Meanwhile the course's own engine serves you." in err


def test_an_engine_that_must_be_there_and_is_not_is_no_traceback(
    cell: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert cell("%docker ps").success
    assert cell("_exit_code").result == 1
    out, err = capsys.readouterr()
    assert "none answers" in err and "Traceback" not in out + err and "What it means" not in out


def plugin(folder: Path, name: str, does: str) -> None:
    """A docker command of the learner's own, `docker NAME`."""
    path = folder / "cli-plugins" / f"docker-{name}"
    path.parent.mkdir(parents=True)
    about = '{"SchemaVersion": "0.1.0", "Vendor": "me", "Version": "1", "ShortDescription": "x"}'
    asked = f"if [ $1 = docker-cli-plugin-metadata ]; then echo '{about}'; exit; fi"
    path.write_text(f"#!/bin/sh\n{asked}\n{does}\n")
    path.chmod(0o755)


def test_what_a_command_leaves_running_is_not_waited_for(docker: str, tmp_path: Path) -> None:
    plugin(tmp_path / "learner", "serve", "sleep 300 & echo $!")
    done = served("serve")
    os.kill(int(done.out), KILL)  # ProcessLookupError if it had ended
    assert done.status == 0


def test_last_words_are_not_lost_when_the_machine_is_slow(
    docker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path / "learner", "late", "sleep 0.1; echo last words")
    read = cli._read

    def late(*args: Any) -> None:
        time.sleep(3 * cli._BEAT)  # as if the thread that reads got no time
        read(*args)

    monkeypatch.setattr(cli, "_read", late)
    out = io.StringIO()
    assert serve(["late"], out, out) == 0
    assert out.getvalue() == "last words\n"


def test_a_learners_own_docker_settings_are_read_and_never_written(
    docker: str, image: str, tmp_path: Path
) -> None:
    plugin(tmp_path / "learner", "hello", "echo hi")
    host = f"host=unix://{relays.real_socket()}"
    assert real(docker, "context", "create", "mine", "--docker", host).status == 0
    before = tree(tmp_path / "learner")
    assert served("hello") == Result("hi\n", "", 0)
    assert served("--context", "mine", "version", "--format", "{{.Server.Os}}").out == "linux\n"
    assert served("context", "create", "labs", "--docker", host).status == 0
    assert served("--context", "labs", "version", "--format", "{{.Server.Os}}").out == "linux\n"
    assert served("context", "rm", "labs").status == 0
    assert tree(tmp_path / "learner") == before


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in paths}


def test_the_cli_talks_to_the_engine_that_was_found(
    docker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:1")
    named = cli.environment(Address(LOCAL, "context default"))
    assert named["DOCKER_CONTEXT"] == "default" and "DOCKER_HOST" not in named
    usual = cli.environment(Address("unix:///somewhere/docker.sock", "socket"))
    assert usual["DOCKER_HOST"] == "unix:///somewhere/docker.sock"
    assert usual["DOCKER_CONFIG"] == str(config.folder())
    assert cli.environment(Address(LOCAL, "socket"))["DOCKER_CONTEXT"] == "default"
    own = cli.environment(Address("tcp://elsewhere:1", "DOCKER_HOST"))
    assert own["DOCKER_HOST"] == "tcp://elsewhere:1"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("%docker pu", {"pull", "push"}),
        ("%docker image t", {"tag"}),
        ("%docker run --na", {"--name"}),
        ("%docker tag dockerlab-cli", {IMAGE}),
        ("%docker --conte", {"--context"}),
    ],
)
def test_tab_completes_as_docker_does(
    line: str, wanted: set[str], shell: InteractiveShell, image: str
) -> None:
    with provisionalcompleter():
        found = {each.text for each in shell.Completer.completions(line, len(line))}
    assert wanted <= found
    assert all(each.startswith(line.rpartition(" ")[2]) for each in found)


@pytest.mark.parametrize("is_silent", [True, False])
def test_tab_is_quiet_when_nobody_answers(
    is_silent: bool,
    shell: InteractiveShell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, target = tmp_path / "docker.sock", relays.real_socket()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with relays.at(path, target):
        assert engine.current().name == "docker"
    with relays.at(path) as relay:
        if not is_silent:
            relay.close()
        with provisionalcompleter():
            list(shell.Completer.completions("%docker tag ", 12))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with provisionalcompleter():
        list(shell.Completer.completions("%docker tag ", 12))
    assert capsys.readouterr() == ("", "")


def test_without_a_cli_the_engine_itself_is_asked(
    cell: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    cell("%docker version --format '{{.Server.Os}}'\nprint(_exit_code)")
    assert capsys.readouterr().out == "linux\n0\n"
    cell("%docker network ls")
    assert "needs docker's own command line" in capsys.readouterr().out


def test_in_a_terminal_docker_has_the_terminal(docker: str, image: str) -> None:
    command = [sys.executable, "-m", "dockerlab", "docker", "run", "--rm", "-it"]
    command += ["--network=none", image, "tty"]
    pty = pytest.importorskip("pty", reason="a terminal of POSIX")
    ours, theirs = pty.openpty()
    done = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    said = b""
    while done.poll() is None or not said:
        try:
            said += os.read(ours, 1024)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert (done.wait(), said.decode().strip()) == (0, "/dev/pts/0")


def test_a_command_in_a_terminal_is_explained_too(docker: str) -> None:
    command = [sys.executable, "-m", "dockerlab", "docker", "image", "rm", "nobody"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error response from daemon: No such image: nobody")
    assert "What it means: nobody:latest is not on this machine." in done.stderr


@pytest.mark.parametrize("command", [["docker", "ps"], ["reset", "--yes"]])
def test_a_terminal_is_told_of_an_engine_that_does_not_answer(
    command: list[str], docker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    run = [sys.executable, "-m", "dockerlab", *command]
    done = subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.startswith("DOCKER_HOST says tcp://127.0.0.1:1. Nobody answers there")


class Kernel:
    """A kernel of its own process, as JupyterLab has one, and somebody who answers it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str, answers: tuple[str, ...] = (), interrupt_at: str = "") -> str:
        """What a cell shows; it is interrupted once `interrupt_at` is seen."""
        waiting, shown = list(answers), ""
        message = self.client.execute(code, allow_stdin=bool(answers))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if waiting and self.client.stdin_channel.msg_ready():
                asked = self.client.get_stdin_msg()["content"]
                assert asked["password"] is asked["prompt"].startswith("Password")
                self.client.input(waiting.pop(0))
            if not self.client.iopub_channel.msg_ready():
                time.sleep(0.01)
                continue
            found = self.client.get_iopub_msg()
            content = found["content"]
            if found["parent_header"].get("msg_id") != message:
                continue
            shown += content.get("text") or content.get("data", {}).get("text/plain", "")
            if interrupt_at and interrupt_at in shown:
                interrupt_at = ""
                self.manager.interrupt_kernel()
            if content.get("execution_state") == "idle":
                return shown
        raise AssertionError(f"{code} does not end: {shown}")


@pytest.fixture
def kernel(docker: str) -> Iterator[Kernel]:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    try:
        made = Kernel(manager, client)
        made.run("%load_ext dockerlab")
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def test_output_streams_and_an_interrupt_reaches_docker(kernel: Kernel, image: str) -> None:
    script = "trap 'echo stopped; exit 3' INT; echo ready; while :; do sleep .1; done"
    run = f'%docker run --rm --network none {image} sh -c "{script}"\nprint(_exit_code)'
    assert kernel.run(run, interrupt_at="ready") == "ready\nstopped\n3\n"
    name = kernel.run(
        f"%docker run -d --network none {image} sh -c 'while :; do echo tick; sleep 1; done'"
    ).strip()
    logs = kernel.run(f"%docker logs -f {name}\nprint(_exit_code)", interrupt_at="tick")
    assert logs.startswith("tick\n") and logs.endswith("130\n")
    kernel.run(f"%docker rm -f {name}")


@pytest.fixture
def registry(need: Need, tmp_path: Path) -> Iterator[str]:
    """A real registry that wants a login: rahima, PASSWORD."""
    made = [need("htpasswd"), "-Bbn", "rahima", PASSWORD]
    entry = subprocess.run(made, check=True, capture_output=True, text=True).stdout
    (tmp_path / "htpasswd").write_text(entry)
    settings = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
    }
    binary, root = need("docker-registry"), tmp_path / "registry"
    with start_real_registry(binary, root, env=settings) as server:
        yield f"localhost:{server.port}"


@pytest.fixture
def programs(docker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes what docker is called with; a password store of the learner's is there too."""
    folder, called = tmp_path / "programs", tmp_path / "called"
    folder.mkdir()
    for name, does in (
        ("docker", f'exec {docker} "$@"'),
        ("pass", "exit 1"),
        ("docker-credential-pass", "exit 1"),
        ("docker-credential-secretservice", "exit 1"),
    ):
        path = folder / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>{called}\n{does}\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return called


@pytest.mark.parametrize(
    ("flags", "answers"),
    [
        ("", ("rahima", PASSWORD)),
        ("-u rahima", (PASSWORD,)),
        ("--password-stdin", ("rahima", PASSWORD)),
        ("--username=rahima --password-stdin", (PASSWORD,)),
    ],
)
def test_a_password_is_asked_for_and_kept_nowhere_in_the_notebook(
    flags: str, answers: tuple[str, ...], registry: str, programs: Path, kernel: Kernel
) -> None:
    shown = kernel.run(f"%docker login {flags} {registry}\nprint(_exit_code)", answers)
    assert "Login Succeeded" in shown and shown.endswith("0\n")
    history = kernel.run("print(In, Out, dir(), get_ipython().user_ns)")
    called = programs.read_text()
    assert "credential" not in called and "pass " not in called
    assert called.count("--password-stdin") >= 1
    assert PASSWORD not in shown + called + history
    kept = config.folder() / "config.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and registry in kept.read_text()
    assert config.folder().stat().st_mode & 0o777 == 0o700
    again = kernel.run(f"%docker login {registry}")  # docker knows it now, and nobody is asked
    assert "Login Succeeded" in again
    assert not (config.learners() / "config.json").exists()


def test_a_wrong_password_is_explained(registry: str, kernel: Kernel) -> None:
    shown = kernel.run(f"%docker login {registry}\nprint(_exit_code)", ("rahima", "wrong"))
    assert "401 Unauthorized" in shown and "What it means: The password is wrong" in shown


def test_where_nobody_can_be_asked_docker_refuses_itself(registry: str, kernel: Kernel) -> None:
    shown = kernel.run(f"%docker login {registry}")
    assert "annot perform an interactive login from a non" in shown
    assert "What it means: docker login wants a terminal" in shown


def test_a_password_in_the_cell_works_and_is_warned_about(registry: str, kernel: Kernel) -> None:
    shown = kernel.run(f"%docker login -u rahima -p '{PASSWORD}' {registry}")
    assert "Leave -p out of the cell" in shown and "Login Succeeded" in shown
