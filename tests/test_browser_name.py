"""The name explorer in a real JupyterLab: typed into, clicked, and by the keyboard alone."""

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from dockerlab import i18n
from dockerlab.i18n import _
from dockerlab.widgets.explorer import Typed
from dockerlab.widgets.picture import words
from tests.pages import Sheet


@pytest.fixture(autouse=True)
def spoken(sheet: Sheet) -> None:
    """The words that are looked for are those of the notebook."""
    i18n.choose(sheet.path[:2])


def mistake(place: Locator) -> Locator:
    return place.locator("mark")


def test_parts_light_up_as_one_types(sheet: Sheet) -> None:
    place = sheet.run("view = lab.name()\nview")
    field = place.get_by_label(_("Name of an image"))
    field.click()
    sheet.page.keyboard.type("localhost:5000")
    expect(place.locator('[data-key="registry"]')).to_contain_text("docker.io")
    sheet.page.keyboard.type("/")
    expect(mistake(place)).to_contain_text("/")
    expect(field).to_have_attribute("aria-invalid", "true")
    sheet.page.keyboard.type("my-image")
    said = Typed.read("localhost:5000/my-image")
    expect(place.get_by_role("status")).to_contain_text(said.summary)
    for each in said.senses:
        expect(place.locator(f'[data-key="{each.kind}"]')).to_contain_text(each.meaning)
    expect(mistake(place)).to_have_count(0)
    expect(field).to_be_focused()
    for _press in range(8):
        sheet.page.keyboard.press("ArrowLeft")
    sheet.page.keyboard.type("team/")
    expect(place.locator('[data-key="namespace"]')).to_contain_text("team")
    expect(field).to_have_value("localhost:5000/team/my-image")
    assert field.evaluate("one => one.selectionStart") == len("localhost:5000/team/")
    place.get_by_role("button", name=_("Copy the full form")).click()
    copied = sheet.page.evaluate("navigator.clipboard.readText()")
    assert copied == "localhost:5000/team/my-image:latest"
    assert sheet.text("print(view.first.name)").strip() == copied
    sheet.photograph(f"name-{i18n.language()}", place)


def test_a_mistake_is_mended_by_the_keyboard_alone(sheet: Sheet) -> None:
    place = sheet.run('lab.name("nginx")')
    field = place.get_by_label(_("Name of an image"))
    field.focus()
    sheet.page.keyboard.press("ControlOrMeta+a")
    sheet.page.keyboard.type("http://localhost:5000/My-Image")
    expect(mistake(place)).to_have_text(re.compile("http://"))
    expect(place.get_by_text("invalid reference format")).to_be_visible()
    sheet.photograph(f"name-wrong-{i18n.language()}", place)
    field.focus()
    sheet.tab_to(".dockerlab button.main")
    sheet.page.keyboard.press("Enter")
    expect(mistake(place)).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("localhost:5000/my-image")


def test_examples_and_a_comparison(sheet: Sheet) -> None:
    place = sheet.run("view = lab.name()\nview")
    place.get_by_role("button", name="My-Image", exact=True).click()
    expect(mistake(place)).to_contain_text("My-Image")
    place.get_by_role("button", name="nginx", exact=True).click()
    expect(place.get_by_label(_("Name of an image"))).to_have_value("nginx")
    place.get_by_role("button", name=_("Compare with another name")).click()
    other = place.get_by_label(_("The other name"))
    expect(other).to_be_visible()
    sheet.page.keyboard.press("Tab")
    expect(other).to_be_focused()
    sheet.page.keyboard.type("docker.io/library/nginx:1")
    expect(place.get_by_role("status").last).to_contain_text("≠")
    expect(place.locator("tbody tr", has_text="≠")).to_have_count(1)
    sheet.photograph(f"name-compared-{i18n.language()}", place)
    other.press("End")
    other.press("Backspace")
    sheet.page.keyboard.type("latest")
    expect(place.get_by_role("status").last).to_contain_text("docker.io/library/nginx:latest")
    expect(place.locator("tbody tr", has_text="≠")).to_have_count(0)
    assert "True" in sheet.text("print(view.first.name == view.second.name)")


def test_a_pasted_password_goes_nowhere(sheet: Sheet) -> None:
    place = sheet.run("view = lab.name()\nview")
    field = place.get_by_label(_("Name of an image"))
    sheet.page.evaluate("navigator.clipboard.writeText('https://mina:s3cr3t@registry.io/x')")
    field.focus()
    sheet.page.keyboard.press("ControlOrMeta+v")
    expect(field).to_have_value("https://mina:•••@registry.io/x")
    expect(place.get_by_role("status")).to_contain_text("docker login")
    assert "s3cr3t" not in sheet.text("print(view.live().get_state(), view, vars(view))")
    assert "s3cr3t" not in sheet.saved()
    place.locator("button.main").click()
    expect(field).to_have_value("registry.io/x")


def test_a_megabyte_is_cut_and_typing_goes_on(sheet: Sheet) -> None:
    place = sheet.run("lab.name()")
    field = place.get_by_label(_("Name of an image"))
    field.fill("x" * 1_000_000)
    said = Typed.read("x" * 1001).cut
    expect(place.get_by_role("status")).to_contain_text(said, timeout=20_000)
    assert field.input_value() == "x" * 1000
    field.fill("আমার-ইমেজ")
    expect(mistake(place)).to_contain_text("আমার")
    field.fill("nginx")
    expect(mistake(place)).to_have_count(0)


def test_a_picture_is_shown_in_the_learners_language(sheet: Sheet) -> None:
    place = sheet.run('lab.picture("push-pull")')
    picture = place.locator("img")
    told = words()["push-pull"]["alt"][i18n.language()]
    expect(picture).to_have_attribute("alt", told)
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 440
    sheet.photograph(f"picture-{i18n.language()}", place)
    saved = json.loads(sheet.saved())["cells"][-1]["outputs"][0]["data"]
    assert "".join(saved["text/plain"]) == told
    assert picture.get_attribute("src") in "".join(saved["text/html"])
    wrong = sheet.text('lab.picture("push-pul")')
    assert "push-pull" in wrong and "Traceback" not in wrong
