"""What the tests share: the language, and programs that may be absent."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from dockerlab import i18n
from tests import binding
from tests.engines import missing
from tests.pages import Sheet, Studio, open_studio

NAMES = {
    "docker-registry": "registry",
    "docker-cli": "docker",
    "dockerd": "docker",
}  # as DOCKERLAB_REQUIRE calls them
BINARIES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "docker-cli": ("docker",),
}


STUDIO = pytest.StashKey[tuple[AbstractContextManager[Studio], Studio]]()


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests speak English unless they say otherwise."""
    monkeypatch.setenv("DOCKERLAB_LANG", "en")
    i18n.choose(None)


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """`need("skopeo")` is its path; without it the test is skipped, or fails if it is demanded.

    `docker` is there when its engine answers; `docker-cli` is the command alone; `dockerd` is
    there when engines can be started (tests/engines.py).
    """
    demanded = os.environ.get("DOCKERLAB_REQUIRE", "").replace(",", " ").split()

    def path(name: str) -> str:
        found = filter(None, map(shutil.which, BINARIES.get(name, (name,))))
        binary = next(found, None)
        reason = f"{name} is not installed" if binary is None else ""
        if binary and name == "docker" and not _answers(binary):
            reason = "no Docker Engine answers"
        if binary and name == "dockerd":
            reason = missing()
        if reason and NAMES.get(name, name) in demanded:
            pytest.fail(f"{reason}, and DOCKERLAB_REQUIRE demands it")
        if reason or binary is None:
            pytest.skip(reason)
        return binary

    return path


@pytest.fixture(scope="session")
def image(need: Callable[[str], str]) -> Iterator[str]:
    """The name of the image of Binder and JupyterHub (tests/binding.py)."""
    folder = binding.prepared()
    if folder is None:
        reason = "DOCKERLAB_BINDER names no folder of tools/tree.sh"
        if "docker" in os.environ.get("DOCKERLAB_REQUIRE", ""):
            pytest.fail(f"{reason}, and DOCKERLAB_REQUIRE demands a docker")
        pytest.skip(reason)
    need("docker")
    binding.build(folder)
    yield binding.IMAGE
    binding.docker("image", "rm", binding.IMAGE, f"{binding.IMAGE}-tree")


@pytest.fixture(scope="module")
def studio(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
) -> Studio:
    """One JupyterLab in one Chromium, for all tests in a row that look at widgets."""
    stash = request.config.stash
    if STUDIO not in stash:
        opened = open_studio(tmp_path_factory.mktemp("studio"), need("chromium"))
        stash[STUDIO] = (opened, opened.__enter__())
    return stash[STUDIO][1]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Playwright's loop would be in the way of others': it ends before they begin."""
    if STUDIO in item.config.stash and "studio" not in getattr(nextitem, "fixturenames", ()):
        opened, _ = item.config.stash[STUDIO]
        del item.config.stash[STUDIO]
        opened.__exit__(None, None, None)


@pytest.fixture(scope="module", params=["bn", "en"])
def sheet(studio: Studio, request: pytest.FixtureRequest) -> Sheet:
    """A notebook in each language, with an empty lab."""
    return studio.sheet(request.param)


def _answers(docker: str) -> bool:
    asked = [docker, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(asked, capture_output=True, timeout=30, check=False).returncode == 0
