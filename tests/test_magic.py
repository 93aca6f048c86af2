"""%docker and %lang in a real shell, and in a real kernel as JupyterLab talks to it."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel
from servers import start_server

from dockerlab import engine, magic
from dockerlab.registry.htpasswd import add
from tests import shells

Run = Callable[[str], Any]
Kernel = tuple[KernelManager, BlockingKernelClient]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def my_image(home: Path) -> None:
    """my-image is in the lab."""
    engine.current().images.add_sample("my-image", "my-image")


@pytest.fixture
def shell(home: Path) -> Iterator[InteractiveShell]:
    yield from shells.shell()


@pytest.fixture
def cell(shell: InteractiveShell) -> Run:
    return lambda code: shell.run_cell(code, store_history=False)


def completions(shell: InteractiveShell, line: str) -> list[str]:
    """What Tab offers after `line`, as JupyterLab asks for it."""
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(line, len(line))]


@pytest.mark.usefixtures("my_image")
def test_a_command_prints_what_docker_prints(cell: Run, capsys: pytest.CaptureFixture[str]) -> None:
    done = cell("%docker image ls --format '{{.Repository}}:{{.Tag}}'\n_exit_code")
    assert done.success and done.result == 0
    assert capsys.readouterr().out.splitlines()[0] == "my-image:latest"


@pytest.mark.usefixtures("my_image")
def test_a_path_of_the_notebook_is_filled_in_too(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("from pathlib import Path\nHERE = Path('some folder')")
    cell('%docker image ls --format "{{.Tag}} $HERE/certs"')
    assert capsys.readouterr().out == f"latest {Path('some folder')}/certs\n"


@pytest.mark.usefixtures("my_image")
def test_braces_and_dollars_reach_docker_as_they_are_typed(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("my = 1\n%docker image ls --format '{{.Tag}} {my} $my #'")
    assert capsys.readouterr().out == "latest {my} $my #\n"


@pytest.mark.usefixtures("my_image")
def test_what_docker_refuses_is_shown_and_explained_and_raises_nothing(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    done = cell("%docker image tag my-image localhost:5000/My-Image\nprint(_exit_code)")
    assert done.success
    out, err = capsys.readouterr()
    assert (out.splitlines(), err) == (
        [
            'Error parsing reference: "localhost:5000/My-Image" is not a valid repository/tag: '
            "invalid reference format: repository name (My-Image) must be lowercase",
            "What it means: “My-Image” has capital letters, and a repository's name has none.",
            "What to do: Did you mean localhost:5000/my-image?",
            "1",
        ],
        "",
    )
    cell("%docker tag my-image localhost:5000/my-image\nprint(_exit_code)")
    assert capsys.readouterr() == ("0\n", "")


def test_an_error_that_nobody_knows_is_said_to_be_one(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cell("%docker run -p 99999:5000 nginx\n_exit_code").result == 125
    out = capsys.readouterr().out
    assert "invalid hostPort: 99999" in out and "This error is not in the course's list" in out


@pytest.mark.usefixtures("my_image")
def test_the_explanation_is_in_the_learners_language(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("%lang bn\n%docker push my-image")
    out = capsys.readouterr().out
    assert "denied: requested access to the resource is denied" in out
    assert "এর মানে: এই নামে লেখার অনুমতি তোমার নেই।" in out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run 'my-image", "A quotation mark in this line is opened and never closed."),
        ("ps | grep x", "“|” belongs to a shell"),
        ("ps > file", "“>” belongs to a shell"),
    ],
)
def test_what_only_a_shell_can_do_is_said_kindly(
    line: str, said: str, cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cell(f"%docker {line}\n_exit_code").result == 1
    assert said in capsys.readouterr().err


def test_a_lab_that_cannot_be_kept_is_no_traceback(
    cell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "file"))
    assert cell("%docker ps\n_exit_code").result == 1
    out, err = capsys.readouterr()
    assert str(tmp_path / "file") in out + err and "Traceback" not in out + err


def test_lang_chooses_tells_and_knows_no_other(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("%lang\n%lang bn\n%lang\n%lang en\n%lang fr\n%lang")
    assert capsys.readouterr().out.splitlines() == [
        *("English", "বাংলা", "বাংলা", "English"),
        "“fr” is not a language here. Type %lang bn or %lang en.",
        "English",
    ]


def test_a_bad_name_in_code_ends_in_no_traceback(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    done = cell("from dockerlab import Reference\nReference.parse('http://localhost:5000/x')")
    assert done.success  # so that “Run All” goes on
    assert capsys.readouterr() == (
        "What it means: A name does not begin with “http://”: it is not a web address.\n"
        "What to do: Did you mean localhost:5000/x?\n",
        "invalid reference format\n",
    )


def test_any_error_of_the_lab_is_shown_with_its_meaning(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cell("from dockerlab.errors import BlobMissing, EngineError\nraise BlobMissing('sha256:0')")
    assert capsys.readouterr() == ("", "The blob sha256:0 is missing.\n")
    cell("raise EngineError('Error response from daemon: No such image: x:latest')")
    out, err = capsys.readouterr()
    assert err == "Error response from daemon: No such image: x:latest\n"
    assert out.startswith("What it means: x:latest is not on this machine.")


def test_other_errors_keep_their_traceback(cell: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert not cell("1 / 0").success
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert cell("try:\n    Reference\nexcept NameError as e:\n    caught = True\ncaught").result


def test_a_registry_that_does_not_run_is_no_traceback(
    cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()[1]
    assert cell(f"import httpx\nhttpx.get('http://127.0.0.1:{nobody}/v2/')").success
    out, err = capsys.readouterr()
    assert err.startswith("ConnectError: ") and "Traceback" not in out + err
    assert "What it means: Nobody answers at that address." in out


def test_an_engine_that_is_not_here_is_named(
    cell: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKERLAB_ENGINE", "podman")
    cell("%docker ps")
    assert "asks for the engine “podman”" in capsys.readouterr().err


def test_a_bad_name_can_be_caught_as_any_exception(cell: Run) -> None:
    code = (
        "from dockerlab import InvalidReference, Reference\n"
        "try:\n    Reference.parse('My-Image')\n"
        "except InvalidReference as error:\n    found = error.suggestion\nfound"
    )
    assert cell(code).result == "my-image"


def test_a_here_string_is_read_as_bash_would_have_it(
    cell: Run, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(home / "htpasswd", "rahima", "shapla phool", 4)
    env = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "lab"}
    env["REGISTRY_AUTH_HTPASSWD_PATH"] = str(home / "htpasswd")
    with start_server(home / "registry", env=env) as server:
        for secret, said in (("'shapla'", "401 Unauthorized"), ("$word", "Login Succeeded")):
            word = "word = 'shapla phool'\n"
            line = f"%docker login localhost:{server.port} -u rahima --password-stdin <<< {secret}"
            cell(word + line)
            assert said in capsys.readouterr().out
    cell("%docker ps <<<")  # what is not there is docker's to refuse
    assert "accepts no arguments" in capsys.readouterr().out


def test_a_name_is_displayed_by_its_parts(shell: InteractiveShell, cell: Run) -> None:
    name = cell("from dockerlab import Reference\nReference.parse('nginx')").result
    shown, _ = shell.display_formatter.format(name)
    assert "library" in shown["text/html"] and shown["text/plain"].startswith("Reference(")


def test_loading_twice_changes_nothing(
    shell: InteractiveShell, cell: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    magic.load(shell)
    shell.run_line_magic("reload_ext", "dockerlab")
    cell("Reference = __import__('dockerlab').Reference\nReference.parse('A')")
    assert capsys.readouterr().err.count("must be lowercase") == 1
    assert completions(shell, "%docker imag").count("image") == 1


@pytest.mark.usefixtures("my_image")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("%docker pu", {"pull", "push"}),
        ("%docker image t", {"tag"}),
        ("%docker run --na", {"--name"}),
        ("%docker tag my", {"my-image:latest"}),
        ("%docker image rm my-image:l", {"my-image:latest"}),
        ("%docker push my-image localhost:", set()),
    ],
)
def test_tab_completes_commands_flags_and_images(
    line: str, wanted: set[str], shell: InteractiveShell
) -> None:
    found = completions(shell, line)
    assert wanted <= set(found)
    if wanted:
        typed = line.rsplit(" ", 1)[1]
        assert all(word.startswith(typed) for word in found)


@pytest.fixture
def kernel(home: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """A kernel of its own process, as JupyterLab starts one."""
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    try:
        client.execute_interactive("%load_ext dockerlab", timeout=60, output_hook=lambda _: None)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def executed(client: BlockingKernelClient, code: str) -> tuple[str, str, dict[str, Any]]:
    """What a cell shows (stdout and displays) and writes to stderr, and the kernel's answer."""
    texts = {"stdout": "", "stderr": ""}

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            texts[message["content"]["name"]] += message["content"]["text"]
        if message["msg_type"] == "display_data":
            texts["stdout"] += message["content"]["data"]["text/plain"]
        assert message["msg_type"] != "error", message["content"]["traceback"]

    reply = client.execute_interactive(code, timeout=60, output_hook=collect)
    return texts["stdout"], texts["stderr"], reply["content"]


