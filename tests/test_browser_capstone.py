"""The capstone's overview in JupyterLab, and its page in a browser of its own and on paper."""

import json
import os
import re
import unicodedata
import zlib
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dockerlab.course import capstone
from tests.pages import PANEL, Sheet, Studio

NAMES = {"bn": "রাহিমা খাতুন", "en": "Ada Lovelace"}
SHEETS = {"longest": "W" * 200, "several": "অনেক লম্বা একটা নাম " * 9, "rtl": "فاطمة بنت محمد"}


def lang(sheet: Sheet) -> str:
    return sheet.path.partition("/")[0]


def pass_all(sheet: Sheet) -> None:
    """All steps were green once."""
    day = {"tries": 1, "passed": "2026-02-14T06:00:00+00:00"}
    kept = {"version": 1, "checks": dict.fromkeys(capstone.titles(), day)}
    (sheet.course.home / "progress.json").write_text(json.dumps(kept), "utf-8")


def forget(sheet: Sheet) -> None:
    (sheet.course.home / "progress.json").unlink(missing_ok=True)


def test_the_overview_by_keyboard(sheet: Sheet) -> None:
    forget(sheet)
    place = sheet.run("lab.capstone()")
    items = place.locator("li")
    expect(items).to_have_count(5)
    expect(items.first).to_contain_text("team-registry")
    sheet.run("%docker create --name team-registry registry:2")
    place.get_by_role("button").focus()
    sheet.page.keyboard.press("Enter")
    expect(items.first).to_contain_text("docker start team-registry")
    sheet.run('lab.begin("09-capstone", anew=True)')
    place.get_by_role("button").click()
    expect(items.first).to_contain_text("docker run")
    sheet.photograph(f"capstone-{lang(sheet)}", place.locator(".dockerlab"))


def test_what_was_done_once_is_shown(sheet: Sheet) -> None:
    pass_all(sheet)
    place = sheet.run("lab.capstone()")
    expect(place).to_contain_text("lab.diploma")
    sheet.photograph(f"capstone-once-{lang(sheet)}", place.locator(".dockerlab"))


def test_the_page_opens_by_a_click_beside_the_notebook(sheet: Sheet) -> None:
    pass_all(sheet)
    place = sheet.run(f'lab.diploma("{NAMES[lang(sheet)]}")')
    sheet.photograph(f"diploma-cell-{lang(sheet)}", place)
    link = place.get_by_role("link")
    expect(link).to_have_attribute("href", re.compile(r"/files/.*diploma\.html"))
    link.click()
    shown = sheet.page.frame_locator(".jp-HTMLViewer iframe")
    expect(shown.locator(".name")).to_have_text(NAMES[lang(sheet)])
    sheet.page.evaluate("jupyterapp.shell.currentWidget.dispose()")
    expect(sheet.page.locator(PANEL)).to_be_visible()


def written(sheet: Sheet, name: str) -> Path:
    pass_all(sheet)
    sheet.run(f"lab.diploma({name!r})")
    return sheet.course.mine / lang(sheet) / "diploma.html"


def test_the_page_in_light_dark_and_on_a_phone(sheet: Sheet, studio: Studio) -> None:
    path = written(sheet, NAMES[lang(sheet)])
    page = studio.page.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = Axe().run(page).response["violations"]
            assert [each for each in found if each["impact"] in ("serious", "critical")] == []
            keep(page, f"diploma-{lang(sheet)}-{scheme}-{width}")
    assert asked == [path.as_uri()]  # nothing else is fetched from anywhere
    page.close()


@pytest.mark.parametrize("name", [*NAMES.values(), *SHEETS.values()], ids=[*NAMES, *SHEETS])
def test_it_prints_on_one_sheet_of_a4(name: str, sheet: Sheet, studio: Studio) -> None:
    path = written(sheet, name)
    page = studio.page.context.new_page()
    page.goto(path.as_uri())
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    width, height = (float(each) for each in boxes(pdf)[0])
    assert abs(width - 842) < 2 and abs(height - 595) < 2  # A4, lying, in points
    assert set(name) - {" "} <= letters(pdf)  # it is text, not a picture of text
    for size in ("A4", "Letter"):
        assert len(boxes(page.pdf(format=size))) == 1  # whatever the browser's dialog says
    page.close()


def boxes(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """The width and height of each page."""
    pages = re.findall(rb"/Type\s*/Page\b.*?(?=endobj)", pdf, re.DOTALL)
    found = [re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", page) for page in pages]
    return [(box[1], box[2]) for box in found if box]


def letters(pdf: bytes) -> set[str]:
    """The letters that can be selected and searched: those of its fonts' ToUnicode maps."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue
        for shown in re.findall(r"/ActualText\s*<FEFF([0-9A-Fa-f]+)>", text):  # of joined letters
            found |= set(bytes.fromhex(shown).decode("utf-16-be"))
        for kind, entries in re.findall(r"beginbf(char|range)(.*?)endbf", text, re.DOTALL):
            codes = [bytes.fromhex(each) for each in re.findall(r"<([0-9A-Fa-f]+)>", entries)]
            if kind == "char":
                for code in codes[1::2]:
                    found |= set(code.decode("utf-16-be"))
                continue
            for first, last, code in zip(codes[::3], codes[1::3], codes[2::3], strict=True):
                start = ord(code.decode("utf-16-be"))
                span = int.from_bytes(last, "big") - int.from_bytes(first, "big")
                found |= {chr(start + number) for number in range(span + 1)}
    return {sign for each in found for sign in unicodedata.normalize("NFKC", each)}


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("DOCKERLAB_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
