"""An error explained in JupyterLab: the button that does it, and the box to paste into."""

import pytest
from playwright.sync_api import Locator, expect

from tests.pages import DO, PANEL, Sheet

ASK = "import httpx\nprint(httpx.get('http://localhost:{port}/v2/_catalog').text)"
NAMES = "%docker image ls --format {{.Repository}}"
PASTED = """$ docker login -u mina -p hunter2hunter2 localhost:5001
mina@pc:~$ docker push my-image
denied: requested access to the resource is denied"""


IN_FRONT = "path => jupyterapp.shell.currentWidget?.context?.path === path"


def acts(place: Locator) -> Locator:
    return place.get_by_role("listitem")


@pytest.fixture(scope="module")
def port(sheet: Sheet) -> str:
    """A port on which nobody listens."""
    code = (
        "import socket\nwith socket.create_server(('127.0.0.1', 0)) as s: print(s.getsockname()[1])"
    )
    found = sheet.text(code).strip()
    sheet.run('lab.begin("05-tag-push-pull")')
    return found


def test_a_button_gives_the_name_and_the_next_one_pushes(sheet: Sheet, port: str) -> None:
    sheet.run(f"%docker run -d -p {port}:5000 --name registry registry:2")
    place = sheet.run("%docker push my-image")
    steps = acts(place)
    expect(steps).to_have_count(1)
    expect(steps.first).to_contain_text(f"docker image tag my-image localhost:{port}/my-image")
    steps.first.get_by_role("button").first.click()
    expect(steps).to_have_count(2)
    expect(steps.first).to_contain_text("✔")
    assert f"localhost:{port}/my-image" in sheet.text(NAMES)
    steps.nth(1).get_by_role("button").first.click()
    expect(steps.nth(1)).to_contain_text("digest: sha256:")
    assert "my-image" in sheet.text(ASK.format(port=port))
    sheet.photograph(f"explain-push-{sheet.path[:2]}", place.locator(".dockerlab"))


def test_by_keyboard_alone_a_stopped_registry_starts_again(sheet: Sheet, port: str) -> None:
    sheet.run("%docker stop registry")
    place = sheet.run(f"%docker push localhost:{port}/my-image")
    expect(acts(place).first).to_contain_text("docker start registry")
    place.get_by_role("button").first.focus()
    sheet.page.keyboard.press("Enter")
    expect(acts(place)).to_have_count(2)
    expect(acts(place).nth(1).get_by_role("button").first).to_be_focused()
    sheet.page.keyboard.press("Space")
    expect(acts(place).nth(1)).to_contain_text("digest: sha256:")


def test_what_takes_away_asks_first(sheet: Sheet, port: str) -> None:
    place = sheet.run(f"%docker run -d -p {port}:5000 --name registry registry:2")
    place.locator("button.danger").first.click()
    question = place.get_by_role("alert")
    expect(question).to_be_visible()
    sheet.tab_to('button[data-do="leave"]')
    sheet.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    assert "my-image" in sheet.text(ASK.format(port=port))
    place.locator("button.danger").first.focus()
    sheet.page.keyboard.press("Enter")
    expect(question.locator("[data-focus]")).to_be_focused()
    sheet.page.keyboard.press("Tab")
    sheet.page.keyboard.press("Enter")
    expect(acts(place).last).to_contain_text("docker run -d")
    acts(place).last.get_by_role("button").first.click()
    expect(acts(place).last).to_contain_text("✔")
    assert '"repositories":[]' in sheet.text(ASK.format(port=port)).replace(" ", "")


def test_a_pasted_error_by_keyboard_alone(sheet: Sheet) -> None:
    place = sheet.run("view = lab.explain()\nview")
    box = place.get_by_role("textbox")
    box.focus()
    sheet.page.keyboard.insert_text(PASTED)
    sheet.page.keyboard.press("Tab")
    sheet.page.keyboard.press("Enter")
    expect(place.get_by_role("status").first).to_contain_text("docker.io/library/my-image")
    expect(box).not_to_have_value("hunter2")
    assert "hunter2" not in box.input_value() and "••••" in box.input_value()
    sheet.photograph(f"explain-pasted-{sheet.path[:2]}", place.locator(".dockerlab"))
    assert "hunter2" not in sheet.saved()
    assert "hunter2" not in sheet.text("print(view.live().get_state(), vars(view))")


def test_an_unknown_error_is_said_to_be_one(sheet: Sheet) -> None:
    place = sheet.run('lab.explain("Error response from daemon: <b>of 2031</b>")')
    honest = {"bn": "কোর্সের তালিকায় নেই", "en": "not in the course's list"}[sheet.path[:2]]
    expect(place.get_by_role("status").first).to_contain_text(honest)
    box = place.get_by_role("textbox")
    expect(box).to_have_value("Error response from daemon: <b>of 2031</b>")
    box.fill("no space left on device")
    place.locator("button.main").click()
    expect(place.get_by_role("status").first).not_to_contain_text(honest)


def test_a_command_is_copied(sheet: Sheet) -> None:
    place = sheet.run("%docker push my-image")
    place.locator("[data-copy]").first.click()
    copied = sheet.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("docker image tag my-image localhost:")


def test_an_error_is_practised_in_its_own_section(sheet: Sheet, port: str) -> None:
    place = sheet.run("%docker push my-image")
    sheet.page.evaluate("globalThis.same = true")
    place.locator('a[href$="#push-denied"]').focus()
    sheet.page.keyboard.press("Enter")
    sheet.page.wait_for_function(IN_FRONT, arg=f"{sheet.path[:2]}/troubleshooting.ipynb")
    heading = sheet.page.locator(f"{PANEL} h3", has_text="push-denied")
    expect(heading).to_be_in_viewport(timeout=60_000)  # after 132 cells are drawn
    assert sheet.page.evaluate("globalThis.same")  # the page was not loaded anew
    sheet.page.evaluate(DO, ["docmanager:open", {"path": sheet.path}])
    sheet.page.wait_for_function(IN_FRONT, arg=sheet.path)
