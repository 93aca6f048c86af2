"""What every test runs in: a home of its own for the engine, Jupyter and IPython.

The notebooks' kernels inherit it. Their language comes from the notebook's folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent
FOLDERS = (
    "DOCKERLAB_HOME",
    "DOCKER_CONFIG",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
)
UNWANTED = ("DOCKERLAB_LANG", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("embedded", "docker"),
        default="embedded",
        help="run the lessons on the course's own engine, or on the Docker Engine that answers",
    )


def pytest_configure(config: pytest.Config) -> None:
    home = Path(tempfile.mkdtemp(prefix="dockerlab-test-")).resolve()
    os.environ["DOCKERLAB_TEST_HOME"] = str(home)
    os.environ["DOCKERLAB_ENGINE"] = config.option.engine
    if config.option.engine == "docker":
        config.option.nbval_sanitize_with = str(ROOT / "tests" / "sanitise.cfg")
    for name in FOLDERS:
        folder = home / name.lower()
        folder.mkdir(mode=0o700)
        os.environ[name] = str(folder)
    for name in UNWANTED:
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # of a shell that runs us behind itself
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if any(map(_is_stale, (ROOT / "dockerlab").glob("locale/*/LC_MESSAGES/*.po"))):
        subprocess.run([sys.executable, ROOT / "tools" / "catalogue.py", "compile"], check=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each notebook has a lab of its own, as when tools/notebooks.py executed it."""
    before = os.environ["DOCKERLAB_HOME"]
    os.environ.pop("DOCKER_DEFAULT_PLATFORM", None)
    lab = Path(os.environ["DOCKERLAB_TEST_HOME"], "dockerlab_home")
    if item.path.suffix == ".ipynb":
        lab /= f"{item.path.parent.name}-{item.path.stem}"
        os.environ["DOCKER_DEFAULT_PLATFORM"] = "linux/amd64"  # whose digests the lessons show
    os.environ["DOCKERLAB_HOME"] = str(lab)
    if item.config.option.engine == "docker" and str(lab) != before:
        _reset()


def _reset() -> None:
    """Take what an earlier notebook made from the Docker Engine."""
    subprocess.run([sys.executable, "-m", "dockerlab", "reset", "--yes"], check=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing may be left running, no container either."""
    if session.config.option.engine == "docker":
        _reset()
    for process in _ours():
        session.config.stash.setdefault(LEFT, []).append(" ".join(process.cmdline()))
        process.kill()
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


LEFT = pytest.StashKey[list[str]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for command in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"LEFT RUNNING: {command}", red=True)


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["DOCKERLAB_TEST_HOME"], ignore_errors=True)


def _is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def _ours() -> list[psutil.Process]:
    """The processes, other than this one, that were started in the tests' home."""
    home = os.environ["DOCKERLAB_TEST_HOME"]
    found = []
    for process in psutil.process_iter():
        try:
            inherited = process.environ().get("DOCKERLAB_TEST_HOME") == home
        except psutil.Error:
            continue
        if inherited and process.pid != os.getpid():
            found.append(process)
    return found
