"""The course in one file: made without internet, installed where there is none, or not at all."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dockerlab.bundle.collecting import Stock, described, machines
from dockerlab.bundle.installing import program
from dockerlab.bundle.manifest import Machine, decode, here
from dockerlab.bundle.mistakes import NotCollected
from dockerlab.bundle.needs import Conflict, Package, needed
from dockerlab.bundle.rebuilding import Unfit, rebuild
from tests.closed import Closed, closed
from tests.dockers import Docker, real

ROOT = Path(__file__).parent.parent
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))
IMAGE = "bundle-test:1"
SLIM = ("click", "dockerlab", "packaging", "pip", "platformdirs")  # enough for `--version`
Data = dict[str, Any]
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """A closed network, and an empty home."""
    with closed(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def saved(network: Closed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of this installation, with an image of our own."""
    folder = tmp_path_factory.mktemp("bundle")
    lab = Docker(folder / "lab")
    lab.engine.images.add_sample("my-image", IMAGE)
    lab.good("save", "-o", str(folder / "image.tar"), IMAGE)
    command = [sys.executable, "-m", "dockerlab", "bundle", "save", folder / "course.pyz"]
    said = network.good(*command, "--image", folder / "image.tar", PYTHONPATH=str(ROOT))
    assert re.search(r"Image bundle-test:1, \d+ MB\n", said)
    assert re.search(r"course\.pyz is ready: \d+ MB\. To install it: python3 /", said)
    assert [path.name for path in folder.glob("*course*")] == ["course.pyz"]
    return folder / "course.pyz"


