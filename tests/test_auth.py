"""Bearer tokens: the client against a real registry behind a token server, and against bad ones."""

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dockerlab.errors import NotFound, RegistryError, Unauthorized, Unavailable
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import pull, push
from tests.dockers import Docker, real
from tests.servers import RunningServer, start_real_registry
from tests.wires import Asked, Liar, Reply, liar

USER, PASSWORD = "rahim", "secret"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class TokenServer:
    """Signs tokens as `issuer` that live `life` seconds.

    USER may pull and push; others may pull what is not under `secret/`.
    """

    def __init__(self, folder: Path) -> None:
        self.key, self.certificate = folder / "key.pem", folder / "cert.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tests"]
        made += ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(made, check=True, capture_output=True)
        self.life = 300

    def __call__(self, asked: Asked) -> Reply:
        login = asked.headers.get("authorization", "")
        if login not in ("", BASIC):
            return Reply(401, b'{"details": "incorrect username or password"}')
        allowed = {"pull", "push"} if login else {"pull"}
        query = parse_qs(urlsplit(asked.path).query)
        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            hidden = not login and name.startswith("secret/")
            granted = [] if hidden else sorted(allowed & set(actions.split(",")))
            access.append({"type": kind, "name": name, "actions": granted})
        token = self.sign({"aud": query["service"][0], "access": access})
        return Reply(200, json.dumps({"token": token, "expires_in": self.life}).encode())

    def sign(self, claims: dict[str, object]) -> str:
        """A JSON web token (RFC 7519) with the certificate of its key."""
        now = int(time.time())
        times = {"iat": now, "nbf": now - 60, "exp": now + 300}
        lines = self.certificate.read_text().splitlines()[1:-1]
        head = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines)]}
        body = {"iss": "issuer", "sub": "", "jti": "1", **times, **claims}
        text = ".".join(_packed(json.dumps(part).encode()) for part in (head, body))
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        done = subprocess.run(command, input=text.encode(), check=True, capture_output=True)
        return f"{text}.{_packed(done.stdout)}"


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenServer:
    return TokenServer(tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def asked(tokens: TokenServer) -> Iterator[Liar]:
    tokens.life = 300
    with liar(tokens) as running:
        yield running


@pytest.fixture
def server(
    asked: Liar, tokens: TokenServer, tmp_path: Path, need: Callable[[str], str]
) -> Iterator[RunningServer]:
    """The Distribution project's registry, which takes the tokens of that server."""
    settings = {
        "REGISTRY_AUTH": "token",
        "REGISTRY_AUTH_TOKEN_REALM": f"http://{asked.address}/token",
        "REGISTRY_AUTH_TOKEN_SERVICE": "registry of the tests",
        "REGISTRY_AUTH_TOKEN_ISSUER": "issuer",
        "REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE": str(tokens.certificate),
    }
    binary = need("docker-registry")
    with start_real_registry(binary, tmp_path / "registry", env=settings) as running:
        yield running


def fill(layout: Layout, address: str, name: str = "app") -> None:
    """Push my-image as USER."""
    with Registry(address, username=USER, password=PASSWORD) as registry:
        target = Reference.parse(f"{address}/{name}:1")
        push(layout, sample.build(layout, "my-image"), registry, target)


@pytest.mark.parametrize("life", [300, 1])
def test_push_with_a_login_and_pull_without(
    server: RunningServer, asked: Liar, tokens: TokenServer, tmp_path: Path, life: int
) -> None:
    tokens.life = life
    layout = Layout(tmp_path / "layout")
    fill(layout, server.address)
    fresh = Layout(tmp_path / "fresh")
    with Registry(server.address) as registry:
        reference = Reference.parse(f"{server.address}/app:1")
        descriptor, _ = pull(fresh, registry, reference, platform=None)
    assert descriptor == sample.build(layout, "my-image")
    logins = [each.headers.get("authorization", "") for each in asked.asked]
    assert set(logins) == {BASIC, ""}
    if life > 5:  # one to look, one to push, one to pull, but for threads that ask at once
        assert len(logins) < 12


def test_a_token_is_used_again(server: RunningServer, asked: Liar, tmp_path: Path) -> None:
    fill(Layout(tmp_path / "layout"), server.address)
    asked.asked.clear()
    with Registry(server.address) as registry:
        for _ in range(3):
            registry.manifest("app", "1")
    assert len(asked.asked) == 1
    assert "scope=repository%3Aapp%3Apull" in asked.asked[0].path


def test_without_a_login_nothing_is_pushed(server: RunningServer, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    image = sample.build(layout, "my-image")
    target = Reference.parse(f"{server.address}/app:1")
    with Registry(server.address) as registry, pytest.raises(Unauthorized) as caught:
        push(layout, image, registry, target)
    assert "insufficient_scope" in caught.value.challenge
    assert caught.value.code == "DENIED"


def test_a_blob_is_mounted_from_another_repository(server: RunningServer, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    fill(layout, server.address)
    index = layout.manifest(sample.build(layout, "my-image"))
    blob = layout.manifest(index.manifests[0]).layers[0].digest
    with Registry(server.address, username=USER, password=PASSWORD) as registry:
        registry.has_blob("other", blob)
        assert registry.mount("other", blob, "app")
        assert registry.has_blob("other", blob)


def test_a_wrong_password(server: RunningServer) -> None:
    with (
        Registry(server.address, username=USER, password="wrong") as registry,
        pytest.raises(Unauthorized) as caught,
    ):
        registry.ping()
    assert caught.value.detail == "incorrect username or password"


@pytest.mark.parametrize("name", ["secret/app:1", "app:1", "no/such"])
def test_docker_says_the_same(
    server: RunningServer, tmp_path: Path, need: Callable[[str], str], name: str
) -> None:
    image = f"localhost:{server.port}/{name}"
    assert Docker(tmp_path / "lab")("pull", image) == real(need("docker"), "pull", image)


# Token servers and challenges that are none

CHALLENGE = 'Bearer realm="{realm}",service="s",scope="repository:app:pull"'


def asking(realm: str, replies: dict[str, Reply] | None = None, challenge: str = CHALLENGE) -> Liar:
    """A registry that wants a token from `realm`, where its own address is {here}."""
    running: Liar

    def script(asked: Asked) -> Reply:
        if asked.path.startswith("/v2/"):
            if asked.headers.get("authorization") == "Bearer good":
                return Reply(404)
            here = realm.format(here=f"http://{running.address}")
            return Reply(401, headers={"WWW-Authenticate": challenge.format(realm=here)})
        return (replies or {}).get(asked.path.partition("?")[0], Reply(404))

    running = Liar(script)
    return running


def failure(running: Liar) -> RegistryError:
    """What comes of asking that registry for a manifest."""
    try:
        with Registry(running.address) as registry, pytest.raises(RegistryError) as caught:
            registry.manifest("app", "1")
    finally:
        running.close()
    return caught.value


@pytest.mark.parametrize(
    "body", [b'{"token": "good"}', b'{"access_token": "good", "expires_in": null}']
)
def test_a_token_by_either_name(body: bytes) -> None:
    assert isinstance(failure(asking("{here}/token", {"/token": Reply(200, body)})), NotFound)


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="x", Bearer realm="{realm}"',
        'bearer Realm={realm},error="invalid_token"',
        'Bearer service="a, b",realm="{realm}",realm="http://127.0.0.1:1/"',
    ],
)
def test_challenges_in_other_forms(challenge: str) -> None:
    replies = {"/token": Reply(200, b'{"token": "good"}')}
    assert isinstance(failure(asking("{here}/token", replies, challenge)), NotFound)


@pytest.mark.parametrize("challenge", ["", "Bearer", 'Bearer service="s"', "Digest realm=x"])
def test_challenges_that_lead_nowhere(challenge: str) -> None:
    error = failure(asking("", challenge=challenge))
    assert isinstance(error, Unauthorized) and error.challenge == challenge


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"token": ""}',
        b'{"token": 1}',
        b'{"token": "a\\nb"}',
        '{"token": "ক"}'.encode(),
    ],
)
def test_an_answer_without_a_token(body: bytes) -> None:
    error = failure(asking("{here}/token", {"/token": Reply(200, body)}))
    assert (error.code, error.detail) == ("INVALID_ANSWER", "it holds no token")


def test_a_realm_that_is_no_address() -> None:
    assert failure(asking("http://a:b/")).detail == "its realm is no address"


def test_a_token_server_that_is_not_there() -> None:
    error = failure(asking("{here}/nothing"))
    assert not isinstance(error, NotFound) and error.detail == "the token server is not there"
    gone = failure(asking("http://127.0.0.1:1/token"))
    assert isinstance(gone, Unavailable)


def test_a_token_that_is_not_taken() -> None:
    running = asking("{here}/token", {"/token": Reply(200, b'{"token": "bad"}')})
    assert isinstance(failure(running), Unauthorized)
    assert [each.path for each in running.asked].count("/v2/app/manifests/1") == 2
