"""Opened in Bangla, JupyterLab's own menus, buttons and dialogs speak Bangla too."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.pages import READY, START, Studio, open_studio

BANGLA = re.compile("[\u0980-\u09ff]")
LABELS = "() => [...document.querySelectorAll('.lm-Menu-itemLabel')].map(one => one.textContent)"


@pytest.fixture(scope="module")
def bangla(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> Iterator[Studio]:
    with open_studio(tmp_path_factory.mktemp("bn"), need("chromium"), "--lang", "bn") as studio:
        studio.page.evaluate(READY, "bn/00-start.ipynb")
        yield studio


def labels(page: Page, menu: str) -> list[str]:
    """What a menu offers."""
    page.locator(".lm-MenuBar-itemLabel", has_text=menu).click()
    page.locator(".lm-Menu-itemLabel").first.wait_for()
    found = [text for text in page.evaluate(LABELS) if text]
    page.keyboard.press("Escape")
    return found


@pytest.mark.parametrize(
    ("menu", "entry"),
    [
        ("ফাইল", "সব সেভ করো"),
        ("সম্পাদনা", "নিচে পেস্ট করো"),
        ("দেখা", "লাইনের নম্বর দেখাও"),
        ("চালাও", "সব ঘর চালাও"),
        ("কার্নেল", "কার্নেল নতুন করে চালাও…"),
        ("সেটিংস", "ভাষা"),
        ("সাহায্য", "কিবোর্ডের শর্টকাট…"),
    ],
)
def test_the_menus_speak_bangla(bangla: Studio, menu: str, entry: str) -> None:
    found = labels(bangla.page, menu)
    assert entry in found
    foreign = [text for text in found if not BANGLA.search(text)]
    theirs = [text for text in foreign if text.endswith("Reference")]  # kernels name these
    assert set(foreign) - set(theirs) <= {"Save Widget State Automatically"}


def test_the_buttons_of_a_notebook_speak_bangla(bangla: Studio) -> None:
    places = bangla.page.locator(".jp-NotebookPanel-toolbar [title]")
    found = places.evaluate_all("all => all.map(one => one.title)")
    assert any("ঘরটা চালিয়ে পরেরটায় যাও" in text for text in found)
    assert any("কার্নেলের কাজ থামাও" in text for text in found)


def test_a_dialog_speaks_bangla(bangla: Studio) -> None:
    bangla.page.evaluate(START, ["notebook:restart-kernel", {}])
    said = bangla.page.locator(".jp-Dialog-content").inner_text()
    assert "কার্নেল নতুন করে চালাবে?" in said and "থাক" in said
    assert not re.search("[A-Za-z]{3}", said.replace("00-start.ipynb", ""))
    bangla.page.keyboard.press("Escape")


def test_her_choice_in_the_menu_stays(tmp_path: Path) -> None:
    from dockerlab.jupyter.language import speak

    setting = tmp_path / "settings/@jupyterlab/translation-extension/plugin.jupyterlab-settings"
    speak(tmp_path, "bn", wished=False)
    assert setting.read_text() == '{"locale": "bn_BD"}'
    setting.write_text('{"locale": "en"} // hers')
    speak(tmp_path, "bn", wished=False)
    assert "hers" in setting.read_text()
    speak(tmp_path, "bn", wished=True)
    assert setting.read_text() == '{"locale": "bn_BD"}'
