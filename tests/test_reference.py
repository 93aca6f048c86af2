"""Names: the tables of what docker understands, and what it refuses with which words."""

import subprocess
from collections.abc import Callable

import pytest

from dockerlab import i18n
from dockerlab.errors import DockerlabError
from dockerlab.image.mistake import Mistake, describe
from dockerlab.image.reference import InvalidReference, Reference

S256, S384, S512 = ("sha256:" + "a1" * 32, "sha384:" + "b2" * 48, "sha512:" + "c3" * 64)
LONG = "a" * 255
HEX64 = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"

# as typed: registry, repository, tag, digest, as docker shows it
GOOD: dict[str, tuple[str, str, str | None, str | None, str]] = {
    "nginx": ("docker.io", "library/nginx", "latest", None, "nginx:latest"),
    "nginx:1.27": ("docker.io", "library/nginx", "1.27", None, "nginx:1.27"),
    "library/nginx": ("docker.io", "library/nginx", "latest", None, "nginx:latest"),
    "nginx/nginx": ("docker.io", "nginx/nginx", "latest", None, "nginx/nginx:latest"),
    "docker.io/nginx": ("docker.io", "library/nginx", "latest", None, "nginx:latest"),
    "docker.io/library/nginx": ("docker.io", "library/nginx", "latest", None, "nginx:latest"),
    "docker.io/team/app": ("docker.io", "team/app", "latest", None, "team/app:latest"),
    "index.docker.io/nginx": ("docker.io", "library/nginx", "latest", None, "nginx:latest"),
    "index.docker.io/team/x": ("docker.io", "team/x", "latest", None, "team/x:latest"),
    "registry-1.docker.io/library/x": (
        *("registry-1.docker.io", "library/x", "latest", None),
        "registry-1.docker.io/library/x:latest",
    ),
    "library/foo/bar": ("docker.io", "library/foo/bar", "latest", None, "library/foo/bar:latest"),
    "team/a/b/c:v1": ("docker.io", "team/a/b/c", "v1", None, "team/a/b/c:v1"),
    "localhost/x": ("localhost", "x", "latest", None, "localhost/x:latest"),
    "localhost": ("docker.io", "library/localhost", "latest", None, "localhost:latest"),
    "localhost:5000": ("docker.io", "library/localhost", "5000", None, "localhost:5000"),
    "localhost:5000/my-image": (
        *("localhost:5000", "my-image", "latest", None),
        "localhost:5000/my-image:latest",
    ),
    "localhost:5000/team/my-image:v1": (
        *("localhost:5000", "team/my-image", "v1", None),
        "localhost:5000/team/my-image:v1",
    ),
    "localhost:5000/library/x": (
        *("localhost:5000", "library/x", "latest", None),
        "localhost:5000/library/x:latest",
    ),
    "test:5000/repo": ("test:5000", "repo", "latest", None, "test:5000/repo:latest"),
    "127.0.0.1:5000/x:5050": ("127.0.0.1:5000", "x", "5050", None, "127.0.0.1:5000/x:5050"),
    "192.168.1.1": ("docker.io", "library/192.168.1.1", "latest", None, "192.168.1.1:latest"),
    f"192.168.56.100:5000/my-image:v1@{S256}": (
        *("192.168.56.100:5000", "my-image", "v1", S256),
        f"192.168.56.100:5000/my-image:v1@{S256}",
    ),
    "[::1]:5000/a": ("[::1]:5000", "a", "latest", None, "[::1]:5000/a:latest"),
    "[2001:db8::1]/a:t": ("[2001:db8::1]", "a", "t", None, "[2001:db8::1]/a:t"),
    "gcr.io/google/pause": (
        *("gcr.io", "google/pause", "latest", None),
        "gcr.io/google/pause:latest",
    ),
    "registry.k8s.io/pause:3.10": (
        *("registry.k8s.io", "pause", "3.10", None),
        "registry.k8s.io/pause:3.10",
    ),
    "Foo/bar": ("Foo", "bar", "latest", None, "Foo/bar:latest"),
    "LOCALHOST/x": ("LOCALHOST", "x", "latest", None, "LOCALHOST/x:latest"),
    "foo_bar.com/x": ("", "foo_bar.com/x", "latest", None, "foo_bar.com/x:latest"),
    "xn--n3h.com/my:tag": ("xn--n3h.com", "my", "tag", None, "xn--n3h.com/my:tag"),
    f"nginx@{S256}": ("docker.io", "library/nginx", None, S256, f"nginx@{S256}"),
    f"nginx@{S384}": ("docker.io", "library/nginx", None, S384, f"nginx@{S384}"),
    f"nginx@{S512}": ("docker.io", "library/nginx", None, S512, f"nginx@{S512}"),
    f"nginx:1@{S512}": ("docker.io", "library/nginx", "1", S512, f"nginx:1@{S512}"),
    "a__b/c--d/e.f_g": ("docker.io", "a__b/c--d/e.f_g", "latest", None, "a__b/c--d/e.f_g:latest"),
    "x:_.-A": ("docker.io", "library/x", "_.-A", None, "x:_.-A"),
    f"x:{'T' * 128}": ("docker.io", "library/x", "T" * 128, None, f"x:{'T' * 128}"),
    f"localhost:5000/{LONG}": (
        *("localhost:5000", LONG, "latest", None),
        f"localhost:5000/{LONG}:latest",
    ),
    f"docker.io/{HEX64}": ("docker.io", f"library/{HEX64}", "latest", None, f"{HEX64}:latest"),
    f"{HEX64}:v1": ("docker.io", f"library/{HEX64}", "v1", None, f"{HEX64}:v1"),
}

