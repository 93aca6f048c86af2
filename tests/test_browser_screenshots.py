"""README's pictures can be made anew, by one command."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent


def size(png: Path) -> tuple[int, int]:
    """Width and height of a PNG file."""
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_a_picture_is_taken_as_the_one_that_is_kept(
    tmp_path: Path, need: Callable[[str], str]
) -> None:
    need("chromium")
    command = [sys.executable, "tools/screenshots.py", "lesson.bn", "--into", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=240)
    taken, kept = tmp_path / "lesson.bn.png", ROOT / ".github/screenshots/lesson.bn.png"
    assert size(taken) == size(kept)
    assert 0.7 < taken.stat().st_size / kept.stat().st_size < 1.4  # as much is on it
