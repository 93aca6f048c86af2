"""Why an error came here, seen in a real lab, and what is offered to do about it."""

import shlex
import socket
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from dockerlab import engine, i18n
from dockerlab.course.causes import Act, explained, look
from dockerlab.course.causes.scene import Scene
from dockerlab.course.data import load
from dockerlab.course.explain import Meaning, known_errors
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.serving import serve


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """A lab of its own, with my-image."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    here = engine.current()
    assert isinstance(here, Embedded)
    here.images.add_sample("my-image", "my-image")
    yield here
    for host in here.hosts():
        host.reset()


@pytest.fixture
def port() -> int:
    """One that was free a moment ago, and the next ones with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def docker(line: str) -> tuple[int, str]:
    said = StringIO()
    return serve(shlex.split(line), said, said), said.getvalue()


def good(line: str) -> None:
    status, said = docker(line)
    assert status == 0, said


def wrong(line: str) -> Meaning:
    """What is said of a line that fails."""
    status, said = docker(line)
    assert status, said
    meaning = explained(said, shlex.split(line))
    assert meaning, said
    return meaning


def take(act: Act) -> Act | None:
    """Do what is offered; what is offered then."""
    assert act.runs
    for line in act.lines:
        good(shlex.join(line))
    return act.then


def test_every_cause_has_its_sentences_and_every_sentence_its_error() -> None:
    errors = {known.key for known in known_errors()}
    assert set(load("causes.yaml")) <= errors


def test_a_platform_that_was_asked_for() -> None:
    for line in ("pull --platform linux/s390x nginx", "pull --platform=linux/s390x nginx"):
        assert wrong(line).why == "You asked for linux/s390x, with --platform."
    said = "no matching manifest for linux/s390x in the manifest list entries"
    pasted = explained(said)
    assert pasted and pasted.why.startswith("This machine is linux/")


def test_a_push_without_a_registry_in_the_name() -> None:
    meaning = wrong("push my-image")
    assert meaning.why == (
        "my-image has no registry in its name, so Docker took it for "
        "docker.io/library/my-image:latest."
    )
    (act,) = meaning.acts
    assert act.command == "docker image tag my-image localhost:5000/my-image"
    then = take(act)
    assert then and then.command == "docker push localhost:5000/my-image"
    assert docker("image inspect localhost:5000/my-image")[0] == 0
    i18n.choose("bn")
    assert "my-image-এর সামনে কোনো রেজিস্ট্রির ঠিকানা নেই" in str(wrong("push my-image"))


def test_a_push_into_anothers_account(lab: Embedded) -> None:
    good("tag my-image rahima/my-image")
    meaning = explained("denied: requested access to the resource is denied", ["push", "rahima/x"])
    assert meaning and "belongs to rahima at docker.io, and you are not logged in" in meaning.why
    assert [(act.command, act.runs) for act in meaning.acts] == [("docker login", False)]
    lab.credentials.store("docker.io", Login("karim", "secret"))
    meaning = explained("denied: requested access to the resource is denied", ["push", "rahima/x"])
    assert meaning and "there you are logged in as karim" in meaning.why
    assert "secret" not in repr(meaning)


def test_a_name_that_is_not_one() -> None:
    (act,) = wrong("image tag my-image localhost:5000/My-Image").acts
    take(act)
    assert docker("image inspect localhost:5000/my-image")[0] == 0
    assert wrong("rmi localhost:5000/My-Image").acts == ()  # nothing is removed on a guess


def test_a_registry_that_is_not_there_stopped_or_somewhere_else(port: int) -> None:
    good(f"tag my-image localhost:{port}/my-image")
    meaning = wrong(f"push localhost:{port}/my-image")
    assert "there is no registry in this lab" in meaning.why
    (act,) = meaning.acts
    assert act.command == f"docker run -d -p {port}:5000 --name registry registry:2"
    push = take(act)
    assert push and take(push) is None
    good("stop registry")
    meaning = wrong(f"push localhost:{port}/my-image")
    assert f"Nobody is at port {port}, because the registry's container registry" in meaning.why
    assert meaning.acts[0].command == "docker start registry"
    take(meaning.acts[0])
    meaning = wrong("pull localhost:1/my-image")
    assert meaning.why == (
        f"No container publishes port 1. Your registry registry is at localhost:{port}."
    )


def test_a_tag_or_a_repository_that_the_registry_has_not(port: int) -> None:
    good(f"run -d -p {port}:5000 --name registry registry:2")
    there = f"localhost:{port}"
    assert "is empty" in wrong(f"pull {there}/my-image").why
    good(f"tag my-image {there}/my-image:v1")
    meaning = wrong(f"pull {there}/my-image:v1")
    (push, shown) = meaning.acts
    assert shown.text == f'lab.registry("{there}")' and not shown.runs
    pull = take(push)
    assert pull and take(pull) is None
    meaning = wrong(f"pull {there}/my-image:v2")
    assert meaning.why == "There is a my-image, and its tags are: v1."
    assert meaning.acts[0].command == f"docker pull {there}/my-image:v1"
    assert "It has: my-image." in wrong(f"pull {there}/nosuch").why


def test_a_port_that_is_taken(port: int) -> None:
    good(f"run -d -p {port}:5000 --name registry registry:2")
    meaning = wrong(f"run -d -p {port}:5000 --name two registry:2")
    assert meaning.why == f"Port {port} belongs to the lab's container registry."
    elsewhere, stop = meaning.acts
    assert stop.sure and not elsewhere.sure
    take(elsewhere)
    assert f"{port}:" not in docker("port two")[1]
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        meaning = wrong(f"run -d -p {taken}:5000 --name three registry:2")
        assert f"No container of this lab has port {taken}" in meaning.why
    seen = explained(f"Bind for 0.0.0.0:{taken} failed: port is already allocated")
    assert seen and seen.why == f"Port {taken} is free now, though. Try again."


