"""The capstone's checks in each state that they have words for, on real registries."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from benches import unseen
from teams import Team

from dockerlab.course.checks import team
from dockerlab.engine.daemon import FIRST
from dockerlab.engine.home import home
from dockerlab.engine.second import second
from dockerlab.registry.certificates import issue

LATER = ("team-filled", "team-clean", "team-delivered", "team-restarted")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    made = Team()
    yield made
    for host in made.engine.hosts():
        host.reset()


def test_nothing_is_there(bench: Team) -> None:
    assert bench.check("team-up") == "absent"
    assert [bench.check(name) for name in LATER] == ["down"] * 4


def test_up(bench: Team) -> None:
    bench.up()
    assert bench.check("team-up") == "ok"
    bench.docker("stop team-registry")
    assert bench.check("team-up") == "stopped"
    assert [bench.check(name) for name in LATER] == ["down"] * 4
    bench.docker("start team-registry")
    assert bench.check("team-up") == "ok"


@pytest.mark.parametrize(
    ("but", "key"),
    [("port", "hidden"), ("tls", "plain"), ("auth", "open"), ("volume", "forgetful")],
)
def test_up_with_something_left_out(but: str, key: str, bench: Team) -> None:
    bench.prepare()
    bench.run(but=but)
    assert bench.check("team-up") == key


@pytest.mark.parametrize("name", ["localhost", FIRST])
def test_a_certificate_for_one_name_only(name: str, bench: Team) -> None:
    bench.prepare(name)
    if name != "localhost":
        for kind in ("crt", "key"):
            Path(f"certs/{name}.{kind}").rename(f"certs/localhost.{kind}")
    bench.run()
    assert bench.check("team-up") == "other-name"


def test_a_certificate_that_is_too_old(bench: Team) -> None:
    bench.prepare(expired=True)
    bench.run()
    assert bench.check("team-up") == "expired"


def test_a_certificate_of_another_authority_is_trusted_if_it_lies_in_certs(bench: Team) -> None:
    bench.up()
    (home() / "authority" / "ca.crt").unlink()
    assert bench.check("team-up") == "ok"
    issue(Path("certs"), "somewhere.example")
    assert bench.check("team-up") == "stranger"
    Path("certs/ca.crt").write_text("no certificate")
    assert bench.check("team-up") == "stranger"


@pytest.mark.parametrize("mistake", [{"mina": "x"}, {"mina": team.USERS["mina"]}, {"rahim": "x"}])
def test_users_that_are_refused(mistake: dict[str, str], bench: Team) -> None:
    bench.prepare(users=mistake)
    bench.run()
    assert bench.check("team-up") == "refused"
    if "mina" in mistake and mistake["mina"] == "x" or "rahim" in mistake:
        assert [bench.check(name) for name in LATER] == ["locked"] * 4


def test_her_own_login_opens_the_registry_too(bench: Team) -> None:
    bench.prepare(users={"rahim": "x"})
    bench.run()
    bench.docker("login -u rahim -p x @")
    assert bench.check("team-filled") == "not-tagged"


def test_a_registry_that_says_nothing(bench: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "_PATIENCE", 0.3)
    bench.up()
    process = bench.engine.containers.find("team-registry").state.process
    assert process
    os.kill(process[0], signal.SIGSTOP)
    try:
        assert bench.check("team-up") == "silent"
        assert bench.check("team-filled") == "down"
    finally:
        os.kill(process[0], signal.SIGCONT)


def test_filled(bench: Team) -> None:
    bench.up()
    assert bench.check("team-filled") == "not-tagged"
    bench.docker("tag my-image @/team/web:1.0")
    assert bench.check("team-filled") == "not-pushed"
    bench.fill(*team.KEPT)
    assert bench.check("team-filled") == "not-tagged"
    bench.fill(team.OLD)
    assert bench.check("team-filled") == "ok"
    bench.delete(team.OLD)
    assert bench.check("team-filled") == "ok"
    bench.docker("exec team-registry registry garbage-collect -m /etc/docker/registry/config.yml")
    assert bench.check("team-filled") == bench.check("team-clean") == "ok"


def test_images_count_before_there_is_any_security(bench: Team) -> None:
    bench.prepare()
    for but in ("auth", "tls"):
        bench.run(but=but)
        if but == "auth":
            for name in (*team.KEPT, team.OLD):
                bench.docker(f"tag my-image @/{name}")
                bench.docker(f"push @/{name}")
        assert bench.check("team-filled") == "ok"
        bench.docker("rm -f team-registry")


def test_clean(bench: Team) -> None:
    bench.up()
    assert bench.check("team-clean") == "never-there"
    bench.fill()
    assert bench.check("team-clean") == "still-there"
    bench.delete(team.OLD)
    assert bench.check("team-clean") == "ok"
    bench.delete("team/api:1.0")
    assert bench.check("team-clean") == "too-much"
    bench.docker("push @/team/api:1.0")
    assert bench.check("team-clean") == "ok"
    bench.docker("push @/team/old:0.1")
    bench.docker("rm -f team-registry")
    bench.run(but="delete")
    assert bench.check("team-clean") == "forbidden"
    bench.docker("rm -f team-registry")
    settings = Path("settings.yml")
    settings.write_text(
        "version: 0.1\nhttp: {addr: ':5000'}\n"
        "storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}\n"
    )
    bench.run(but="delete", more=f"-v {settings.absolute()}:/etc/docker/registry/config.yml")
    assert bench.check("team-clean") == "still-there"


def test_delivered(bench: Team) -> None:
    bench.up()
    assert bench.check("team-delivered") == "not-there"
    bench.fill()
    assert bench.check("team-delivered") == "not-pulled"
    second(bench.engine).engine.daemon.configure({"insecure-registries": [bench.there]})  # type: ignore[attr-defined]
    assert bench.check("team-delivered") == "insecure"
    second(bench.engine).engine.daemon.configure({})  # type: ignore[attr-defined]
    bench.deliver()
    assert bench.check("team-delivered") == "ok"
    bench.renew()
    bench.fill("team/web:1.0")
    assert bench.check("team-delivered") == "different"
    bench.deliver()
    assert bench.check("team-delivered") == "ok"


def test_restarted(bench: Team) -> None:
    bench.up()
    assert bench.check("team-restarted") == "lost"
    bench.fill()
    assert bench.check("team-restarted") == "never"
    bench.docker("restart team-registry")
    assert bench.check("team-restarted") == "ok"
    bench.fill("team/web:1.0")
    assert bench.check("team-restarted") == "ok"  # team/api:1.0 was there before
    bench.fill("team/api:1.0")
    assert bench.check("team-restarted") == "never"
    bench.docker("rm -f team-registry")
    bench.run()
    assert bench.check("team-restarted") == "ok"


def test_a_new_container_without_the_old_volume_has_lost_all(bench: Team) -> None:
    bench.prepare()
    bench.run(but="volume")
    bench.fill()
    bench.docker("rm -f -v team-registry")
    bench.run()
    assert bench.check("team-restarted") == "lost"


def test_a_log_that_tells_nothing_is_no_proof(bench: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.prepare()
    bench.run(more="-e REGISTRY_LOG_ACCESSLOG_DISABLED=true -e REGISTRY_LOG_LEVEL=error")
    bench.fill()
    assert bench.check("team-restarted") == "never"
    monkeypatch.setattr(team, "_LATER", 0.1)
    bench.docker("restart team-registry")
    assert bench.check("team-restarted") == "ok"


def test_in_any_order_and_whatever_the_port(bench: Team) -> None:
    bench.everything()
    checks = ("team-restarted", "team-up", "team-delivered", "team-clean", "team-filled")
    assert {bench.check(name) for name in checks} == {"ok"}


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "09-capstone") == set()