def rewrite(source: Path, target: Path, change: Callable[[Data, Files], None]) -> Path:
    """A bundle like another but for a change; the manifest keeps in step with the files."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    data = json.loads(files.pop("MANIFEST.json"))
    before = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    change(data, files)
    for name, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        if digest != before.get(name):
            data["files"][name] = [digest, len(content)]
    data["files"] = {name: data["files"][name] for name in files}
    files["MANIFEST.json"] = json.dumps(data).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def slim(data: Data, files: Files) -> None:
    """Leave what `dockerlab --version` needs: it is installed in no time."""
    (wheels,) = data["wheels"]
    kept = [name for name in wheels["files"] if name[7:].partition("-")[0] in SLIM]
    for name in {*wheels["files"], *(each["file"] for each in data["images"])} - {*kept}:
        del files[name]
    wheels["files"], data["images"] = kept, []


@pytest.fixture(scope="module")
def small(saved: Path) -> Path:
    """A bundle that is installed in no time."""
    return rewrite(saved, saved.with_name("small.pyz"), slim)


def version(folder: Path) -> str:
    """What the `dockerlab` that is installed there says of itself."""
    command = [program(folder), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_installs_in_a_closed_network_and_the_course_runs(saved: Path, network: Closed) -> None:
    said = network.good(PYTHON, saved)
    home = Path(network.env["HOME"])
    mine = home / "dockerlab" / ".venv"
    dockerlab = program(mine)
    assert said.rstrip().endswith(f"শুরু করতে লেখো:\nTo begin, type:\n    {dockerlab}")
    assert sorted(os.listdir(home / "dockerlab")) == [".venv"]
    assert dockerlab.read_text().startswith(f"#!{program(mine, 'python')}\n")
    assert f"{mine}.new" not in (mine / "bin" / "activate").read_text()

    def docker(*words: str) -> str:
        return network.good(dockerlab, "docker", *words)

    try:
        docker("run", "-d", "-p", "127.0.0.1::5000", "--name", "registry", "registry:2")
        address = docker("port", "registry", "5000").strip()
        docker("pull", "hello-registry")
        docker("tag", "hello-registry", f"{address}/mine")
        assert "latest: digest: sha256:" in docker("push", f"{address}/mine")
        docker("rmi", f"{address}/mine", "hello-registry")
        assert "Downloaded newer image" in docker("pull", f"{address}/mine")
    finally:
        network.good(dockerlab, "reset", "--yes")
    with network.start(dockerlab, "--no-browser", "--port", 0) as course:
        assert course.stdout
        for line in course.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                ask = f"import urllib.request as r; print(r.urlopen('{found[0]}').status)"
                assert network.good(program(mine, "python"), "-c", ask) == "200\n"
                course.send_signal(signal.SIGINT)
        assert course.wait(60) == 0
    assert (home / "dockerlab" / "bn" / "05-tag-push-pull.ipynb").exists()
    assert "installed already" in network.good(PYTHON, saved)


def test_what_is_inside_is_listed_and_nothing_of_the_tests(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        manifest = decode(archive.read("MANIFEST.json"))
        assert manifest
        names = {name for name in archive.namelist() if name != "MANIFEST.json"}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names == set(manifest.files)
    wheels = manifest.suitable(here())
    assert wheels
    packages = {name.removeprefix("wheels/").partition("-")[0] for name in wheels.files}
    assert {"dockerlab", "jupyterlab", "pip"} <= packages
    assert not packages & {"pytest", "nbval", "playwright", "hatchling", "mypy"}
    assert IMAGE in {name for carried in manifest.images for name in carried.images}


@pytest.mark.parametrize("name", ["jupyterlab_pygments", "tornado", "ipykernel", "pip"])
def test_a_wheel_made_again_is_the_same_each_time_and_lists_what_it_has(
    name: str, tmp_path: Path
) -> None:
    first = rebuild(name, tmp_path)
    content = first.read_bytes()
    assert rebuild(name, tmp_path).read_bytes() == content
    with zipfile.ZipFile(first) as wheel:
        assert wheel.testzip() is None
        record = next(each for each in wheel.namelist() if each.endswith(".dist-info/RECORD"))
        listed = {line.rsplit(",", 2)[0] for line in wheel.read(record).decode().splitlines()}
        assert listed == set(wheel.namelist())
    source = Path(os.environ.get("DOCKERLAB_WHEELS", "nowhere")) / first.name
    if source.exists():
        assert content_of(first) == content_of(source)


def content_of(path: Path) -> dict[str, bytes]:
    """The files of a wheel, but for their list."""
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if not name.endswith(("/RECORD", "/"))]
        return {name: wheel.read(name) for name in names}


def test_our_own_wheel_is_what_the_build_makes(tmp_path: Path) -> None:
    made = content_of(rebuild("dockerlab", tmp_path))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "b")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    built = content_of(next((tmp_path / "b").glob("*.whl")))
    assert made.keys() == built.keys()
    ours = [name for name in made if ".dist-info" not in name and not name.endswith(".mo")]
    assert [name for name in ours if made[name] != built[name]] == []


def test_a_changed_package_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(Unfit, match="not installed from a wheel"):
        rebuild("thing", tmp_path)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    (info / "RECORD").write_text("thing.py,sha256=abc,3\n")
    with pytest.raises(Unfit, match="not where packages are installed"):
        rebuild("thing", tmp_path)
    paths = dict.fromkeys(("purelib", "platlib"), str(tmp_path / "site"))
    paths |= {"scripts": str(tmp_path / "bin"), "data": str(tmp_path)}
    monkeypatch.setattr("sysconfig.get_paths", lambda _scheme: paths)
    with pytest.raises(Unfit, match="is missing"):
        rebuild("thing", tmp_path)
    (tmp_path / "site" / "thing.py").write_text("1")
    with pytest.raises(Unfit, match="was changed"):
        rebuild("thing", tmp_path)
    (info / "RECORD").write_text("thing.py,,\n../../elsewhere,,\n")
    with pytest.raises(Unfit, match="outside"):
        rebuild("thing", tmp_path)
    (info / "RECORD").write_text("thing.py,,\n../bin/tool,,\n../share/a,,\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").write_text(f"#!{sys.executable} -E\nprint()\n")
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "a").write_text("a")
    made = content_of(rebuild("thing", tmp_path))
    assert made["thing-1.0.data/scripts/tool"] == b"#!python\nprint()\n"
    assert made["thing-1.0.data/data/share/a"] == b"a"


def test_needs_are_followed_by_machine_and_extra() -> None:
    shelf = {
        "a": Package("a", "1", ("b[x]>=1", "c; sys_platform == 'win32'")),
        "b": Package("b", "2", ("d; extra == 'x'", "e; extra == 'y'")),
        "c": Package("c", "1", ()),
        "d": Package("d", "1", ("a", "b<3")),
    }

    def found(platform: str, root: str = "a") -> set[str]:
        names = {"sys_platform": platform, "python_version": "3.12"}
        return set(needed(shelf[root], names, lambda asked: [shelf[each.name] for each in asked]))

    assert found("linux") == {"a", "b", "d"}
    assert found("win32") == {"a", "b", "c", "d"}
    shelf["d"] = Package("d", "1", ("b<2",))
    with pytest.raises(Conflict, match="b<2 is needed, and there is 2"):
        found("linux")


def test_other_machines_get_wheels_of_their_own_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machines((), ("3.12",)) == [Machine("3.12", here().system, here().machine)]
    (windows,) = machines(("windows",), ())
    assert str(windows) == f"Python {here().python} (Windows x86_64)"
    (tmp_path / "wheels").mkdir()
    (tmp_path / "source").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    stock = Stock(tmp_path / "wheels", tmp_path / "source")
    with pytest.raises(NotCollected) as caught:
        stock.collect(windows)
    assert "--wheels FOLDER" in str(caught.value) and "anywidget" in str(caught.value)
    assert described(next((tmp_path / "wheels").glob("dockerlab-*"))).name == "dockerlab"


BAD: dict[str, tuple[Callable[[Data, Files], None], str]] = {
    "another machine": (
        lambda data, _files: data["wheels"][0]["machine"].update(system="Plan9"),
        r"for Python 3\.\d+t? \(Plan9 \w+\); here is Python 3",
    ),
    "a newer format": (lambda data, _files: data.update(format=2), "by a newer dockerlab"),
    "no list": (lambda data, _files: data.pop("images"), "MANIFEST.json in it is not"),
    "pip fails": (
        lambda data, files: files.update({data["wheels"][0]["files"][0]: b"no wheel"}),
        "could not be installed; what was here before",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bundle_that_cannot_be_installed_changes_nothing(
    name: str, small: Path, tmp_path: Path
) -> None:
    change, said = BAD[name]
    bad = rewrite(small, tmp_path / "bad.pyz", change)
    refused(bad, tmp_path / "to" / ".venv", said)


def refused(bundle: Path, folder: Path, *said: str) -> None:
    """`python3 bundle` says so in both languages, and leaves nothing behind."""
    around = {path: path.lstat().st_mtime_ns for path in folder.parent.glob("*")}
    command = [PYTHON, bundle, "--to", folder]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search("[\u0980-\u09ff]{3}", done.stderr), done.stderr
    for each in said:
        assert re.search(each, done.stderr), done.stderr
    assert {path: path.lstat().st_mtime_ns for path in folder.parent.glob("*")} == around


def test_half_a_file_is_told_by_python_and_by_the_command(small: Path, tmp_path: Path) -> None:
    whole = small.with_name("course.pyz").read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 1000):
        half = tmp_path / "half.pyz"
        half.write_bytes(whole[:size])
        refused(half, tmp_path / "to", "This file is not whole: copy it again")
        assert "only half of one" in load(half, 1)
    (tmp_path / "empty.pyz").touch()
    assert "only half of one" in load(tmp_path / "empty.pyz", 1)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a", "b")
    assert "not a bundle" in load(tmp_path / "other.zip", 1)
    assert "no such file" in load(tmp_path / "none.pyz", 1)
    assert "it is a folder" in load(tmp_path, 1)


def load(bundle: Path, status: int, *options: str, **env: str) -> str:
    """What `dockerlab bundle load` says, and ends with."""
    command = [sys.executable, "-m", "dockerlab", "bundle", "load", *options, str(bundle)]
    done = subprocess.run(
        command,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == status, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def test_one_changed_byte_or_one_file_more_or_less_is_found(small: Path, tmp_path: Path) -> None:
    content = bytearray(small.read_bytes())
    with zipfile.ZipFile(small) as archive:
        name = next(each for each in archive.namelist() if "click" in each)
        content[archive.getinfo(name).header_offset + 1000] ^= 1
    (tmp_path / "changed.pyz").write_bytes(content)
    refused(tmp_path / "changed.pyz", tmp_path / "to", f"damaged: {re.escape(name)} in it")
    shutil.copy(small, tmp_path / "more.pyz")
    with zipfile.ZipFile(tmp_path / "more.pyz", "a") as archive:
        archive.writestr("wheels/more.whl", "")
    refused(tmp_path / "more.pyz", tmp_path / "to", "damaged: wheels/more.whl in it")
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(tmp_path / "less.pyz", "w") as less:
        for each in set(old.namelist()) - {name}:
            less.writestr(each, old.read(each))
    refused(tmp_path / "less.pyz", tmp_path / "to", f"damaged: {re.escape(name)} in it")


def test_places_where_it_cannot_go_are_left_as_they_are(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(small, tmp_path / "file" / ".venv", "a file stands where a folder should be")
    refused(small, tmp_path / "file", "no bundle has put there")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work").write_text("mine")
    refused(small, tmp_path / "mine", "no bundle has put there")
    assert (tmp_path / "mine" / "work").read_text() == "mine"
    command = [sys.executable, "-m", "dockerlab", "bundle", "save", str(tmp_path / "mine" / "work")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "no bundle has put there" in done.stderr
    assert os.listdir(tmp_path / "mine") == ["work"]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize("size", ["2m", "45m"])
def test_a_full_disk_leaves_nothing_half_done(size: str, small: Path, tmp_path: Path) -> None:
    script = f'mount -t tmpfs -o size={size} none "$0"; "$@"; status=$?; ls -A "$0"; exit $status'
    command = ["unshare", "--mount", "sh", "-c", script, tmp_path]
    if size != "2m":  # the manifest promises less than it takes
        small = rewrite(small, small.with_name("liar.pyz"), _promise_little)
        command[4] = script.replace('"$@"', 'head -c 30m /dev/zero >"$0/big"; "$@"')
    done = subprocess.run(
        [*command, PYTHON, small, "--to", tmp_path / ".venv"], capture_output=True, encoding="utf-8"
    )
    said = "not enough room on the disk" if size == "2m" else "could not be installed|disk is full"
    assert done.returncode == 1
    assert re.search(said, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] in ("big", "Trying whether it runs …") or size == "2m"
    assert ".venv" not in done.stdout.splitlines()


def _promise_little(data: Data, _files: Files) -> None:
    data["wheels"][0]["unpacked"] = 1


def test_killed_in_the_midst_the_one_before_keeps_working(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my course" / ".venv"
    install = [str(PYTHON), str(small), "--to", str(folder)]
    subprocess.run(install, check=True, capture_output=True)
    before = version(folder)
    newer = rewrite(small, tmp_path / "newer.pyz", lambda data, _: data.update(version="99.0"))
    aside = folder.with_name(".venv.new")
    with subprocess.Popen([PYTHON, newer, "--to", folder], start_new_session=True) as process:
        while process.poll() is None and not (aside / "wheels").exists():
            time.sleep(0.01)
        refused(newer, folder, "being installed there already")
        os.killpg(process.pid, signal.SIGKILL)
    assert aside.exists()
    assert version(folder) == before
    folder.rename(folder.with_name(".venv.old"))  # as if it had been killed between two renames
    assert "installed already" in subprocess.check_output(install, encoding="utf-8")
    assert os.listdir(folder.parent) == [".venv"]
    assert version(folder) == before

    said = subprocess.check_output([program(folder), "bundle", "load", newer], text=True)
    assert "The course is version 99.0 now." in said
    assert json.loads((folder / "dockerlab-bundle.json").read_bytes())["version"] == "99.0"
    assert os.listdir(folder.parent) == [".venv"]
    assert version(folder) == before  # the wheel's own


def test_loading_into_an_installation_that_no_bundle_made(small: Path, tmp_path: Path) -> None:
    assert "The course is up to date" in load(small, 0)
    change: Callable[[Data, Files], None] = lambda data, _: data.update(version="99.0")  # noqa: E731
    newer = rewrite(small, tmp_path / "newer.pyz", change)
    assert "installs the newer one beside it: python3" in load(newer, 0)
    older = rewrite(small, tmp_path / "older.pyz", lambda data, _: data.update(version="0.0.1"))
    assert "is newer and stays" in load(older, 0)
    assert "no images in the bundle" in load(small, 0, "--images")


def test_images_go_to_a_docker_engine_and_never_over_the_learners(
    saved: Path, need: Callable[[str], str], tmp_path: Path
) -> None:
    assert "which needs none" in load(saved, 0, "--images", DOCKERLAB_ENGINE="embedded")
    binary = need("docker")

    def docker(*words: str) -> str:
        done = real(binary, *words)
        assert done.status == 0, done
        return done.out

    def only(data: Data, files: Files) -> None:
        slim(data, files)
        data["images"] = images
        files[images[0]["file"]] = tar

    with zipfile.ZipFile(saved) as archive:
        listed = json.loads(archive.read("MANIFEST.json"))["images"]
        images = [each for each in listed if IMAGE in each["images"]]
        tar = archive.read(images[0]["file"])
    bundle = rewrite(saved, tmp_path / "one.pyz", only)
    try:
        for said in (f"Docker has {IMAGE} now.", f"Docker has {IMAGE} already."):
            assert said in load(bundle, 0, "--images", DOCKERLAB_ENGINE="docker")
        assert IMAGE in docker("images", "--format", "{{.Repository}}:{{.Tag}}")
        docker("rmi", IMAGE)
        (tmp_path / "empty.tar").write_bytes(bytes(10240))
        docker("import", str(tmp_path / "empty.tar"), IMAGE)
        mine = docker("images", "-q", IMAGE)
        said = load(bundle, 0, "--images", DOCKERLAB_ENGINE="docker")
        assert f"another image called {IMAGE}; it stays" in said
        assert docker("images", "-q", IMAGE) == mine
        saved_again = tmp_path / "again.tar"
        docker("save", "-o", str(saved_again), IMAGE)
    finally:
        with suppress(AssertionError):
            docker("rmi", "-f", IMAGE)


def test_what_cannot_be_saved_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_bytes(b"no")
    for name, said in (("no.tar", "holds no image with a name"), ("none.tar", "no such file")):
        command = [sys.executable, "-m", "dockerlab", "bundle", "save", str(tmp_path / "b.pyz")]
        command += ["--image", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and said in done.stderr
    assert os.listdir(tmp_path) == ["no.tar"]
    command = [sys.executable, "-m", "dockerlab", "bundle", "save", "--python", "2.7", "b.pyz"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "the course needs 3.10 or newer" in done.stderr
