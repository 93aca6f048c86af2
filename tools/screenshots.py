"""Photograph the course for README.md: `python tools/screenshots.py [NAME.LANG …] [--into FOLDER]`.

Each picture is a lesson in a real JupyterLab in Chromium, run up to a cell, on the course's engine.
Without names all are made anew, in .github/screenshots.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from playwright.sync_api import Page  # noqa: E402

from tests.pages import DO, READY, open_studio  # noqa: E402

TARGET = ROOT / ".github" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1000, "height": 640}
RUN = """async last => {
  const {content} = jupyterapp.shell.currentWidget;
  content.notebookConfig = {...content.notebookConfig, windowingMode: 'none'};
  const ids = [...content.model.cells].map(cell => cell.id);
  for (const [index, cell] of content.widgets.entries()) {
    if (index > ids.indexOf(last)) break;
    content.activeCellIndex = index;
    if (cell.model.type === 'code') await jupyterapp.commands.execute('notebook:run-cell');
  }
}"""
SHOW = """top => {
  const {content} = jupyterapp.shell.currentWidget;
  const index = [...content.model.cells].findIndex(cell => cell.id === top);
  content.deselectAll();
  content.widgets[index].node.scrollIntoView({block: 'start'});
}"""


@dataclass(frozen=True)
class Shot:
    """What is seen of a lesson from the cell `top` on, when its cells up to `last` have run."""

    lesson: str
    top: str
    last: str
    theme: str = "JupyterLab Light"


SHOTS = {
    "lesson": Shot("05-tag-push-pull", "push", "push-again"),
    "registry": Shot("01-what-is-a-registry", "look", "browser"),
    "check": Shot("05-tag-push-pull", "ex1", "ex1-check"),
    "wire": Shot("07-under-the-hood", "wire", "wire", "JupyterLab Dark"),
}
PICTURES = [f"{name}.{lang}" for name in SHOTS for lang in ("bn", "en")]


def photograph(picture: str, target: Path, chromium: str) -> None:
    """Make one picture, NAME.LANG, in the folder `target`."""
    name, lang = picture.split(".")
    shot = SHOTS[name]
    options = ["--lang", lang, "--lesson", shot.lesson]
    with (
        tempfile.TemporaryDirectory() as folder,
        open_studio(Path(folder), chromium, *options, viewport=SIZE) as studio,
    ):
        compose(studio.page, shot, f"{lang}/{shot.lesson}.ipynb")
        target.mkdir(parents=True, exist_ok=True)
        studio.page.screenshot(path=target / f"{picture}.png")


def compose(page: Page, shot: Shot, path: str) -> None:
    """Bring the page to where the picture is taken."""
    page.evaluate(READY, path)
    page.evaluate(DO, ["apputils:change-theme", {"theme": shot.theme}])
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.evaluate(RUN, shot.last)
    page.wait_for_timeout(1000)  # what widgets fetch by themselves
    page.evaluate(SHOW, shot.top)
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)


def main() -> None:
    """Make all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="*", metavar="NAME.LANG", help=", ".join(PICTURES))
    parser.add_argument("--into", type=Path, default=TARGET, metavar="FOLDER")
    arguments = parser.parse_args()
    if strangers := set(arguments.pictures) - set(PICTURES):
        parser.error(f"no such picture: {', '.join(sorted(strangers))}")
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        parser.error(f"none of these is installed: {', '.join(BROWSERS)}")
    os.environ["DOCKERLAB_ENGINE"] = "embedded"
    for picture in arguments.pictures or PICTURES:
        photograph(picture, arguments.into, chromium)


if __name__ == "__main__":
    main()
