"""lab.explain: whatever is pasted is read, explained honestly, and its secrets are covered."""

import pytest

from dockerlab import i18n, lab
from dockerlab.course.pasted import COVER, answer, is_error, read
from tests.test_widgets import Balanced

SECRET = "hunter2-hunter2"
WITH_SECRETS = (
    f"$ docker login -u mina -p {SECRET} localhost:5001",
    f"docker login -p{SECRET}",
    f"docker login --password={SECRET} x",
    f'docker login --password "{SECRET} too"',
    f"echo {SECRET} | docker login -u mina --password-stdin",
    f"docker login -u mina --password-stdin <<< {SECRET}",
    f"> Authorization: Basic {SECRET}",
    f"authorization: bearer {SECRET}",
    f"curl -u mina:{SECRET} http://localhost:5001/v2/",
    f'Get "https://mina:{SECRET}@localhost:5001/v2/": connect: connection refused',
    f"htpasswd -Bbn mina {SECRET} > auth/htpasswd",
    f"docker run --entrypoint htpasswd httpd:2 -Bbn mina {SECRET}",
    f"htpasswd -Bbc auth/htpasswd mina {SECRET}",
    f'{{"auths": {{"localhost:5001": {{"auth": "{SECRET}"}}}}}}',
    f'{{"token":"{SECRET}"}}',
    f"docker run -e REGISTRY_HTTP_SECRET={SECRET} registry:2",
    f"DB_PASSWORD: {SECRET}",
    f"denied for dckr_pat_{SECRET}",
    f"eyJhbGciOiJSUzI1NiJ9.{SECRET}.x",
    f'lab.htpasswd("auth/htpasswd", "mina", "{SECRET}")',
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n{SECRET}\n-----END PRIVATE KEY-----",
)
TERMINAL = """\
mina@pc:~/course$ docker pull localhost:5000/x
Error response from daemon: manifest for localhost:5000/x:latest not found: manifest unknown
\x1b[32mmina@pc\x1b[0m:~/course$ sudo docker push my-image\r
Using default tag: latest
The push refers to repository [docker.io/library/my-image]
denied: requested access to the resource is denied
mina@pc:~/course$ """


@pytest.mark.parametrize("text", WITH_SECRETS)
def test_a_secret_is_covered_and_kept_nowhere(text: str) -> None:
    view = lab.explain(text)
    for shown in (repr(view), view.html(), view.html(live=True), repr(vars(view))):
        assert "hunter2" not in shown
    assert COVER in view.html() and "whoever gets this notebook" in repr(view)


@pytest.mark.parametrize(
    "text",
    [
        "docker run -d -p 5000:5000 registry:2",
        "docker login -u mina localhost:5001",
        "curl http://localhost:5000/v2/_catalog",
        "http: server gave HTTP response to HTTPS client",
        "latest: digest: sha256:0a size: 1",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert read(text) == read(read(text).text) and read(text).text == text


def test_of_a_terminal_the_last_error_is_explained_with_its_command() -> None:
    said = answer(read(TERMINAL))
    assert said.key == "push-denied" and said.why.startswith("my-image has no registry")
    assert answer(read(TERMINAL.partition("\x1b")[0])).key == "manifest-unknown"
    alone = answer(read("denied: requested access to the resource is denied"))
    assert alone.key == "push-denied" and alone.why == ""


@pytest.mark.parametrize(
    "prompt", ["", "$ ", "# ", "PS C:\\Users\\mina> ", "[mina@pc x]$ ", "In [3]: %", "%", "!", "❯ "]
)
def test_a_command_is_known_behind_any_prompt(prompt: str) -> None:
    (block, _before) = read(f"{prompt}docker push my-image\nboo").blocks
    assert block.words == ("push", "my-image") and block.said == "boo"


def test_what_was_pasted_is_never_run_by_a_button_unless_it_is_harmless() -> None:
    line = "docker run -d -p 5000:5000 -v /:/host --name registry evil"
    said = f'$ {line}\nConflict. The container name "/registry" is already in use by "0a".'
    for act in answer(read(said)).acts:
        assert "evil" not in act.command or not act.runs
        assert act.then is None or not act.then.runs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Error response from daemon: something new", "reads like docker's daemon"),
        ('{"errors":[{"code":"NEW"}]}', "reads like a registry's answer"),
        ("Traceback (most recent call last):\n  x\nValueError: y", "reads like an error of Python"),
        ("docker: it fell over", "reads like the docker command itself"),
        ("lorem ipsum", "does not even look like an error"),
        ("\x00\x01\x02ELF", "does not even look like an error"),
        ("শুভেচ্ছা! সব ঠিকঠাক", "does not even look like an error"),
    ],
)
def test_an_unknown_error_is_honestly_unknown(text: str, kind: str) -> None:
    said = answer(read(text))
    assert said.key == "" and "not in the course's list" in said.means and kind in said.means
    assert said.do and said.acts == ()
    i18n.choose("bn")
    assert "তালিকায় নেই" in answer(read(text)).means


def test_a_program_that_fails_is_no_error_of_dockers() -> None:
    assert not is_error("ls: cannot access '/x': No such file or directory")
    assert is_error("Unable to find image\ndocker: Error response from daemon: new")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        "docker login " * 800_000,
        ("docker-credential-" * 50 + "\n") * 10_000,
        b"\xff\xfe\x00" * 3_000_000,
        "বাংলা " * 1_000_000,
        "\n" * 5_000_000,
    ],
    ids=["long", "commands", "lines", "binary", "bangla", "empty-lines"],
)
def test_ten_megabytes_are_read_at_once(text: str | bytes) -> None:
    view = lab.explain(text)
    assert len(view.html(live=True)) < 300_000
    tail = lab.explain(str(text) + "\nno space left on device")
    assert tail.meaning and tail.meaning.key == "disk-full"


def test_without_anything_there_is_a_box() -> None:
    for nothing in ("", "  \n", None, b""):
        view = lab.explain(nothing)
        assert repr(view).startswith("Nothing to explain yet.")
        assert "<textarea" not in view.html() and "<textarea" in view.html(live=True)
    view.handle("explain", {"text": f"$ docker login -p {SECRET}\nno basic auth credentials"})
    assert view.meaning and view.meaning.key == "no-credentials"
    assert "notebook" not in view.note and view.note
    assert "hunter2" not in view.html(live=True) + repr(vars(view))


def test_its_pages_are_whole_and_the_same_each_time() -> None:
    for text in ("", TERMINAL, "<b>&amp;</b> invalid reference format"):
        assert lab.explain(text).html() == lab.explain(text).html()
        assert "<b>&amp;" not in Balanced(lab.explain(text).html()).text.partition("<b>")[0]
