"""A class: who may write what, how much, and that nothing is lost, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner

from dockerlab.classroom import roll, sizes
from dockerlab.classroom.room import Room, find
from dockerlab.cli import cli
from dockerlab.errors import NotFound, RegistryError, Unauthorized
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push
from tests import engines
from tests.classes import Class, held, let_in
from tests.containing import until
from tests.crowd import IMAGES, Told, crowd
from tests.engines import FIRST, SECOND
from tests.servers import image, push_blob, push_image, put_manifest, sha256

Need = Callable[[str], str]
QUOTA = 3 * 1024**2
PIECE = 200_000


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Of all learners, by their logins."""
    return {}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, passwords: dict[str, str]) -> Iterator[Class]:
    """A class with little room for each, on this machine only."""
    home = tmp_path_factory.mktemp("home")
    passwords.update(let_in(home, "rahima", "karim", "learner-1"))
    with held(home, "--quota", str(QUOTA)) as room:
        yield room


@pytest.fixture
def learner(room: Class, passwords: dict[str, str]) -> Iterator[Callable[[str], Registry]]:
    """A client with somebody's login."""
    made: list[Registry] = []

    def client(login: str) -> Registry:
        made.append(room.client(login, passwords[login]))
        return made[-1]

    yield client
    for registry in made:
        registry.close()


def raw(room: Class, login: str, password: str) -> httpx.Client:
    """HTTP with a login, and trust in the class's authority only."""
    trust = ssl.create_default_context(cafile=room.ca)
    return httpx.Client(
        base_url=f"https://{room.address}", auth=(login, password), verify=trust, timeout=30
    )


def send(registry: Registry, folder: Path, name: str) -> str:
    """Push my-image as NAME; its digest."""
    layout = Layout(folder)
    image = sample.build(layout, "my-image")
    return push(layout, image, registry, Reference.parse(f"{registry.host}/{name}")).digest


def denied(error: RegistryError) -> str:
    """The message of a refusal."""
    assert (error.status, error.code) == (403, "DENIED")
    return error.detail


# Who may do what


def test_everything_may_be_read_and_ones_own_written(
    learner: Callable[[str], Registry], room: Class, tmp_path: Path
) -> None:
    rahima, karim = learner("rahima"), learner("karim")
    digest = send(rahima, tmp_path, "rahima/app:v1")
    assert karim.manifest("rahima/app", "v1").digest == digest
    part = karim.manifest("rahima/app", "v1").manifests[0].digest
    layer = karim.manifest("rahima/app", part).blobs[-1].digest
    assert karim.mount("karim/copy", layer, "rahima/app")
    told = f"karim may push and delete only what begins with {room.address}/karim/"
    for attempt in (
        lambda: send(karim, tmp_path, "rahima/app:v1"),
        lambda: send(karim, tmp_path, "library/nginx:latest"),
        lambda: send(karim, tmp_path, "rahima-2/app"),
        lambda: karim.delete("rahima/app", digest),
        lambda: karim.delete_blob("rahima/app", layer),
        lambda: karim.mount("rahima/other", layer, "karim/copy"),
    ):
        with pytest.raises(Unauthorized) as refused:
            attempt()
        assert denied(refused.value) == told
    assert rahima.manifest("rahima/app", "v1").digest == digest


def test_an_upload_is_its_learners_alone(room: Class, passwords: dict[str, str]) -> None:
    with raw(room, "rahima", passwords["rahima"]) as rahima:
        place = rahima.post("/v2/rahima/x/blobs/uploads/").headers["Location"]
        with raw(room, "karim", passwords["karim"]) as karim:
            for method in ("GET", "PATCH", "PUT", "DELETE"):
                assert karim.request(method, place).status_code == 403
            assert karim.post("/v2/rahima/x/blobs/uploads/../../../y").status_code in (403, 404)
        assert rahima.delete(place).status_code == 204


@pytest.mark.parametrize(("login", "password"), [("rahima", "wrong"), ("nobody", "x"), ("", "")])
def test_without_the_right_password_nothing(room: Class, login: str, password: str) -> None:
    with room.client(login, password) as stranger, pytest.raises(Unauthorized) as refused:
        list(stranger.catalog())
    assert refused.value.status == 401


