"""A class on one machine: a real JupyterHub, and in its containers three learners at once."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.binding import ROOT, docker, prepared
from tests.containing import free_port, until
from tests.labs import Lab

CONFIG = ROOT / "binder" / "jupyterhub_config.py"
TOKEN = "of-the-tests"
SERVICE = f"""\
load_subconfig({str(CONFIG)!r})
c.JupyterHub.services = [{{"name": "tests", "api_token": "{TOKEN}"}}]
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "tests", "scopes": scopes, "services": ["tests"]}}]
"""
LEARNERS = {"rahim": "hello-registry", "mina": "nginx", "sumi": "registry:2"}
LIMIT = 2 * 1024**3
CATALOG = "import httpx; print(httpx.get('http://localhost:5000/v2/_catalog').json())"
KNOCK = """\
import socket
try:
    print(socket.create_connection(({address!r}, 8888), 2))
except OSError:
    print("nobody")
"""


@contextmanager
def hub(folder: Path, **surroundings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A JupyterHub with our settings and a service that may do everything."""
    programs = f"{prepared()}/hub/bin"
    (folder / "config.py").write_text(SERVICE, "utf-8")
    env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"} | surroundings
    command = [f"{programs}/jupyterhub", "-f", "config.py"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def room(image: str, tmp_path: Path) -> Iterator[Lab]:
    """The hub, as the service sees it."""
    url = f"http://127.0.0.1:{free_port()}"
    names = [f"jupyter-{name}" for name in LEARNERS]
    with hub(tmp_path, DOCKERLAB_HUB=url, DOCKERLAB_IMAGE=image):
        room = Lab(f"{url}/", TOKEN)
        try:
            room.wait("hub/api/")
            yield room
        except BaseException:
            print((tmp_path / "log").read_text())
            raise
        finally:
            docker("rm", "-f", *names)
            docker("network", "rm", "dockerlab-class")


def lab(room: Lab, name: str) -> Lab:
    """The learner's own JupyterLab, started."""
    user = f"hub/api/users/{name}"
    room.call(user, "POST")
    room.call(f"{user}/server", "POST")
    until(lambda: room.call(user)["servers"].get("", {}).get("ready"), 120)
    return room.at(f"user/{name}/")


def push(lab: Lab, image: str) -> str:
    """What the learner's own registry holds after she has pushed an image."""
    with lab.kernel("notebooks/en/00-start.ipynb") as kernel:
        kernel.run("%load_ext dockerlab")
        kernel.run("%docker run -d -p 5000:5000 --name registry registry:2")
        kernel.run(f"%docker pull -q {image}")
        kernel.run(f"%docker tag {image} localhost:5000/{image}")
        kernel.run(f"%docker push -q localhost:5000/{image}")
        return kernel.run(CATALOG)


def test_three_learners_at_once_have_labs_of_their_own(room: Lab) -> None:
    with ThreadPoolExecutor() as pool:
        labs = list(pool.map(lambda name: lab(room, name), LEARNERS))
        held = list(pool.map(push, labs, LEARNERS.values()))
    for image, catalog in zip(LEARNERS.values(), held, strict=True):
        name = image.partition(":")[0]
        assert catalog == f"{{'repositories': ['{name}']}}\n"
    containers = json.loads(docker("inspect", *[f"jupyter-{name}" for name in LEARNERS]))
    assert [each["HostConfig"]["Memory"] for each in containers] == [LIMIT] * 3
    assert all(each["HostConfig"]["CapDrop"] == ["ALL"] for each in containers)
    assert not any(each["Mounts"] for each in containers)
    with labs[0].kernel("notebooks/bn/00-start.ipynb") as kernel:
        met = [kernel.run(KNOCK.format(address=address(each))) for each in containers]
    assert "raddr" in met[0]
    assert met[1:] == ["nobody\n"] * 2


def address(container: Any) -> str:
    """Its address in docker's network of the class."""
    found: str = container["NetworkSettings"]["Networks"]["dockerlab-class"]["IPAddress"]
    return found


def test_beyond_this_machine_it_wants_to_know_who_may_enter(image: str, tmp_path: Path) -> None:
    with hub(tmp_path, DOCKERLAB_HUB="http://0.0.0.0:8000") as process:
        assert process.wait(60)
    assert "DOCKERLAB_LOGIN must name who may enter" in (tmp_path / "log").read_text()
