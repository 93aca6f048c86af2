"""What requests mean, and the table of them that a lesson shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab import i18n, lab
from dockerlab.course.requests import known_requests, meaning
from dockerlab.errors import NoRegistry
from dockerlab.registry.events import Event, parse
from dockerlab.widgets.requests import LIMIT, RequestsView
from tests.dockers import Docker
from tests.test_widgets import Balanced

DIGEST = "sha256:" + "0a" * 32
UPLOAD = "/v2/team/app/blobs/uploads/0a1b2c3d-0000-0000-0000-000000000000"
MEANT = {  # METHOD PATH -> key in requests.yaml
    "GET /": "alive",
    "GET /v2/": "ping",
    "HEAD /v2": "ping",
    "GET /token?service=registry.docker.io&scope=repository:library/nginx:pull": "token",
    "POST /jwt/auth": "token",
    "GET /v2/_catalog?n=100": "catalogue",
    "GET /v2/team/app/tags/list": "tags",
    f"GET /v2/team/app/referrers/{DIGEST}": "referrers",
    "HEAD /v2/team/app/manifests/latest": "manifest-head",
    f"GET /v2/team/app/manifests/{DIGEST}": "manifest-get",
    "PUT /v2/team/app/manifests/latest": "manifest-put",
    "DELETE /v2/team/app/manifests/latest": "manifest-delete",
    f"HEAD /v2/team/app/blobs/{DIGEST}": "blob-head",
    f"GET /v2/team/app/blobs/{DIGEST}": "blob-get",
    f"DELETE /v2/team/app/blobs/{DIGEST}": "blob-delete",
    "POST /v2/team/app/blobs/uploads/": "upload-start",
    f"POST /v2/team/app/blobs/uploads/?digest={DIGEST}": "upload-single",
    f"POST /v2/team/app/blobs/uploads/?from=a&mount={DIGEST}": "upload-mount",
    f"PATCH {UPLOAD}?_state=abc": "upload-chunk",
    f"PUT {UPLOAD}?_state=abc&digest={DIGEST}": "upload-finish",
    f"GET {UPLOAD}": "upload-status",
    f"DELETE {UPLOAD}": "upload-cancel",
    "OPTIONS /v2/": "any",
    "GET /favicon.ico": "any",
}


def asked(request: str, status: int = 200, **facts: float) -> Event:
    """An event of `METHOD PATH`."""
    method, _, path = request.partition(" ")
    return Event("server", method, path, status, None, 0, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("request_", "kind"), MEANT.items())
def test_every_request_is_known_for_what_it_is(request_: str, kind: str) -> None:
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        meant = meaning(asked(request_))
        assert meant.kind == kind and meant.asks and meant.answers
        assert "{" not in str(meant)


def test_every_kind_is_met_here() -> None:
    assert {kind.key for kind in known_requests()} == set(MEANT.values())


@pytest.mark.parametrize(
    ("request_", "status", "answer"),
    [
        ("GET /v2/", 401, "There is one, and it asks for a login first."),
        (f"HEAD /v2/app/blobs/{DIGEST}", 404, "Not yet, so it has to be uploaded."),
        (f"POST /v2/app/blobs/uploads/?mount={DIGEST}", 201, "Taken, and not a byte was sent."),
        (f"GET /v2/app/blobs/{DIGEST}", 307, "It is kept at another address; fetch it there."),
        ("PUT /v2/app/manifests/1", 401, "Log in first."),
        ("PUT /v2/app/manifests/1", 418, "No, something is wrong with the request."),
        ("PATCH /v2/app/blobs/uploads/0a", 507, "The registry's disk is full."),
        ("GET /v2/", 0, "No answer came."),
        ("GET /v2/", 999, ""),
    ],
)
def test_what_a_status_says_depends_on_the_question(
    request_: str, status: int, answer: str
) -> None:
    assert meaning(asked(request_, status)).answers == answer


def test_the_name_is_named() -> None:
    meant = meaning(asked(f"HEAD /v2/team/app/blobs/{DIGEST}", 404))
    assert meant.asks == "Does team/app have this blob already?"
    i18n.choose("bn")
    assert "team/app-এ" in meaning(asked("POST /v2/team/app/blobs/uploads/", 202)).asks


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    """The command line of a lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    yield Docker(tmp_path)
    lab.reset()


