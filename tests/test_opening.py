"""The course opens quickly: nothing slow is imported on the way to the first lesson."""

import subprocess
import sys

import pytest

LEAN = "import dockerlab.jupyter as it; it.hasten(); "
SLOW = {
    "dockerlab.cli": {"IPython", "docker", "granian", "httpx", "jupyterlab", "nbformat", "yaml"},
    "nbformat.sign": {"lark", "rfc3987_syntax.syntax_helpers"},
    "jupyterlab.labapp": {"lark", "rfc3987_syntax.syntax_helpers"},
}


@pytest.mark.parametrize("name", SLOW)
def test_nothing_slow_is_imported_on_the_way(name: str) -> None:
    hasten = "" if name == "dockerlab.cli" else LEAN
    program = f"{hasten}import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert set(done.stdout.decode().split()) & SLOW[name] == set()