FORMAT = "invalid reference format"
LOWER = FORMAT + ": repository name ({}) must be lowercase"
LENGTH, CHECKSUM = "invalid checksum digest length", "invalid checksum digest format"
TOO_LONG = "repository name must not be more than 255 characters"

# as typed: rule, part, docker's words, what may have been meant
BAD: dict[str, tuple[str, str, str, str | None]] = {
    "": ("empty", "", FORMAT, None),
    "My-Image": ("uppercase", "My-Image", LOWER.format("library/My-Image"), "my-image"),
    "localhost:5000/a/My-Image:V1": (
        *("uppercase", "My-Image", LOWER.format("a/My-Image")),
        "localhost:5000/a/my-image:V1",
    ),
    "Foo/Bar": ("uppercase", "Bar", LOWER.format("Bar"), "foo/bar"),
    "http://localhost:5000/x": ("scheme", "http://", FORMAT, "localhost:5000/x"),
    "https://hub.docker.com/_/nginx": ("scheme", "https://", FORMAT, "nginx"),
    "https://hub.docker.com/r/team/app": ("scheme", "https://", FORMAT, "team/app"),
    "https://mina:pw@team.io/x": ("userinfo", "mina:pw@", FORMAT, "team.io/x"),
    "mina:pw@localhost:5000/x": ("userinfo", "mina:pw@", FORMAT, "localhost:5000/x"),
    "docker pull nginx": ("space", " ", FORMAT, "nginx"),
    "my image": ("space", " ", FORMAT, "my-image"),
    " nginx ": ("space", " ", FORMAT, "nginx"),
    "my-image : v1": ("space", " ", FORMAT, "my-image:v1"),
    "my-image/": ("slash", "/", FORMAT, "my-image"),
    "/my-image": ("slash", "/", FORMAT, "my-image"),
    "team//my-image": ("slash", "/", FORMAT, "team/my-image"),
    "team/:v1": ("slash", "/", FORMAT, "team:v1"),
    "localhost:5000/": ("slash", "/", FORMAT, None),
    "my-image:": ("tag-empty", ":", FORMAT, "my-image"),
    "localhost:5000/my-image:": ("tag-empty", ":", FORMAT, "localhost:5000/my-image"),
    "a:b:c": ("colon", ":c", FORMAT, "a:b-c"),
    "localhost:5000:my-image": ("colon", ":my-image", FORMAT, "localhost:5000/my-image"),
    "x:-a": ("tag", "-a", FORMAT, "x:a"),
    "x:v$1": ("tag", "v$1", FORMAT, "x:v-1"),
    f"x:{'t' * 129}": ("tag-long", "t" * 129, FORMAT, f"x:{'t' * 128}"),
    "লোকালহোস্ট/x": ("letters", "লোকালহোস্ট", FORMAT, "localhost/x"),
    "লোকালহোস্ট:৫০০০/my-image": (
        *("letters", "লোকালহোস্ট", FORMAT),
        "localhost:5000/my-image",
    ),
    "my-image:১": ("letters", "১", FORMAT, "my-image:1"),
    "my-image:লেটেস্ট": ("letters", "লেটেস্ট", FORMAT, "my-image:latest"),
    "আমার-ইমেজ": ("letters", "আমার", FORMAT, None),
    "my-image:নতুন": ("letters", "নতুন", FORMAT, None),
    "nginx\u200b": ("letters", "\u200b", FORMAT, "nginx"),
    "x:\N{KELVIN SIGN}": (
        *("letters", "\N{KELVIN SIGN}", "repository name must be lowercase"),
        "x:K",
    ),
    HEX64: (
        *("identifier", HEX64),
        f"invalid repository name ({HEX64}), cannot specify 64-byte hexadecimal strings",
        None,
    ),
    "a" * 248: ("too-long", "a" * 248, TOO_LONG, "a" * 247),
    f"localhost:5000/{LONG}a": ("too-long", LONG + "a", TOO_LONG, f"localhost:5000/{LONG}"),
    "-x": ("separator", "-x", FORMAT, "x"),
    "x.": ("separator", "x.", FORMAT, "x"),
    "a___b": ("separator", "a___b", FORMAT, "a_b"),
    "a..b": ("separator", "a..b", FORMAT, "a.b"),
    "a_-b/c": ("separator", "a_-b", FORMAT, "a_b/c"),
    "a$$^b/c": ("character", "$$^", FORMAT, "a-b/c"),
    '"nginx"': ("character", '"', FORMAT, "nginx"),
    "localhost\\x": ("character", "\\", FORMAT, "localhost/x"),
    ":v1": ("nameless", ":v1", FORMAT, None),
    f"@{S256}": ("nameless", f"@{S256}", FORMAT, None),
    "localhost:abc/x": ("port", "abc", FORMAT, "localhost/x"),
    "localhost:/x": ("domain", "localhost:", FORMAT, "localhost/x"),
    "localhost::5000/x": ("domain", "localhost::5000", FORMAT, "localhost:5000/x"),
    "-a.com/x": ("domain", "-a.com", FORMAT, "a.com/x"),
    "::1/a": ("domain", "::1", FORMAT, "[::1]/a"),
    "[fe80::1%eth0]:5000/x": ("domain", "[fe80::1%eth0]:5000", FORMAT, "[fe80::1]:5000/x"),
    "[::1]": ("character", "[", FORMAT, None),
    "x@": ("digest", "@", FORMAT, "x"),
    "x@v1": ("digest", "v1", FORMAT, "x:v1"),
    "x@sha256:abc": ("digest-length", "abc", FORMAT, None),
    f"x@sha256:{'a' * 40}": ("digest-length", "a" * 40, LENGTH, None),
    f"x@sha256:{'A' * 64}": ("digest", f"sha256:{'A' * 64}", CHECKSUM, f"x@sha256:{'a' * 64}"),
    f"x@SHA256:{'a' * 64}": (
        *("digest-algorithm", "SHA256", LOWER.format("library/x@SHA256")),
        f"x@sha256:{'a' * 64}",
    ),
    f"x:v1@Sha+b:{'a' * 64}": ("digest-algorithm", "Sha+b", CHECKSUM, None),
    f"x@md5:{'a' * 32}": ("digest-algorithm", "md5", "unsupported digest algorithm", None),
    f"x@a+b:{'A' * 32}": ("digest-algorithm", "a+b", "unsupported digest algorithm", None),
    f"x@{S256}:v1": ("digest", f"{S256}:v1", FORMAT, None),
}


