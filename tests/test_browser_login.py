"""The login form in a real JupyterLab: both hands, both languages, and no trace of the password."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.pages import Sheet

USER, PASSWORD = "mina", "গোপন: s3cret"
PACKED = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
START = f"""
lab.htpasswd("auth/htpasswd", {USER!r}, "".join(map(chr, {[ord(sign) for sign in PASSWORD]})))
%docker run -d -p 127.0.0.1::5000 --name private -v ./auth:/auth -e REGISTRY_AUTH=htpasswd \
 -e "REGISTRY_AUTH_HTPASSWD_REALM=the lab" -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd registry:2
"""
TRACES = f"""
import gc
wanted = "".join(map(chr, {[ord(sign) for sign in PASSWORD]}))
def holds(value):
    if isinstance(value, bytes):
        return wanted.encode() in value
    return isinstance(value, str) and wanted in value and value is not wanted
gc.collect()
held = [each for each in gc.get_objects()
        if each is not globals() and any(map(holds, gc.get_referents(each)))]
print("held:", len(held), wanted in repr((In[:-1], Out)))
"""


@pytest.fixture(scope="module")
def registry(sheet: Sheet) -> Iterator[str]:
    """A registry that wants a login; its address."""
    sheet.run(START)
    yield sheet.text("%docker port private 5000/tcp").strip()


@pytest.fixture
def form(sheet: Sheet, registry: str) -> Locator:
    """The form, with nobody logged in."""
    sheet.run(f"%docker logout {registry}")
    return sheet.run(f"view = lab.login('{registry}')\nview")


def kept(sheet: Sheet) -> dict[str, object]:
    """The logins in the lab's docker config."""
    path = Path(sheet.course.home, "docker-config", "config.json")
    text = path.read_text("utf-8") if path.exists() else '{"auths": {}}'
    found: dict[str, object] = json.loads(text)["auths"]
    return found


def test_by_mouse_it_shows_what_travels_and_where_it_ends(
    sheet: Sheet, form: Locator, registry: str
) -> None:
    form.locator('input[name="user"]').fill(USER)
    form.locator('input[name="password"]').fill("wrong")
    form.locator("button.main").click()
    expect(form.locator("pre")).to_contain_text("failed with status: 401 Unauthorized")
    expect(form.get_by_role("note").first).to_contain_text("bcrypt")
    assert registry not in kept(sheet)

    form.locator('input[name="password"]').fill(PASSWORD)
    form.locator("button.main").click()
    expect(form.locator("pre").first).to_contain_text("Login Succeeded")
    assert kept(sheet)[registry] == {"auth": PACKED}
    travelled = form.locator("ol").first
    expect(travelled).to_contain_text('WWW-Authenticate: Basic realm="the lab"')
    expect(travelled).to_contain_text("Authorization: Basic ••••")
    expect(form).to_contain_text("0600")
    expect(form).not_to_contain_text(PACKED)

    for which in ("header", "entry"):
        button = form.locator(f'button[data-do="decode"][value="{which}"]')
        button.click()
        expect(form.locator(f'[data-whisper="{which}"]')).to_contain_text(PACKED)
        expect(form.locator(f'[data-whisper="{which}-plain"]')).to_have_text(f"{USER}:{PASSWORD}")
        if which == "header":
            sheet.photograph(f"login-{'bn' if '/bn/' in f'/{sheet.path}' else 'en'}", form)
        button.click()
        expect(form.locator(f'[data-whisper="{which}-plain"]')).to_have_text("")

    form.locator('button[value="header"]').click()
    expect(form.locator('[data-whisper="header"]')).to_contain_text(PACKED)
    no_trace(sheet, registry)
    form.locator('button[data-do="log_out"]').click()
    expect(form).to_contain_text(f"Removing login credentials for {registry}")
    assert registry not in kept(sheet)
    expect(form.locator("[data-whisper]")).to_have_count(0)


def no_trace(sheet: Sheet, registry: str) -> None:
    """The password is in docker's own file, and nowhere else."""
    written = (PASSWORD, PACKED, PASSWORD[-6:], json.dumps(PASSWORD)[1:-1])
    state = sheet.text("print(view.live().get_state(), repr(view), view.html())")
    notebook = sheet.saved()
    log = sheet.text("%docker logs private")
    assert "html" in state and "application/vnd.jupyter.widget-state+json" in notebook
    assert registry in notebook and "GET /v2/" in log
    for text in (state, notebook, log):
        assert not any(secret in text for secret in written)
    assert sheet.text(TRACES).strip() == "held: 0 False"
    for path in Path(sheet.course.home).rglob("*"):
        if path.is_file() and path.name != "config.json":
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in written), path


def test_by_keyboard_alone(sheet: Sheet, form: Locator, registry: str) -> None:
    form.locator('input[name="user"]').focus()
    keys = sheet.page.keyboard
    keys.type("no:body")
    keys.press("Tab")
    keys.type("x")
    keys.press("Enter")
    expect(form.get_by_role("alert").first).to_contain_text("user:password")
    form.locator('input[name="user"]').focus()
    keys.press("ControlOrMeta+a")
    keys.type(USER)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(form.locator("pre").first).to_contain_text("Login Succeeded")
    assert registry in kept(sheet)
    sheet.tab_to('button[value="entry"]')
    keys.press("Enter")
    expect(form.locator('[data-whisper="entry-plain"]')).to_have_text(f"{USER}:{PASSWORD}")
    keys.press("Space")
    expect(form.locator('[data-whisper="entry-plain"]')).to_have_text("")
    sheet.tab_to('button[data-do="log_out"]')
    keys.press("Enter")
    expect(form.locator('button[data-do="log_out"]')).to_have_count(0)
    expect(form.locator("button.main")).to_be_focused()
    expect(form).to_contain_text(f"Removing login credentials for {registry}")
    assert registry not in kept(sheet)


def test_nobody_there_and_no_login_wanted(sheet: Sheet) -> None:
    place = sheet.run("lab.login('localhost:9')")
    place.locator('input[name="user"]').fill(USER)
    place.locator('input[name="password"]').fill(PASSWORD)
    place.locator("button.main").click()
    expect(place.locator("pre")).to_contain_text("connection refused")
    sheet.run("%docker run -d -p 127.0.0.1::5000 --name open registry:2")
    address = sheet.text("%docker port open 5000/tcp").strip()
    place = sheet.run(f"lab.login('{address}', user='{USER}')")
    place.locator('input[name="password"]').fill(PASSWORD)
    sheet.page.keyboard.press("Enter")
    expect(place.get_by_role("note")).to_contain_text(re.compile("wants no login|লগইন চায় না"))
    hub = sheet.run("lab.login()")
    expect(hub.get_by_role("note")).to_contain_text("docker login localhost:5001")
    expect(hub.locator("input")).to_have_count(0)