def serve(docker: Docker, name: str) -> str:
    """Run a registry; its address."""
    assert docker("run", "-d", "-p", "127.0.0.1::5000", "--name", name, "registry:2").status == 0
    return docker.good("port", name, "5000/tcp").strip()


def test_a_push_and_a_pull_are_told(docker: Docker) -> None:
    lab.begin("05-tag-push-pull")
    image = f"{serve(docker, 'registry')}/my-image"
    assert lab.requests().events == ()
    assert repr(lab.requests()).splitlines() == [
        "What registry was asked",
        "No requests yet. A push or a pull will show here.",
    ]
    docker.good("tag", "my-image", image)
    docker.good("push", image)
    docker.good("rmi", "my-image", image)
    docker.good("pull", image)
    shown = lab.requests()
    kinds = [meaning(event).kind for event in shown.events]
    assert kinds.count("blob-head") == kinds.count("upload-finish") == 4
    assert kinds.index("ping") < kinds.index("upload-start") < kinds.index("manifest-put")
    assert kinds.index("manifest-put") < kinds.index("manifest-get") < kinds.index("blob-get")
    title, columns, *rows = repr(shown).splitlines()
    assert columns.split() == ["method", "path", "status", "bytes", "ms", "meaning"]
    assert len(rows) == len(shown.events)
    (line,) = (row for row in rows if row.startswith("PUT") and "/manifests/latest" in row)
    assert "All layers are there" in line and " ↑ " in line
    seen = Balanced(shown._repr_html_())
    assert "Does my-image have this blob already? Not yet, so it has to be uploaded." in seen.text
    i18n.choose("bn")
    assert "এখনো নেই, তাই আপলোড করতে হবে।" in Balanced(shown._repr_html_()).text


def test_which_registry(docker: Docker) -> None:
    with pytest.raises(NoRegistry, match="There is no registry here. Start one first"):
        lab.requests()
    lab.begin("05-tag-push-pull")
    docker.good("create", "--name", "greeter", "my-image")
    for name in ("old", "new"):
        serve(docker, name)
    assert lab.requests().name == "new"
    assert lab.requests("old").name == "old"
    assert lab.requests(lab.engine.containers.find("old").id[:12]).name == "old"
    docker.good("stop", "new")
    assert lab.requests().name == "old"  # the newest that runs
    assert lab.requests("new").name == "new"
    for name in ("greeter", "nowhere"):
        with pytest.raises(NoRegistry, match=f"“{name}”. There is: old, new."):
            lab.requests(name)
    i18n.choose("bn")
    with pytest.raises(NoRegistry, match="“nowhere” নামে এখানে কোনো রেজিস্ট্রি নেই"):
        lab.requests("nowhere")


def test_only_the_last_requests_are_shown() -> None:
    events = tuple(asked(f"GET /v2/app/tags/list?n={number}") for number in range(LIMIT + 7))
    shown = RequestsView("registry", events)
    assert repr(shown).splitlines()[1] == "… and 7 earlier requests"
    assert f"?n={LIMIT + 6}" in repr(shown) and "?n=6 " not in repr(shown)
    assert len(shown.events) == LIMIT + 7
    i18n.choose("bn")
    assert "আগের ৭টা অনুরোধ" in Balanced(shown._repr_html_()).text


def test_what_strangers_ask_for_stays_text() -> None:
    line = (
        'time="2026-01-01T10:00:00Z" level=info msg="response completed" http.request.method=GET '
        r'http.request.uri="/v2/<script>\u001b[31m\nx/tags/list" http.response.status=200'
    )
    (event,) = parse([line])
    shown = RequestsView("<b>", (event,))
    assert "<script>" in Balanced(shown._repr_html_()).text  # which fails where it is a tag
    assert len(repr(shown).splitlines()) == 3 and "\x1b" not in repr(shown)


def test_what_nobody_reads_to_its_end_is_cut() -> None:
    events = (asked(f"PUT {UPLOAD}?_state=a-B_9%3D&digest={DIGEST.replace(':', '%3A')}", 201),)
    (row,) = RequestsView("registry", events).rows
    cut = "/v2/team/app/blobs/uploads/0a1b2c3d…?_state=…&digest=sha256%3A0a0a0a0a0a0a…"
    assert row.path == cut
    assert row.bytes == row.milliseconds == ""