@pytest.mark.parametrize(("text", "wanted"), GOOD.items(), ids=lambda case: str(case)[:40])
def test_a_good_name_is_understood_as_docker_does(
    text: str, wanted: tuple[str, str, str | None, str | None, str]
) -> None:
    found = Reference.parse(text)
    assert (found.registry, found.repository, found.tag, found.digest, found.familiar) == wanted
    assert found.text == text
    assert Reference.parse(str(found)) == found
    assert Reference.parse(found.familiar) == found


@pytest.mark.parametrize(("text", "wanted"), BAD.items(), ids=lambda case: str(case)[:40])
def test_a_bad_name_is_refused_with_rule_part_words_and_suggestion(
    text: str, wanted: tuple[str, str, str, str | None]
) -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)
    error = caught.value
    assert (error.rule, error.part, error.docker, error.suggestion) == wanted
    assert error.text[error.position :].startswith(error.part)
    assert isinstance(error, ValueError) and isinstance(error, DockerlabError)


def test_the_tables_are_what_the_real_docker_says(need: Callable[[str], str]) -> None:
    docker = need("docker-cli")
    for text in (*GOOD, *BAD):
        # With no engine behind it, docker still judges the name first.
        said = subprocess.run(
            [docker, "--host", "tcp://127.0.0.1:1", "tag", "names-x", text],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        ).stderr
        refused, _, words = said.strip("\n").partition(" is not a valid repository/tag: ")
        assert refused.startswith("Error parsing reference") == (text in BAD), text
        assert words == (BAD[text][2] if text in BAD else ""), text