@pytest.mark.usefixtures("my_image")
def test_a_kernel_runs_completes_and_never_stops_a_run_all(kernel: Kernel) -> None:
    _, client = kernel
    out, err, reply = executed(client, "%docker image ls --format {{.Repository}}")
    assert (out, err, reply["status"]) == ("my-image\n", "", "ok")
    out, err, reply = executed(client, "from dockerlab import Reference\nReference.parse('A')")
    assert err == "invalid reference format: repository name (library/A) must be lowercase\n"
    assert "Did you mean a?" in out and reply["status"] == "ok"
    for code, wanted in (
        ("x = 1\n%docker pu", {"pull", "push"}),
        ("%docker tag my-i", {"my-image:latest"}),
        ("%docker ", {"run", "image", "ps"}),
    ):
        found = client.complete(code, len(code), reply=True, timeout=60)["content"]
        assert wanted <= set(found["matches"])
        replaced = code[found["cursor_start"] : found["cursor_end"]]
        assert replaced == code.rsplit(" ", 1)[1]


def test_interrupting_logs_in_a_kernel_is_quiet(kernel: Kernel) -> None:
    manager, client = kernel
    assert (
        executed(client, "%docker run -d --name registry -p 0:5000 registry:2")[1].count("Error")
        == 0
    )
    message = client.execute("%docker logs -f registry\nprint('status', _exit_code)")
    texts = {"stdout": "", "stderr": ""}
    interrupted = idle = False
    deadline = time.monotonic() + 60
    while not idle and time.monotonic() < deadline:
        found = client.get_iopub_msg(timeout=60)
        if found["parent_header"].get("msg_id") != message:
            continue
        if found["msg_type"] == "stream":
            texts[found["content"]["name"]] += found["content"]["text"]
        if "listening on" in "".join(texts.values()) and not interrupted:
            interrupted = True
            manager.interrupt_kernel()
        idle = found["content"].get("execution_state") == "idle"
    executed(client, "%docker rm -f registry")
    assert interrupted and idle
    assert texts["stdout"].endswith("status 130\n") and "Traceback" not in texts["stderr"]