def test_a_name_that_is_taken(port: int) -> None:
    line = f"run -d -p {port}:5000 --name registry registry:2"
    good(line)
    meaning = wrong(line)
    assert meaning.why == "registry is running."
    good("stop registry")
    start, remove = wrong(line).acts
    assert start.command == "docker start registry" and remove.sure
    again = take(remove)
    assert again and again.command == f"docker {line}"
    take(again)


def test_what_is_nearly_right() -> None:
    good("run --name hello hello-registry")
    assert "There is my-image, though" in wrong("tag my-imag x").why
    take(wrong("tag my-imag localhost:5000/x").acts[0])
    assert wrong("stop helo").acts == ()
    assert take(wrong("logs helo").acts[0]) is None
    assert [act.command for act in wrong("pull ngnix").acts] == ["docker pull nginx"]
    assert wrong("pusg my-image").acts[0].text == "docker push my-image"
    assert take(wrong("tag nginx mine").acts[0]) is not None
    assert "made from this image" in wrong("rmi hello-registry").why
    take(take(wrong("rmi hello-registry").acts[0]) or Act(""))
    assert "There are: default." in wrong("--context host3 ps").why
    assert "All there is here is" in wrong("tag nosuchthing x").why
    assert wrong("tag nosuchthing x").acts == ()  # Mini Hub has it no more than this host


def test_logins_and_their_addresses(lab: Embedded) -> None:
    said = 'Head "http://localhost:5001/v2/x/manifests/latest": no basic auth credentials'
    meaning = explained(said, ["pull", "localhost:5001/x"])
    assert meaning and "not logged in to any registry" in meaning.why
    lab.credentials.store("localhost:5000", Login("mina", "secret"))
    meaning = explained(said, ["pull", "localhost:5001/x"])
    assert meaning and meaning.why.startswith("You are logged in to localhost:5000, but not to")
    assert [act.command for act in meaning.acts] == ["docker login localhost:5001"]
    lab.credentials.store("localhost:5001", Login("mina", "secret"))
    meaning = explained(said, ["pull", "localhost:5001/x"])
    assert meaning and "logged in to localhost:5001 as mina" in meaning.why


def test_on_another_host_it_is_seen_from_there(lab: Embedded) -> None:
    assert lab.neighbour("host2").images.list() == []
    meaning = wrong("--context host2 pull localhost:5000/my-image")
    assert meaning.why.startswith("The command ran on host2, where localhost means host2 itself.")
    said = 'Get "https://192.168.56.100:5000/v2/": http: server gave HTTP response to HTTPS client'
    seen = explained(said, ["--context", "host2", "pull", "192.168.56.100:5000/my-image"])
    assert seen and "It is the daemon there that asked for HTTPS" in seen.why
    meaning = wrong("--context host2 push my-image")
    assert meaning.acts == ()  # the image is on the other one


def test_a_certificate_that_nobody_knows_here(lab: Embedded) -> None:
    said = 'Get "https://lab.example:5000/v2/": x509: certificate signed by unknown authority'
    meaning = explained(said)
    assert meaning and meaning.why == (
        "Nobody has told this daemon yet whom to trust at lab.example:5000."
    )
    assert [act.text for act in meaning.acts] == ['lab.trust("lab.example:5000")']
    lab.trust("lab.example:5000", b"-----BEGIN CERTIFICATE-----\n")
    meaning = explained(said)
    assert meaning and "the certificate is from somebody else" in meaning.why
    named = explained("x509: certificate is valid for a.example, b.example, not localhost")
    assert named and named.why == (
        "You typed localhost, and the certificate is for a.example, b.example."
    )


def test_another_engine_is_not_looked_at() -> None:
    meaning = explained("No such container: x", ["-H", "tcp://10.0.0.1:2375", "stop", "x"])
    assert meaning and meaning.why == "" and meaning.acts == ()


def test_a_registry_that_is_silent_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = f"localhost:{silent.getsockname()[1]}"
        said = f"manifest for {there}/x:latest not found: manifest unknown"
        begin = time.monotonic()
        meaning = explained(said, ["pull", f"{there}/x"])
        assert meaning and meaning.why == ""
        assert time.monotonic() - begin < 10  # not the client's own patience, which is longer


ODD_WORDS = ((), ("push",), ("run", "-p"), ("--context",), ("pull", "http://[::1"), ("x",) * 99)
ODD_FACTS: tuple[dict[str, str], ...] = ({}, {"name": ""}, {"name": "\x00é", "port": "x"})


@pytest.mark.parametrize("key", [known.key for known in known_errors()])
def test_looking_never_raises_and_starts_nothing(key: str, tmp_path: Path) -> None:
    nowhere = Embedded(tmp_path / "empty")
    for words in ODD_WORDS:
        for facts in ODD_FACTS:
            meaning = Meaning("", key=key, facts=facts)
            assert "{" not in look(meaning, "https://[/v2/ container ", words, nowhere).why
    assert nowhere.containers.list() == []
    assert [host.host for host in nowhere.hosts()] == ["default"]


def test_the_scene_reads_what_was_typed() -> None:
    text = 'Get "http://mina:secret@localhost:5001/v2/": refused'
    scene = Scene(text, ["--context", "host2", "image", "push", "x/y"], {}, engine.current())
    assert (scene.context, scene.verb, scene.address) == ("host2", "push", "localhost:5001")
    assert scene.line("ps") == ("--context", "host2", "ps")
