"""What a notebook shows: names, registries and outcomes, in HTML and in plain text."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from servers import RunningServer, start_server

from dockerlab import i18n
from dockerlab.engine.embedded import Embedded
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import Manifest
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push
from dockerlab.widgets import name as names
from dockerlab.widgets import registry as registries
from dockerlab.widgets.check import CheckView
from dockerlab.widgets.outcome import Note

DIGEST = "sha256:" + "0a" * 32
FULL = "docker.io/library/hello-world:latest"
VOID = {"br", "input"}


class Balanced(HTMLParser):
    """Fails where a tag is not closed, or an id is used, and collects the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        assert tag not in ("script", "style") and "id" not in dict(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("nginx", "registry namespace tag"),
        ("nginx:latest", "registry namespace"),
        ("library/nginx", "registry tag"),
        ("docker.io/nginx", "namespace tag"),
        ("index.docker.io/library/nginx", "tag"),
        ("team/x:v1", "registry"),
        ("localhost:5000/my-image", "tag"),
        ("localhost:5000/library/x:1", ""),
        ("latest", "registry namespace tag"),
        (f"nginx@{DIGEST}", "registry namespace"),
        (f"[::1]:5000/a/b:v1@{DIGEST}", ""),
        ("foo_bar.com/x", "tag"),
    ],
)
def test_a_name_shows_its_parts_and_who_wrote_them(text: str, added: str) -> None:
    name = Reference.parse(text)
    parts = names.parts(name)
    assert "".join(part.text + part.after for part in parts) == str(name)
    assert " ".join(part.kind for part in parts if part.added) == added
    seen = Balanced(names.html(name))
    for part in parts:
        assert part.text in seen.text and part.label in seen.text
    assert ("aria-label", str(name)) in seen.attributes
    assert names.html(name) == names.html(Reference.parse(text))


def test_a_name_is_labelled_in_the_learners_language() -> None:
    i18n.choose("bn")
    html = names.html(Reference.parse("nginx"))
    assert "রেজিস্ট্রি" in html and "ডকার বসিয়েছে" in html and 'lang="bn"' in html


