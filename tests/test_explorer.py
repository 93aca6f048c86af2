"""The name explorer without a browser: what it says of a name, and what it never keeps."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab import i18n, lab
from dockerlab.image import userinfo
from dockerlab.image.place import place
from dockerlab.image.reference import InvalidReference, Reference
from dockerlab.widgets import sense
from dockerlab.widgets.explorer import EXAMPLES, LIMIT, NameExplorer, Typed

DIGEST = "sha256:" + "0a" * 32


@pytest.fixture(params=["bn", "en"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both languages, one after the other."""
    i18n.choose(request.param)
    yield request.param
    i18n.choose(None)


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("nginx", "hub", "docker.io", ""),
        ("docker.io/team/x", "hub", "docker.io", ""),
        ("localhost/x", "here", "localhost", ""),
        ("localhost:5000/x", "here", "localhost", "5000"),
        ("127.0.0.1:5000/x", "here", "127.0.0.1", "5000"),
        ("127.9.9.9/x", "here", "127.9.9.9", ""),
        ("[::1]:5000/x", "here", "[::1]", "5000"),
        ("192.168.56.1:5000/x", "address", "192.168.56.1", "5000"),
        ("[2001:db8::1]/x", "address", "[2001:db8::1]", ""),
        ("quay.io/x", "host", "quay.io", ""),
        ("test:5000/x", "host", "test", "5000"),
        ("300.1.1.1/x", "host", "300.1.1.1", ""),
        ("foo_bar.com/x", "nowhere", "", ""),
    ],
)
def test_a_name_leads_to_a_place(text: str, kind: str, host: str, port: str) -> None:
    name = Reference.parse(text)
    assert place(name) == (kind, host, port)
    assert (port or "443") in sense.where(name) or kind == "nowhere"


@pytest.mark.parametrize(
    ("text", "kind", "meaning"),
    [
        ("nginx", "registry", "None is written, so Docker takes docker.io, that is Docker Hub."),
        ("docker.io/nginx", "registry", "docker.io is Docker Hub;"),
        ("quay.io/team/app", "registry", "quay.io is a registry that belongs to Red Hat."),
        ("foo_bar.com/x", "registry", "There is none:"),
        ("Team/x", "registry", "Team is the machine"),
        ("nginx", "namespace", "None is written, so Docker takes library"),
        ("library/nginx", "namespace", "library is where Docker Hub keeps"),
        ("team/x", "namespace", "team is an account"),
        ("localhost:5000/a/b/x", "namespace", "a/b is like a folder"),
        (
            "localhost:5000/x",
            "namespace",
            "None is written, and a registry of your own needs none.",
        ),
        ("team/x", "name", "x is what"),
        ("nginx", "tag", "None is written, so Docker takes latest"),
        ("nginx:latest", "tag", "latest is a tag like any other"),
        ("nginx:1.27", "tag", "1.27 is the version"),
        (f"nginx:1@{DIGEST}", "tag", "1 is only for you to read"),
        (f"nginx@{DIGEST}", "tag", "None is written, and none is needed"),
        (f"nginx@{DIGEST}", "digest", "The fingerprint"),
        ("nginx", "digest", "None is written: the tag decides"),
    ],
)
def test_each_part_means_something_in_this_very_name(text: str, kind: str, meaning: str) -> None:
    found = {each.kind: each.meaning for each in sense.senses(Reference.parse(text))}
    assert list(found) == list(sense.KINDS)
    assert found[kind].startswith(meaning)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_told_in_text_and_html_the_same_each_time(text: str, spoken: str) -> None:
    view = lab.name(text)
    assert repr(view) == repr(lab.name(text)) and view.html() == lab.name(text).html()
    still, live = view.html(), view.html(live=True)
    assert not re.search(r"<(input|button|script|style)|\sid=|role=.status", still)
    assert f'lang="{spoken}"' in still and "<input" in live and 'role="status"' in live
    for fact in filter(None, [view.first.summary, *(each.meaning for each in view.first.senses)]):
        for html in (still, live):
            assert fact in html.replace("&#39;", "'")
        assert fact in repr(view)
    if view.first.mistake:
        assert view.first.at in still and view.first.mistake.docker in repr(view)
        assert f'value="{view.first.mistake.suggestion}"' in live
        assert f" {view.first.mistake.suggestion}" in still
    else:
        assert str(view.first.name) in repr(view)


def test_the_mistake_is_marked_where_it_is() -> None:
    assert lab.name("localhost:5000/My-Image:v1").first.torn == (
        *("localhost:5000/", "My-Image"),
        ":v1",
    )
    assert repr(lab.name("a:b:c")).splitlines()[:2] == ["a:b:c", "   ▲▲"]
    assert lab.name("my image").first.torn == ("my", "␣", "image")
    assert lab.name("nginx\u200b").first.torn == ("nginx", "U+200B", "")
    assert "“U+200B” does not belong" in repr(lab.name("nginx\u200b"))
    assert "character 3" in lab.name("my image").html()


def test_names_in_bangla_script_are_explained(spoken: str) -> None:
    view = lab.name("আমার-ইমেজ")
    assert "a–z" in view.first.summary and "আমার" in view.first.summary
    assert "<button data-do" not in view.html() and "class=&" not in view.html(live=True)
    assert 'class="main"' not in view.html(live=True)  # there is no sensible fix
    assert lab.name("লোকালহোস্ট:৫০০০/x").first.mistake.suggestion == "localhost:5000/x"  # type: ignore[union-attr]


def test_nothing_typed_is_no_mistake(spoken: str) -> None:
    live = lab.name().html(live=True)
    assert "▲" not in live and "✘" not in live and "aria-invalid" not in live
    assert lab.name().first.summary in lab.name().html()
    assert repr(lab.name()) == lab.name().first.summary