def test_the_courses_images_are_there_and_the_mirror_has_them_only(
    learner: Callable[[str], Registry], room: Class, tmp_path: Path
) -> None:
    rahima = learner("rahima")
    send(rahima, tmp_path, "rahima/secret")

    def lent() -> bool:
        return set(sample.HUB) <= set(rahima.catalog())

    until(lent)
    with Registry(room.mirror) as mirror:
        names = list(mirror.catalog())
        assert set(sample.HUB) <= set(names)
        assert all(name.startswith("library/") for name in names)
        nginx = mirror.manifest("library/nginx", "latest").digest
        until(lambda: rahima.resolve("library/nginx", "latest").digest == nginx)
        with pytest.raises(NotFound):
            mirror.manifest("rahima/secret", "latest")
        with pytest.raises(RegistryError):
            send(mirror, tmp_path, "library/nginx")


def test_it_says_where_it_listens(room: Class) -> None:
    assert "Only this machine reaches it now" in room.said
    assert "OPEN TO THE NETWORK" not in room.said
    assert _listening(room) == {"registry": "127.0.0.1", "mirror": "127.0.0.1", "page": "127.0.0.1"}


def _listening(room: Class) -> dict[str, str]:
    """The addresses on which a class's process listens."""
    sites = {"registry": room.address, "mirror": room.mirror, "page": room.page}
    names = {int(place.rpartition(":")[2]): name for name, place in sites.items()}
    found = psutil.Process(room.process.pid).net_connections()
    return {names[each.laddr.port]: each.laddr.ip for each in found if each.status == "LISTEN"}


def test_skopeo(room: Class, passwords: dict[str, str], need: Need, tmp_path: Path) -> None:
    program = need("skopeo")
    certs = tmp_path / "certs"
    certs.mkdir()
    shutil.copy(room.ca, certs)
    layout = sample.hub(tmp_path / "layout")
    source = f"oci:{layout.path}:{layout.entries()[0].name}"
    login = ("--dest-creds", f"rahima:{passwords['rahima']}", "--dest-cert-dir", str(certs))
    copy = [program, "copy", *login, source]
    own, other = (f"docker://{room.address}/{name}/skopeo:v1" for name in ("rahima", "karim"))
    subprocess.run([*copy, own], check=True, capture_output=True)
    done = subprocess.run([*copy, other], capture_output=True, text=True)
    assert "rahima may push and delete only what begins with" in done.stderr


# Room


def test_who_has_no_room_left_is_told_and_others_go_on(
    learner: Callable[[str], Registry], room: Class, passwords: dict[str, str], tmp_path: Path
) -> None:
    with raw(room, "learner-1", passwords["learner-1"]) as http:
        with ThreadPoolExecutor(40) as pool:  # one more than would fit, many times over
            contents = [os.urandom(PIECE) for _ in range(40)]
            statuses = list(pool.map(lambda content: _blob(http, content), contents))
        assert statuses.count(201) <= QUOTA // PIECE
        assert statuses.count(201) + statuses.count(403) == 40
        assert room.used("learner-1") <= QUOTA
        kept = [each for each, status in zip(contents, statuses, strict=True) if status == 201]
        assert len(kept) > 5
        send(learner("karim"), tmp_path, "karim/app")
        while statuses[-1] != 403:
            statuses.append(_blob(http, os.urandom(PIECE)))
        whole = b"x" * 2 * QUOTA
        refused = http.post("/v2/learner-1/x/blobs/uploads/", params=_of(whole), content=whole)
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["code"]) == (403, "DENIED")
        assert "learner-1 has room for 3 MB, and " in error["message"]
        note = os.urandom(2**20).hex()
        refused = put_manifest(http, "learner-1/x", "v1", image(kept[0], note=note))
        assert (refused.status_code, "does not fit in" in refused.text) == (403, True)
        for each in kept:
            digest = sha256(each)
            assert http.delete(f"/v2/learner-1/x/blobs/{digest}").status_code == 202
        until(lambda: _blob(http, contents[0]) == 201)


def _of(content: bytes) -> dict[str, str]:
    return {"digest": sha256(content)}