def test_every_rule_has_words_in_both_languages() -> None:
    rules = {rule for rule, *_ in BAD.values()} | {"format"}
    said = {}
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        said[code] = [describe(Mistake(rule, "PART", 0)) for rule in sorted(rules)]
    assert len(set(said["bn"])) == len(set(said["en"])) == len(rules)
    assert not set(said["bn"]) & set(said["en"])
    assert not any(text.isascii() for text in said["bn"])


def test_the_message_names_rule_value_and_hint() -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse("localhost:5000/My-Image")
    assert str(caught.value) == (
        "“My-Image” has capital letters, and a repository's name has none. "
        "Did you mean localhost:5000/my-image?"
    )
    i18n.choose("bn")
    assert "localhost:5000/my-image" in str(caught.value)
    assert "“My-Image”-এ বড় হাতের অক্ষর আছে" in str(caught.value)


def test_a_message_stays_short_when_the_part_is_long() -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse("x:" + "$" * 5000)
    assert len(str(caught.value)) < 300


def test_two_halves_that_a_learner_asks_about() -> None:
    nginx, own = Reference.parse("nginx"), Reference.parse("localhost:5000/my-image")
    assert (nginx.namespace, nginx.name) == ("library", "nginx")
    assert (own.namespace, own.name) == ("", "my-image")
    assert Reference.parse("ghcr.io/a/b/c").namespace == "a/b"
    assert (nginx.locator, nginx.familiar_name) == ("docker.io/library/nginx", "nginx")


def test_names_are_values() -> None:
    short, full = Reference.parse("nginx"), Reference.parse("docker.io/library/nginx:latest")
    assert short == full and hash(short) == hash(full) and short.text != full.text
    with pytest.raises(AttributeError):
        short.tag = "1"  # type: ignore[misc]
    assert repr(short) == (
        "Reference(registry='docker.io', repository='library/nginx', tag='latest', digest=None)"
    )


def test_names_are_ordered_with_and_without_tag_and_digest() -> None:
    texts = ["nginx:1", f"nginx@{S256}", f"nginx:1@{S256}", "alpine", "gcr.io/a"]
    names = sorted(map(Reference.parse, texts))
    assert [name.familiar for name in names] == [
        *("alpine:latest", f"nginx@{S256}", "nginx:1", f"nginx:1@{S256}", "gcr.io/a:latest")
    ]
    with pytest.raises(TypeError):
        assert names[0] < "nginx"  # type: ignore[operator]


def test_another_tag_or_digest_of_the_same_repository() -> None:
    name = Reference.parse("localhost:5000/my-image:v1")
    assert str(name.with_tag("v2")) == "localhost:5000/my-image:v2"
    assert str(name.with_digest(S256)) == f"localhost:5000/my-image@{S256}"
    assert str(name.with_digest(S256).with_tag("v3")) == "localhost:5000/my-image:v3"


@pytest.mark.parametrize("tag", ["", ":x", "-x", "a b", f"v1@{S256}", "v১"])
def test_a_bad_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidReference):
        Reference.parse("nginx").with_tag(tag)


@pytest.mark.parametrize("digest", ["", "sha256:abc", "v1", S256 + "0"])
def test_a_bad_digest_is_refused(digest: str) -> None:
    with pytest.raises(InvalidReference):
        Reference.parse("nginx").with_digest(digest)


def test_docker_hub_stays_where_its_short_name_would_mean_another_registry() -> None:
    name = Reference.parse("docker.io/foo.bar/app")
    assert name.familiar == "docker.io/foo.bar/app:latest"
    assert Reference.parse(name.familiar) == name