def luminance(colour: str) -> float:
    """WCAG 2.2 § relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_the_colours_of_parts_can_be_seen_in_both_themes(background: str) -> None:
    for part in names.parts(Reference.parse(f"localhost:5000/team/x:v1@{DIGEST}")):
        bright, dark = sorted(map(luminance, (part.colour, background)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3, part.kind


def test_an_outcome_is_a_sign_and_words_and_never_markup() -> None:
    engine = Embedded()
    good, bad = CheckView("full-name", engine, FULL), CheckView("<b>no</b> & no", engine)
    said = "✘ There is no check called “<b>no</b> & no”. Did you mean “by-hand”?"
    assert (repr(good), repr(bad)) == (f"✔ Right! {FULL}, with all four parts.", said)
    assert Balanced(bad._repr_html_()).text == said
    assert "✔" in good._repr_html_()
    assert repr(Note("Ready.")) == "Ready."


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout(tmp_path_factory.mktemp("layout"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "registry") as running:
        yield running


def test_an_empty_registry_says_so(server: RunningServer) -> None:
    view = registries.look(server.address)
    assert repr(view) == f"{server.address}\nNo repositories yet. What you push appears here."
    assert "No repositories yet" in Balanced(view._repr_html_()).text


def test_a_registry_shows_repositories_tags_platforms_layers_and_sizes(
    server: RunningServer, layout: Layout
) -> None:
    index = sample.build(layout, "my-image")
    entry = layout.manifest(index).manifests[0]
    image = layout.manifest(entry)
    with Registry(server.address) as registry:
        push(layout, index, registry, Reference.parse(f"{server.address}/team/all:1"))
        push(layout, entry, registry, Reference.parse(f"{server.address}/my-image:latest"))
        push(layout, entry, registry, Reference.parse(f"{server.address}/my-image:v1"))
    view = registries.look(f"http://{server.address}/")
    lines = repr(view).splitlines()
    total = registries.size(sum(blob.size for blob in image.blobs))
    first, last = image.layers[0], image.layers[-1]
    assert lines[:3] == [
        server.address,
        "├─ my-image",
        f"│  ├─ latest  {image.digest}  {total}",
    ]
    assert lines[3] == f"│  │  ├─ {digests.short(first.digest)}  {registries.size(first.size)}"
    assert f"│     └─ {digests.short(last.digest)}  {registries.size(last.size)}" in lines
    assert "└─ team/all" in lines
    assert f"      ├─ linux/amd64  {total}" in lines
    assert sum("linux/arm64/v8" in line for line in lines) == 1
    seen = Balanced(view._repr_html_())
    for word in ("my-image", "team/all", "latest", "v1", image.digest, "2 tags", "1 tag", total):
        assert word in seen.text
    assert "Platform linux/amd64" in seen.text and "image for several platforms" in seen.text
    assert image.media_type in seen.text
    again = registries.look(server.address)
    assert (repr(again), again._repr_html_()) == (repr(view), view._repr_html_())


def test_a_tag_that_was_deleted_and_a_platform_that_is_missing_are_left_out(
    server: RunningServer, layout: Layout
) -> None:
    index = sample.build(layout, "my-image")
    first = layout.manifest(index).manifests[0]
    with Registry(server.address) as registry:
        push(layout, index, registry, Reference.parse(f"{server.address}/x:1"))
        registry.delete("x", first.digest)
        assert "linux/amd64" not in repr(registries.look(server.address))
        registry.delete("x", index.digest)
    assert repr(registries.look(server.address)).splitlines()[1:] == ["└─ x"]


def test_what_is_too_much_to_show_is_hinted_at(server: RunningServer, layout: Layout) -> None:
    entry = layout.manifest(sample.build(layout, "my-image")).manifests[0]
    with Registry(server.address) as registry:
        for name in ("a:1", "a:2", "a:3", "b:1", "c:1"):
            push(layout, entry, registry, Reference.parse(f"{server.address}/{name}"))
    view = registries.look(server.address, limit=2)
    assert "│  └─ … and more tags" in repr(view).splitlines()
    assert "└─ … and more repositories" in repr(view).splitlines()
    seen = Balanced(view._repr_html_()).text
    assert "… and more tags" in seen and "… and more repositories" in seen


@pytest.mark.parametrize("address", ["", "a b", "localhost:5000/x", "<b>", "localhost:", "আমার"])
def test_what_is_no_address_is_said_kindly(address: str) -> None:
    view = registries.look(address)
    assert "That is not the address of a registry" in repr(view)
    Balanced(view._repr_html_())


def test_nobody_at_home_is_said_kindly() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody can answer there
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        view = registries.look(address)
    assert repr(view) == (
        f"{address}\nNobody answers at {address} "
        f"(dial tcp {address}: connect: connection refused). Is the registry running?"
    )
    assert "Nobody answers" in Balanced(view._repr_html_()).text


Answers = dict[str, tuple[int, str, bytes]]


@pytest.fixture
def pretend() -> Iterator[Callable[[Answers], str]]:
    """A web server that answers as told, and to everything else with 404: its address."""
    servers = []

    def start(answers: Answers) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = answers.get(self.path.partition("?")[0], (404, "", b""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_registry_that_wants_a_password_is_said_kindly(
    pretend: Callable[[Answers], str],
) -> None:
    denied = (401, "application/json", b'{"errors":[{"code":"UNAUTHORIZED"}]}')
    address = pretend({"/v2/": denied, "/v2/_catalog": denied})
    assert f"The registry at {address} wants a login first." in repr(registries.look(address))


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<script>alert(1)</script>"),
        (200, "application/json", b"[1, 2]"),
        (200, "application/json", b'{"repositories": "x"}'),
        (200, "application/json", b'{"repositories": [1]}'),
        (500, "text/html", b"<h1>oops</h1>"),
        (404, "text/html", b"<h1>not here</h1>"),
    ],
)
def test_what_is_no_registry_is_said_kindly(
    answer: tuple[int, str, bytes], pretend: Callable[[Answers], str]
) -> None:
    view = registries.look(pretend({"/v2/": (200, "text/html", b""), "/v2/_catalog": answer}))
    assert "does not behave like a registry" in repr(view)
    assert "<script>" not in view._repr_html_() and "<h1>" not in view._repr_html_()


def test_one_broken_tag_spoils_nothing_else(pretend: Callable[[Answers], str]) -> None:
    plain = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "x", "digest": digests.of(b""), "size": 0},
        "layers": [],
    }
    manifest = Manifest.parse(json.dumps(plain).encode())
    address = pretend(
        {
            "/v2/": (200, "", b""),
            "/v2/_catalog": (200, "application/json", b'{"repositories": ["<b>x"]}'),
            "/v2/<b>x/tags/list": (200, "application/json", b'{"tags": ["bad", "good"]}'),
            "/v2/%3Cb%3Ex/tags/list": (200, "application/json", b'{"tags": ["bad", "good"]}'),
            "/v2/%3Cb%3Ex/manifests/bad": (200, manifest.media_type, b"not JSON"),
            "/v2/%3Cb%3Ex/manifests/good": (200, manifest.media_type, manifest.raw),
        }
    )
    view = registries.look(address)
    tree = repr(view).splitlines()
    assert tree[1] == "└─ <b>x" and tree[-1] == f"   └─ good  {manifest.digest}  0B"
    assert re.match("   ├─ bad  .+not JSON", tree[2])
    assert "&lt;b&gt;x" in view._repr_html_() and "<b>x" not in view._repr_html_()
    Balanced(view._repr_html_())
