"""The wire view in a real JupyterLab: rows opened by both hands, copies that run, no secrets."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.pages import Sheet

START = """
lab.begin("05-tag-push-pull")
%docker run -d -p 127.0.0.1::5000 --name registry registry:2
"""


@pytest.fixture(scope="module")
def name(sheet: Sheet, need: Callable[[str], str]) -> Iterator[str]:
    """my-image by a name at a registry that runs."""
    need("curl")
    sheet.run(START)
    address = sheet.text("%docker port registry 5000/tcp").strip()
    sheet.run(f"%docker tag my-image {address}/my-image")
    yield f"{address}/my-image"


@pytest.fixture(scope="module")
def push(sheet: Sheet, name: str) -> Locator:
    """A push, seen."""
    return sheet.run(f"view = lab.wire('docker push {name}')\nview")


def row(place: Locator, text: str) -> Locator:
    """The button of the first row with that text."""
    return place.locator('button[data-do="open"]').filter(has_text=text).first


def copied(sheet: Sheet, place: Locator, program: str) -> str:
    """What a copy button gives."""
    place.locator(f'[data-key="copy-{program}"]').click()
    expect(place.locator(f'[data-key="copy-{program}"]')).not_to_contain_text(program)
    return str(sheet.page.evaluate("navigator.clipboard.readText()"))


def test_by_mouse_rows_open_and_their_copies_run(sheet: Sheet, push: Locator, name: str) -> None:
    expect(push.get_by_role("img")).to_be_visible()
    expect(push.get_by_role("img")).to_contain_text("manifests/latest")
    expect(push.locator("tbody tr")).to_have_count(19)
    button = row(push, "/manifests/latest")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    inside = push.locator('[data-key^="inside"]')
    expect(inside).to_contain_text("application/vnd.oci.image.manifest.v1+json")
    expect(inside).to_contain_text('"schemaVersion": 2')
    expect(inside).to_contain_text("docker-content-digest", ignore_case=True)
    sheet.photograph(f"wire-{sheet.path.partition('/')[0]}", push)

    line = copied(sheet, push, "curl")
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 201")
    program = copied(sheet, push, "httpx")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("201 ")

    row(push, "PATCH").click()
    expect(inside).to_contain_text("986B" if "en/" in sheet.path else "৯৮৬B")
    expect(inside.locator("[data-copy]")).to_have_count(0)
    row(push, "PATCH").click()
    expect(inside).to_have_count(0)


def test_by_keyboard_alone(sheet: Sheet, push: Locator) -> None:
    row(push, "HEAD").focus()
    sheet.page.keyboard.press("Enter")
    inside = push.locator('[data-key^="inside"]')
    expect(inside).to_contain_text("404")
    sheet.tab_to('[data-key="copy-curl"]')
    sheet.page.keyboard.press("Enter")
    expect(push.locator('[data-key="copy-curl"]')).not_to_contain_text("curl")
    line = str(sheet.page.evaluate("navigator.clipboard.readText()"))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 200")  # the blob has come since
    row(push, "HEAD").focus()
    sheet.page.keyboard.press("Space")
    expect(inside).to_have_count(0)


def test_a_failure_is_explained_and_the_log_can_be_asked_again(sheet: Sheet, name: str) -> None:
    place = sheet.run(f"lab.wire('pull {name}-not')")
    expect(place.locator("pre")).to_contain_text("manifest unknown")
    expect(place.get_by_role("note")).to_be_visible()

    log = sheet.run("lab.requests('registry')")
    before = int(sheet.text("print(len(lab.requests('registry').events))"))
    row(log, "GET /v2/my-image-not/manifests").click()
    inside = log.locator('[data-key^="inside"]')
    expect(inside.locator("button")).to_have_count(1)
    inside.locator('button[data-do="ask"]').click()
    expect(inside).to_contain_text("MANIFEST_UNKNOWN")
    expect(inside.locator("[data-copy]")).to_have_count(2)
    assert int(sheet.text("print(len(lab.requests('registry').events))")) > before
    row(log, "PUT").click()
    expect(inside.locator("button")).to_have_count(0)
    sheet.photograph(f"requests-{sheet.path.partition('/')[0]}", log)


def test_no_secret_is_shown_or_copied(sheet: Sheet) -> None:
    """The password is put together by the kernel, so no cell holds it."""
    sheet.run("""
word = "se" + "sam-" + "öffne"
lab.htpasswd("auth/htpasswd", "mina", word)
%docker run -d -p 127.0.0.1::5000 --name private -v ./auth:/auth -e REGISTRY_AUTH=htpasswd \
 -e REGISTRY_AUTH_HTPASSWD_REALM=lab -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd registry:2
""")
    address = sheet.text("%docker port private 5000/tcp").strip()
    sheet.run(f"""
from dockerlab.engine.credentials import Login
lab.engine.credentials.store({address!r}, Login("mina", word))
%docker tag my-image {address}/my-image
""")
    place = sheet.run(f"secret = lab.wire('push {address}/my-image')\nsecret")
    row(place, "HEAD").click()
    inside = place.locator('[data-key^="inside"]')
    expect(inside).to_contain_text("Basic ••••")
    line = copied(sheet, place, "curl")
    assert "--user USER" in line
    env = {**os.environ, "HOME": str(sheet.course.home)}
    typed = line.replace("--user USER", "--user mina:sesam-öffne")
    done = subprocess.run(["sh", "-c", typed], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.startswith("HTTP/1.1 200")
    state = sheet.text("print(secret.live().get_state(), secret.html())")
    packed = sheet.text("import base64; print(base64.b64encode(b'mina:' + word.encode()).decode())")
    for text in (state, place.inner_html()):
        assert "sesam-" not in text and packed.strip() not in text
    cells = json.loads(sheet.saved())["cells"]
    assert "sesam-öffne" not in json.dumps(cells, ensure_ascii=False)