@pytest.mark.parametrize(
    ("first", "second", "different"),
    [
        ("nginx", "docker.io/library/nginx:latest", ""),
        ("nginx", "index.docker.io/nginx", ""),
        ("nginx:1", "nginx", "tag"),
        ("my-image", "localhost:5000/my-image", "registry namespace"),
        ("nginx", f"nginx@{DIGEST}", "tag digest"),
    ],
)
def test_two_names_are_compared_part_by_part(
    first: str, second: str, different: str, spoken: str
) -> None:
    view = lab.name(first, second)
    kinds = zip(sense.KINDS, view.pairs, strict=True)
    assert " ".join(kind for kind, pair in kinds if not pair.same) == different
    assert view.verdict in repr(view) and view.verdict in view.html().replace("&#39;", "'")
    unequal = len(different.split())
    assert view.html().count("≠") == unequal + bool(unequal)  # in the table, and in the verdict


def test_a_wrong_second_name_is_told_and_not_compared() -> None:
    view = lab.name("nginx", "My-Image")
    assert not view.pairs and "capital letters" in view.html() and "capital letters" in repr(view)


def test_the_second_field_opens_and_closes() -> None:
    view = lab.name("nginx")
    view.handle("compare", None)
    assert 'name="second"' in view.html(live=True)
    view.handle("second", "nginx:latest")
    assert view.verdict.startswith("One and the same")
    view.handle("compare", None)
    assert 'name="second"' not in view.html(live=True) and not view.pairs


SECRETS = [
    ("https://mina:s3cr3t@registry.io/x", "https://mina:•••@registry.io/x", "registry.io/x"),
    ("https://mina:s3c/r3t@x@localhost:5000/x", "https://mina:•••@localhost:5000/x", None),
    ("docker pull https://mina:s3cr3t@h.io/x", "docker pull https://mina:•••@h.io/x", "h.io/x"),
    ("mina:s3cr3t@registry.io/x", "mina:•••@registry.io/x", "registry.io/x"),
    ("mina:s3cr3t@registry:5000", "mina:•••@registry:5000", None),
    ("https://s3cr3t@ghcr.io/x", "https://•••@ghcr.io/x", "ghcr.io/x"),
    (f"https://AWS:s3cr3t{'x' * 3000}@ecr.io/x", "https://AWS:•••@ecr.io/x", "ecr.io/x"),
]


@pytest.mark.parametrize(("text", "kept", "fix"), SECRETS)
def test_a_password_is_not_kept(text: str, kept: str, fix: str | None) -> None:
    typed, given = lab.name("nginx", "nginx"), lab.name(text)
    typed.handle("first", text)
    typed.handle("second", text)
    for view in (typed, given):
        assert view.first.text == kept and view.first.changed
        seen = view.html() + view.html(live=True) + repr(view) + repr(vars(view))
        assert "s3c" not in seen and "r3t" not in seen
        assert "data-set" in view.html(live=True)
        assert "A password does not belong in a name" in view.html()
        if fix:
            assert view.first.mistake and view.first.mistake.suggestion == fix
    typed.handle("first", kept + "y")
    assert not typed.first.changed


@pytest.mark.parametrize(
    "text",
    [
        *(f"nginx:1.27@{DIGEST}"[:end] for end in range(1, 30)),
        f"localhost:5000/x:v1@{DIGEST}",
        f"http://localhost:5000/x@{DIGEST}",
        f"http://nginx:1.27@{DIGEST}",
        f"[::1]:5000/a:v1@{DIGEST}",
        "localhost:5000/x:v1@v2/a.b",
        "x@v1",
    ],
)
def test_what_is_no_password_is_left_alone(text: str) -> None:
    assert userinfo.hide(text) == userinfo.drop(text) == text


@given(
    st.text("abcAZ019:@/.-_ []%", max_size=40),
    st.sampled_from(["", "http://", "https://", "docker push https://"]),
)
def test_hiding_hides_once_and_a_valid_name_never(text: str, scheme: str) -> None:
    hidden = userinfo.hide(scheme + text)
    assert userinfo.hide(hidden) == hidden
    try:
        Reference.parse(scheme + text)
    except InvalidReference:
        return
    assert hidden == scheme + text


@given(st.text() | st.text("aB:/@. ১ক-", max_size=20))
def test_any_text_is_shown_and_every_fix_parses(text: str) -> None:
    view = NameExplorer(text, text)
    view.html(), view.html(live=True), repr(view)
    mistake = view.first.mistake
    if mistake:
        before, _part, after = view.first.torn
        assert view.first.text == before + mistake.part + after
        assert mistake.suggestion is None or Typed.read(mistake.suggestion).name


def test_a_very_long_paste_is_cut_and_said(spoken: str) -> None:
    view = lab.name()
    for text in ("x" * 1_000_000, "@" * 1_000_000, "a:" * 500_000, "কখ" * 500_000):
        view.handle("first", text)
        assert view.first.text == text[:LIMIT]
        assert view.first.cut and view.first.cut in view.html() and view.first.cut in repr(view)
        assert len(view.html(live=True)) < 40_000
    view.handle("first", "x" * LIMIT)
    assert not view.first.cut


@pytest.mark.parametrize("odd", [None, 5, ["nginx"], "<b>x</b>", "a\nb", "\x00"])
def test_odd_things_are_refused_in_words(odd: object) -> None:
    view = lab.name("nginx")
    view.handle("first", odd)
    assert "<b>x" not in view.html(live=True)
    assert lab.name(odd).first.text == str(odd)  # type: ignore[arg-type]