def _blob(http: httpx.Client, content: bytes) -> int:
    """The status in which the attempt to push a blob ends."""
    begun = http.post("/v2/learner-1/x/blobs/uploads/")
    if begun.status_code == 202:
        place = begun.headers["Location"]
        begun = http.patch(place, content=iter([content[:1000], content[1000:]]))
        if begun.status_code == 202:
            begun = http.put(place, params=_of(content))
    return begun.status_code


def test_a_deleted_image_makes_room(
    room: Class, passwords: dict[str, str], learner: Callable[[str], Registry]
) -> None:
    with raw(room, "rahima", passwords["rahima"]) as http:
        before = room.used("rahima")
        digest = push_image(http, "rahima/large", "latest", os.urandom(QUOTA // 2))
        again = http.post(
            f"/v2/rahima/other/blobs/uploads/?mount={digest}&from=rahima/large"
        )  # a manifest is a blob, too
        assert again.status_code in (201, 202)
        assert room.used("rahima") > before + QUOTA // 2
        learner("rahima").delete("rahima/large", digest)
        until(lambda: room.used("rahima") < before + 10_000)


def test_a_disk_that_is_nearly_full_takes_no_more(tmp_path: Path) -> None:
    if not shutil.which("mount") or os.geteuid():
        pytest.skip("only root can make a small disk")
    size = 200 * 1024**2
    small = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(tmp_path)]
    subprocess.run(small, check=True)
    try:
        passwords = let_in(tmp_path, "rahima")
        with held(tmp_path) as room, raw(room, "rahima", passwords["rahima"]) as http:
            digest = push_image(http, "rahima/app", "v1", os.urandom(1000))
            with (tmp_path / "film").open("wb") as film:
                while shutil.disk_usage(tmp_path).free > size // 25:
                    film.write(bytes(1024**2))
            time.sleep(0.3)
            refused = http.post("/v2/rahima/app/blobs/uploads/")
            assert refused.status_code == 403
            assert "nearly full" in refused.json()["errors"][0]["message"]
            assert http.get(f"/v2/rahima/app/manifests/{digest}").status_code == 200
            (tmp_path / "film").unlink()
            until(lambda: http.post("/v2/rahima/app/blobs/uploads/").status_code == 202)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


# Whatever happens


def test_after_a_crash_an_upload_goes_on_where_it_was(tmp_path: Path) -> None:
    passwords, content = let_in(tmp_path, "rahima"), os.urandom(1_000_000)
    with held(tmp_path) as room, raw(room, "rahima", passwords["rahima"]) as http:
        kept = push_blob(http, "rahima/app", b"kept")
        place = http.post("/v2/rahima/app/blobs/uploads/").headers["Location"]
        assert http.patch(place, content=content[:600_000]).status_code == 202
        room.kill()
        with held(tmp_path, "--port", str(room.port)):
            assert http.head(f"/v2/rahima/app/blobs/{kept}").status_code == 200
            assert http.get(place).headers["Range"] == "0-599999"
            assert http.patch(place, content=content[600_000:]).status_code == 202
            assert http.put(place, params=_of(content)).status_code == 201


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder on a RAM disk, if there is one."""
    disk = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=disk if disk.is_dir() else tmp_path) as folder:
        yield Path(folder)


def test_forty_learners_push_at_once_and_nothing_is_lost(memory: Path) -> None:
    if reason := engines.missing():
        pytest.skip(reason)
    passwords = let_in(memory, *(f"learner-{number}" for number in range(1, 41)))
    options = ("--host", "0.0.0.0")
    with engines.network() as there:
        enter = ("nsenter", f"--net=/var/run/netns/{there}")
        with held(memory, *options) as room:
            room.reach_at(FIRST)
            anywhere = {"registry": "0.0.0.0", "mirror": "0.0.0.0", "page": "127.0.0.1"}
            assert _listening(room) == anywhere
            assert "OPEN TO THE NETWORK: every machine in the same network reaches" in room.said
            with crowd(room.address, room.ca, passwords, enter) as learners:
                learners.go()
                until(lambda: _layers(room) > 60)
                room.process.send_signal(signal.SIGSTOP)  # asleep
                time.sleep(1)
                room.process.send_signal(signal.SIGCONT)
                until(lambda: _layers(room) > 150, 60)
                room.kill()
                with held(memory, "--port", str(room.port), *options) as again:
                    told, _ = learners.told()
                    assert len(told.manifests) == 40 * IMAGES
                    _is_all_there(again, told)


def _layers(room: Class) -> int:
    """How many blobs learners' repositories have."""
    repositories = room.folder / "registry/docker/registry/v2/repositories"
    return sum(1 for _ in repositories.glob("learner-*/*/_layers/sha256/*"))


def _is_all_there(room: Class, told: Told) -> None:
    storage, right = room.storage, set[str]()
    for repository, blobs in told.blobs.items():
        manifest = told.manifests[repository]
        assert storage.resolve(repository, "latest") == manifest
        for digest in {*blobs, manifest} - right:
            found = storage.blob(repository, digest) or storage.manifest(repository, manifest)
            assert found
        assert sha256(storage.manifest(repository, manifest) or b"") == manifest
        for digest in blobs:
            blob = storage.blob(repository, digest)
            assert blob
            if digest not in right:
                assert digests.of(blob.path.read_bytes(), "sha256") == digest
                right.add(digest)


def test_the_machine_gets_another_address(tmp_path: Path) -> None:
    if reason := engines.missing():
        pytest.skip(reason)
    passwords = let_in(tmp_path, "rahima")
    with engines.network() as there:
        enter = ("nsenter", f"--net=/var/run/netns/{there}")
        with held(tmp_path, "--host", "0.0.0.0", "--no-mirror", enter=enter) as room:
            assert room.address.startswith(SECOND)
            seal = Room(room.folder, "").seal
            with room.client("rahima", passwords["rahima"]) as rahima:
                send(rahima, tmp_path / "a", "rahima/before")
                for do, address in (("del", SECOND), ("add", "192.168.56.77")):
                    _ip("-n", there, "address", do, f"{address}/24", "dev", _device(there))
                until(lambda: "address has changed" in room.said)
            moved = f"192.168.56.77:{room.port}"
            assert f"Learners reach the class at {moved} now" in room.said
            assert room.said.count(seal) == 2
            room.address = moved
            until(lambda: _reached(room, passwords["rahima"]))
            with room.client("rahima", passwords["rahima"]) as rahima:
                assert "rahima/before" in list(rahima.catalog())
                send(rahima, tmp_path / "a", "rahima/after")
            assert room.stop() == 0


def _device(namespace: str) -> str:
    return namespace.replace("dockerlab-", "there")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _reached(room: Class, password: str) -> bool:
    with room.client("rahima", password) as registry:
        try:
            registry.ping()
        except RegistryError:
            return False
        return True


def test_a_docker_engine_in_the_room(tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := engines.missing():
        if "docker" in os.environ.get("DOCKERLAB_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    home, config = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("config")
    password = let_in(home, "rahima", "karim")["rahima"]
    options = ("--host", "0.0.0.0", "--quota", "3MB")
    with (
        engines.second_daemon(tmp_path_factory.mktemp("engine")) as daemon,
        held(home, *options) as room,
    ):
        room.reach_at(FIRST)
        daemon.configure(registry_mirrors=[f"http://{room.mirror}"])
        daemon.trust(room.address, room.ca)

        def docker(*words: str) -> str:
            return daemon.docker("--config", str(config), *words)

        assert "Downloaded newer image for nginx:latest" in docker("pull", "nginx")
        own, other = (f"{room.address}/{name}/web" for name in ("rahima", "karim"))
        docker("tag", "nginx", own)
        assert "no basic auth credentials" in docker("push", own)
        login = ("login", room.address, "-u", "rahima", "-p")
        assert "401 Unauthorized" in docker(*login, "wrong")
        assert "Login Succeeded" in docker(*login, password)
        assert "latest: digest: sha256:" in docker("push", own)
        docker("tag", "nginx", other)
        told = f"rahima may push and delete only what begins with {room.address}/rahima/"
        assert f"denied: {told}\n" in docker("push", other)
        large = tmp_path_factory.mktemp("large") / "large.tar"
        (large.parent / "noise").write_bytes(os.urandom(4 * 1024**2))
        subprocess.run(["tar", "-C", large.parent, "-cf", large, "noise"], check=True)
        docker("import", str(large), f"{room.address}/rahima/large")
        said = docker("push", f"{room.address}/rahima/large")
        assert "denied: this does not fit in: rahima has room for 3 MB, and " in said
        docker("rmi", own, other, "nginx")
        assert "Downloaded newer image" in docker("pull", own)


# What an instructor types


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What `dockerlab classroom WORDS` answers, where there is no class yet."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))

    def run(*words: str, status: int = 1) -> str:
        result = CliRunner().invoke(cli, ["classroom", *words])
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result.output

    return run


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "there is no name in it"),
        (b"Name\n\n  \n", "there is no name in it"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "line 1 is no name"),
        (b"\x89PNG\r\n\x1a\n", "it is not text in UTF-8"),
        (b"a" * 2000, "line 1 is no name"),
        (b"x\n" * 600_000, "it is too large"),
        ("\n".join(map(str, range(1001))).encode(), "it has more than 1000 names"),
    ],
)
def test_a_file_that_is_no_list_of_names(
    typed: Callable[..., str], tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "names"
    path.write_bytes(content)
    assert f"{path} is no list of names: {reason}." in typed("--learners", str(path))
    assert find() is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_names_as_a_spreadsheet_saves_them(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "names.csv"
    text = 'নাম;রোল\r\nরহিমা  খাতুন;1\r\n"Ali, Karim";2\r\nরহিমা খাতুন;3\r\n\r\n;4\r\n'
    path.write_bytes(text.encode(encoding))
    assert roll.read(path) == ["রহিমা খাতুন", "Ali, Karim"]


def test_logins(tmp_path: Path) -> None:
    room = Room(tmp_path, "A class")
    names = ["রহিমা", "Karim Ali", "কমল ২", "karim-ali", "José", "Library", "x" * 300]
    logins = [made.login for made in room.add(names)]
    assert logins[:3] == ["learner-1", "karim-ali", "learner-2"]
    assert logins[3:6] == ["karim-ali-2", "jose", "library-2"]
    assert logins[6] == "x" * 40
    found = find(tmp_path)
    assert found and found.learners == dict(zip(logins, names, strict=True))


def test_a_learner_who_is_in_it_keeps_her_password(
    typed: Callable[..., str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option in ("--port", "--page-port", "--mirror-port"):
            free = {"--port": "0", "--page-port": "0", "--mirror-port": "0", option: port}
            words = [word for pair in free.items() for word in pair]
            said = typed("--learner", "Rahima", *words)
            assert f"Port {port} is taken" in said and f"with {option}." in said
            users = tmp_path / "home" / "classroom" / "htpasswd"
            before = users.read_text()
            assert before.startswith("rahima:$2b$")
    assert "rahima" in typed("list", status=0)
    assert users.read_text() == before


def test_wrong_words(typed: Callable[..., str], tmp_path: Path) -> None:
    assert "There is no class yet" in typed("list")
    assert "There is no class yet" in typed("forget", "--yes")
    assert "“much” is no size" in typed("--quota", "much", status=2)
    assert "192.0.2.7 is no address of this machine" in typed("--host", "192.0.2.7")
    said = typed("renew", "rahim")
    assert "Nobody in the class has the login “rahim”." in said
    (tmp_path / "home" / "classroom" / "room.json").write_text('{"name": 1')
    assert "is damaged" in typed("list")
    assert "is gone" in typed("forget", "--yes", status=0)
    assert find() is None


def test_two_terminals(room: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERLAB_HOME", str(room.folder.parent))
    for words in ([], ["forget", "--yes"]):
        result = CliRunner().invoke(cli, ["classroom", "--port", "0", *words])
        assert (result.exit_code, "open already" in result.output) == (1, True)
    assert room.process.poll() is None


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 1024**3), ("1.5 mib", 1572864), ("700", 700), ("3M", QUOTA)]
)
def test_sizes(text: str, size: int) -> None:
    assert sizes.parse(text) == size
    assert sizes.parse(sizes.said(size)) == size
