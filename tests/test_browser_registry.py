"""The registry browser in JupyterLab: looked through, searched, logged in to, deleted from."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from dockerlab import i18n
from dockerlab.registry import htpasswd
from tests.pages import Sheet
from tests.servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    RunningServer,
    descriptor,
    image,
    push_blob,
    push_image,
    put_manifest,
    start_real_registry,
    start_server,
)

ENV = ["PATH=/bin", "COLOUR=blue"]
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2026-01-02T03:04:05Z",
    "config": {
        "Env": ENV,
        "Cmd": ["serve"],
        "ExposedPorts": {"5000/tcp": {}},
        "Labels": {"a": "b"},
    },
    "history": [
        {"created_by": "COPY base /"},
        {"created_by": "ENV COLOUR=blue", "empty_layer": True},
        {"created_by": "COPY more /"},
    ],
}


def push_real_image(http: httpx.Client, name: str, tag: str, *layers: bytes) -> str:
    """An image with a config that says something; gives the manifest's digest."""
    config = json.dumps(CONFIG).encode()
    for content in (config, *layers):
        push_blob(http, name, content)
    answer = put_manifest(http, name, tag, image(config, *layers))
    return str(answer.headers["Docker-Content-Digest"])


def push_index(http: httpx.Client, name: str, tag: str, digest: str) -> None:
    """An index of one image and of notes on how that was built."""
    raw = http.get(f"/v2/{name}/manifests/{digest}", headers={"Accept": OCI_MANIFEST}).content
    platforms = [("linux", "arm64"), ("unknown", "unknown")]
    manifests = [
        {**descriptor(raw, OCI_MANIFEST), "platform": {"os": os, "architecture": architecture}}
        for os, architecture in platforms
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    assert put_manifest(http, name, tag, index.encode(), OCI_INDEX).status_code == 201


def tags(server: RunningServer, name: str) -> list[str]:
    """What the registry itself says."""
    return sorted(httpx.get(f"{server.url}/v2/{name}/tags/list").json().get("tags") or [])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """Three repositories, tags that share a manifest and images that share a layer."""
    with start_server(tmp_path / "registry") as running:
        fill(running)
        yield running


def fill(running: RunningServer) -> None:
    with httpx.Client(base_url=running.url) as http:
        digest = push_real_image(http, "shop/web", "v1", b"base", b"more")
        push_real_image(http, "shop/web", "latest", b"base", b"more")
        push_real_image(http, "shop/web", "v0", b"base", b"old")
        push_index(http, "shop/web", "all", digest)
        push_image(http, "cache", "1", b"base")
        push_image(http, "pictures", "1", b"base")


@pytest.fixture
def said(sheet: Sheet) -> Callable[[str], str]:
    """A message of the interface in the language of the notebook."""
    lang = sheet.path.partition("/")[0]

    def translate(message: str) -> str:
        i18n.choose(lang)
        try:
            return i18n._(message)
        finally:
            i18n.choose(None)

    return translate


def browser(sheet: Sheet, address: str) -> Locator:
    return sheet.run(f'lab.registry("{address}")')


def row(place: Locator, key: str) -> Locator:
    return place.locator(f'[data-key="{key}"]')


def toggle(place: Locator, key: str) -> Locator:
    return row(place, key).locator("button[aria-expanded]").first


def side(place: Locator, key: str, name: str) -> Locator:
    return row(place, key).locator(f'button[value="{name} {key}"]')


def test_it_is_looked_through_by_mouse(
    sheet: Sheet, server: RunningServer, said: Callable[[str], str]
) -> None:
    place = browser(sheet, server.address)
    key = "shop/web:v1"
    toggle(place, key).click()
    open_ = row(place, key)
    expect(open_).to_contain_text("shop/web:latest")  # has the same layers
    expect(open_).to_contain_text("cache:1")
    side(place, key, "config").click()
    for text in (*ENV, "5000/tcp", "a=b", "2026-01-02T03:04:05Z", "serve"):
        expect(open_).to_contain_text(text)
    sheet.photograph("registry-config", place) if said("tag") == "tag" else None
    side(place, key, "history").click()
    expect(open_.locator("tbody tr")).to_have_count(3)
    side(place, key, "manifest").click()
    expect(open_).to_contain_text("schemaVersion")
    side(place, key, "raw").click()
    expect(open_.locator("pre")).to_contain_text('"schemaVersion": 2')
    open_.get_by_role("button", name=said("Copy the very bytes")).click()
    copied = sheet.page.evaluate("navigator.clipboard.readText()")
    answer = httpx.get(f"{server.url}/v2/shop/web/manifests/v1", headers={"Accept": OCI_MANIFEST})
    assert copied == answer.text
    expect(open_).to_contain_text(answer.headers["Docker-Content-Digest"])

    toggle(place, "shop/web:all").click()
    inner = row(place, "shop/web:all").locator("[data-key*='@']").last
    expect(inner).to_contain_text("unknown/unknown")
    expect(inner).to_contain_text(said("attestation: notes on how the image was built"))
    inner.locator("button").first.click()
    expect(inner.locator("table")).to_be_visible()
    sheet.photograph(f"registry-{sheet.path[:2]}", place)


def test_it_is_looked_through_and_deleted_from_by_keyboard(
    sheet: Sheet, server: RunningServer, said: Callable[[str], str]
) -> None:
    place = browser(sheet, server.address)
    keyboard, key = sheet.page.keyboard, "shop/web:v1"
    toggle(place, "cache").focus()
    keyboard.press("Enter")
    expect(row(place, "cache:1")).to_have_count(0)
    keyboard.press("Space")
    expect(row(place, "cache:1")).to_be_visible()
    sheet.tab_to(f'button[value="{key}"][data-do="panel"]')
    keyboard.press("Enter")
    expect(side(place, key, "layers")).to_have_attribute("aria-pressed", "true")
    sheet.tab_to(f'button[value="raw {key}"]')
    keyboard.press("Enter")
    expect(row(place, key).locator("pre")).to_be_visible()
    expect(side(place, key, "raw")).to_be_focused()
    sheet.page.wait_for_timeout(2500)  # it was looked at again
    expect(side(place, key, "raw")).to_be_focused()
    sheet.tab_to("pre")
    sheet.tab_to('button[data-do="ask_delete"]')
    keyboard.press("Enter")
    warning = row(place, "delete")
    expect(warning).to_contain_text(said("Other tags lead to the very same manifest:"))
    expect(warning.locator("li")).to_have_text(["latest"])
    sheet.tab_to('button[data-do="keep"]')
    keyboard.press("Enter")
    expect(warning).to_have_count(0)
    assert tags(server, "shop/web") == ["all", "latest", "v0", "v1"]
    row(place, key).locator('[data-do="ask_delete"]').focus()
    keyboard.press("Enter")
    expect(warning.locator("li")).to_have_text(["latest"])
    sheet.tab_to('button[data-do="delete"]')
    keyboard.press("Enter")
    expect(row(place, key)).to_have_count(0)
    expect(row(place, "shop/web:latest")).to_be_visible()
    assert tags(server, "shop/web") == ["all", "latest", "v0"]
    sheet.page.wait_for_function(
        "document.activeElement.matches('[data-focus]')"
        " && document.activeElement.textContent.includes('v1')"
    )


def test_a_registry_that_deletes_whole_manifests_only_says_what_goes(
    sheet: Sheet, tmp_path: Path, need: Callable[[str], str], said: Callable[[str], str]
) -> None:
    with start_real_registry(need("docker-registry"), tmp_path) as server:
        fill(server)
        place = browser(sheet, server.address)
        key = "shop/web:v1"
        toggle(place, key).click()
        row(place, key).locator('[data-do="ask_delete"]').click()
        warning = row(place, "delete")
        expect(warning.locator("li")).to_have_text(["latest"])
        warning.locator('[data-do="delete"]').click()
        expect(warning.locator("li")).to_have_text(["v1", "latest"])
        assert tags(server, "shop/web") == ["all", "latest", "v0", "v1"]
        sheet.photograph(f"registry-delete-{sheet.path[:2]}", place)
        warning.locator('[data-do="delete"]').click()
        expect(row(place, key)).to_have_count(0)
        expect(row(place, "shop/web:latest")).to_have_count(0)
        assert tags(server, "shop/web") == ["all", "v0"]
        expect(place.get_by_role("status").first).to_contain_text("v1, latest")


def test_pushes_arrive_and_are_found(
    sheet: Sheet, server: RunningServer, said: Callable[[str], str]
) -> None:
    first, second = browser(sheet, server.address), browser(sheet, server.address)
    with httpx.Client(base_url=server.url) as http:
        push_image(http, "cache", "2", b"base", b"new")
        push_image(http, "fresh", "1", b"base")
        moved = push_image(http, "pictures", "1", b"another")
    for place in (first, second):
        expect(row(place, "cache:2")).to_be_visible()
        expect(row(place, "fresh:1")).to_be_visible()
        expect(row(place, "pictures:1")).to_contain_text(moved[7:19])
    search = first.get_by_label(said("Find a repository"))
    search.press_sequentially("SHO", delay=1)
    expect(row(first, "shop/web")).to_be_visible()
    expect(row(first, "cache")).to_have_count(0)
    expect(search).to_be_focused()
    expect(row(second, "cache")).to_be_visible()


def test_one_logs_in_within_it(sheet: Sheet, tmp_path: Path, said: Callable[[str], str]) -> None:
    htpasswd.add(tmp_path / "users", "mina", "s3cret-word")
    env = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "users"),
    }
    with start_server(tmp_path / "registry", env=env) as server:
        with httpx.Client(base_url=server.url, auth=("mina", "s3cret-word")) as http:
            push_image(http, "secrets", "1", b"base")
        place = sheet.run(f'view = lab.registry("{server.address}"); view')
        place.get_by_label(said("User")).fill("mina")
        place.get_by_label(said("Password")).fill("wrong-one")
        place.get_by_role("button", name=said("Log in")).click()
        expect(place.get_by_role("alert").first).to_contain_text("401 Unauthorized")
        expect(place.get_by_label(said("Password"))).to_have_value("")
        sheet.photograph(f"registry-login-{sheet.path[:2]}", place)
        place.get_by_label(said("Password")).fill("s3cret-word")
        sheet.page.keyboard.press("Enter")
        expect(row(place, "secrets:1")).to_be_visible()
        expect(place.get_by_label(said("Password"))).to_have_count(0)
        state = sheet.text("print(view.live().get_state(), vars(view))")
        assert "s3cret-word" not in state and "wrong-one" not in state
        saved = sheet.saved()
        assert "s3cret-word" not in saved and "wrong-one" not in saved
        kept = sheet.text(
            f'print(lab.engine.credentials.find("{server.address}").username, '
            "lab.engine.credentials.path)"
        )
        assert kept.startswith("mina") and str(sheet.course.mine.parent) in kept
