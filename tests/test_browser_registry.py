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
    "config": {"Env": ENV, "Cmd": ["serve"], "ExposedPorts": {"5000/tcp": {}}, "Labels": {"a": "b"}},
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
    answer = httpx.get(
        f"{server.url}/v2/shop/web/manifests/v1", headers={"Accept": OCI_MANIFEST}
    )
    assert copied == answer.text
    expect(open_).to_contain_text(answer.headers["Docker-Content-Digest"])

    toggle(place, "shop/web:all").click()
    inner = row(place, "shop/web:all").locator("[data-key*='@']").last
    expect(inner).to_contain_text("unknown/unknown")
    expect(inner).to_contain_text(said("attestation: notes on how the image was built"))
    inner.locator("button").first.click()
    expect(inner.locator("table")).to_be_visible()
    sheet.photograph(f"registry-{sheet.path[:2]}", place)
