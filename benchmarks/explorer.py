"""How quick the widgets are, measured in a real JupyterLab in a real Chromium.

    python benchmarks/explorer.py [MEASUREMENT …]

keystroke   milliseconds from a key in the name explorer to the changed parts on the page
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.conftest import BINARIES
from tests.pages import Sheet, open_studio

KEYS = "localhost:5000/team/my-image:1"  # 30
# Which parts are shown changes with each of these keys: every input is followed by a change.
WATCH = """root => {
  const field = root.querySelector("input");
  let typed = 0;
  window.waits = [];
  field.addEventListener("input", () => { typed = performance.now(); }, true);
  new MutationObserver(() => {
    if (typed) window.waits.push(performance.now() - typed);
    typed = 0;
  }).observe(root, { subtree: true, childList: true, characterData: true });
}"""


def keystroke(sheet: Sheet) -> str:
    """From the input event to the change of the page, in the page's own time."""
    place = sheet.run("lab.name()")
    place.locator(".dockerlab").evaluate(WATCH)
    place.locator("input").focus()
    for number, key in enumerate(KEYS, 1):
        sheet.page.keyboard.press(key)
        sheet.page.wait_for_function(f"window.waits.length >= {number}")
    waits = sorted(sheet.page.evaluate("window.waits"))
    median = statistics.median(waits)
    return f"median of {len(waits)} keys {median:.1f} ms, {waits[0]:.1f} to {waits[-1]:.1f} ms"


MEASUREMENTS: dict[str, Callable[[Sheet], str]] = {
    "keystroke": keystroke,
}


def main(names: list[str]) -> int:
    """Print what each measurement finds, in a notebook of its own."""
    chromium = next(filter(None, map(shutil.which, BINARIES["chromium"])), None)
    if chromium is None:
        sys.exit("chromium is not installed")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_studio(Path(folder), chromium) as studio,
    ):
        for name in names or MEASUREMENTS:
            print(f"{name}: {MEASUREMENTS[name](studio.sheet('en'))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
