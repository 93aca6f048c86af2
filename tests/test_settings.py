"""Settings: the real registry's file and variables mean the same here, and a wrong one is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.serve import configured
from dockerlab.registry.settings import Settings, load
from dockerlab.registry.values import Address
from tests.servers import RunningServer

OURS = [sys.executable, "-m", "dockerlab.registry", "serve"]
VERSION = "version: 0.1\n"
IMAGES = """\
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
"""  # /etc/docker/registry/config.yml of registry:2


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a configuration file."""

    def written(content: str | bytes) -> Path:
        path = tmp_path / "config.yml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


# The file and the variables


def read(write: Callable[[str], Path], text: str, **env: str) -> Settings:
    """The settings of a file and of variables, whose names are given without REGISTRY_."""
    return load(write(VERSION + text), {f"REGISTRY_{name}": value for name, value in env.items()})


def test_a_variable_wins_over_the_file_and_an_option_over_both(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    config = write(VERSION + "http: {addr: 'localhost:1', relativeurls: yes}\nlog: {level: warn}")
    env = {"REGISTRY_HTTP_ADDR": "'[::1]:2'", "REGISTRY_LOG_LEVEL": "debug", "PATH": "/bin"}
    settings = configured(config, tmp_path, port=3, env=env)
    assert settings.http.addr == Address("::1", 3)
    assert settings.http.relativeurls and settings.level == "debug"
    assert settings.storage.filesystem.rootdirectory == tmp_path
    by_variable = configured(None, env={"REGISTRY_CONFIGURATION_PATH": str(config)})
    assert by_variable.http.addr == Address("localhost", 1)


@pytest.mark.parametrize("text", ["auth: htpasswd", "auth: {htpasswd: {realm: x}}", ""])
def test_a_section_by_its_kind(write: Callable[[str], Path], text: str) -> None:
    login = {"AUTH_HTPASSWD_REALM": "The lab", "AUTH_HTPASSWD_PATH": "/auth/htpasswd"}
    for kind in ({"AUTH": "htpasswd"}, {}):
        htpasswd = read(write, text, **kind, **login).auth.htpasswd
        assert (htpasswd.realm, htpasswd.path) == ("The lab", Path("/auth/htpasswd"))
        assert htpasswd.anonymous == "none"
    root = read(write, "", STORAGE="filesystem", STORAGE_FILESYSTEM_ROOTDIRECTORY="/data")
    assert root.storage.filesystem.rootdirectory == Path("/data")


@pytest.mark.parametrize(
    "env",
    [
        {"HTTP_TLS_CLIENTCAS": "[/a.pem, /b.pem]"},
        {"HTTP_TLS_CLIENTCAS_0": "/a.pem", "HTTP_TLS_CLIENTCAS_1": "/b.pem"},
        {"HTTP_TLS": "{certificate: /c, key: /k, clientcas: [/old, /b.pem]}"}
        | {"HTTP_TLS_CLIENTCAS_0": "/a.pem"},
    ],
)
def test_a_list_in_variables(write: Callable[[str], Path], env: Mapping[str, str]) -> None:
    tls = read(write, "http: {tls: {certificate: /c, key: /k}}", **env).http.tls
    assert tls.clientcas == (Path("/a.pem"), Path("/b.pem"))


def test_a_section_in_a_variable(write: Callable[[str], Path]) -> None:
    http = read(write, "http: {headers: {X-A: [a]}}", HTTP_HEADERS="{X-B: [b, 1], X-C: [no]}").http
    assert http.headers == {"X-B": ("b", "1"), "X-C": ("no",)}


def test_a_variable_without_a_value_takes_the_files_away(write: Callable[[str], Path]) -> None:
    settings = read(write, "http: {tls: {key: /k}, addr: ':1'}", HTTP_TLS_KEY="", HTTP_ADDR="~")
    assert settings.http == Settings().http


def test_forms_of_values(write: Callable[[str], Path]) -> None:
    settings = read(
        write,
        "validation: &on {enabled: yes}\n"
        "storage: {delete: *on, maintenance: {uploadpurging: {<<: *on, age: 1h30m}}}\n"
        "limits: {blobsize: 2GiB}\nproxy: {ttl: 0, remoteurl: 'https://a.example/'}",
        HTTP_DRAINTIMEOUT="1.5s",
        CATALOG_MAXENTRIES="0007",
        HTTP_SECRET="123",
    )
    storage, http = settings.storage, settings.http
    assert storage.delete.enabled and storage.maintenance.uploadpurging.age == 5400
    assert (settings.limits.blobsize, settings.catalog.maxentries) == (2**31, 7)
    assert (http.draintimeout, http.secret) == (1.5, "123")
    assert (settings.proxy.ttl, settings.proxy.remoteurl) == (0, "https://a.example")


@pytest.mark.parametrize(
    "text",
    [
        "middleware: {}\nnotifications: {endpoints: []}\nredis: ~",
        "http: {h2c: {enabled: false}, tls: {letsencrypt: {email: }}}",
        "auth: none",
        "auth: {}",
        "health: {tcp: [], http: [], file: []}",
    ],
)
def test_what_is_off_may_be_there(write: Callable[[str], Path], text: str) -> None:
    assert read(write, text).http == Settings().http


def test_no_secret_is_in_a_settings_repr(write: Callable[[str], Path]) -> None:
    text = "proxy: {remoteurl: 'https://a.example', username: a, password: s3cret}"
    assert "s3cret" not in repr(read(write, text, HTTP_SECRET="s3cret"))


# Side by side with the real registry

# Settings that both have, whose effect a client sees.
SIDE_BY_SIDE: dict[str, tuple[str, dict[str, str]]] = {
    "delete": ("storage: {delete: {enabled: true}}", {}),
    "headers": ("http: {headers: {X-Lab: [one, two]}}", {"STORAGE_DELETE_ENABLED": "true"}),
    "the variable wins": ("http: {headers: {X-A: [a]}}", {"HTTP_HEADERS": "{X-Lab: [variable]}"}),
    "host": ("http: {host: 'https://lab.example:5000'}", {}),
    "read-only": ("storage: {maintenance: {readonly: {enabled: true}}}", {}),
    "a login": (
        "auth: {htpasswd: {realm: Of the file, path: HTPASSWD}}",
        {"AUTH_HTPASSWD_REALM": "of the 'variable'"},
    ),
    "a login by variables": (
        "",
        {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "The lab", "AUTH_HTPASSWD_PATH": "HTPASSWD"},
    ),
}


@contextmanager
def running(command: list[str], config: Path, root: Path, **env: str) -> Iterator[RunningServer]:
    """A registry that is started as the real one is; on a free port, with its files in `root`."""
    settings = {"HTTP_ADDR": "127.0.0.1:0", "STORAGE_FILESYSTEM_ROOTDIRECTORY": str(root), **env}
    named = {f"REGISTRY_{name}": value for name, value in settings.items()}
    server = RunningServer([*command, str(config)], named)
    try:
        yield server
    finally:
        server.kill()


def view(server: RunningServer) -> dict[str, object]:
    """What a client sees of a registry's settings."""
    with httpx.Client(base_url=server.url) as http:
        front = http.get("/v2/")
        begun = http.post("/v2/a/blobs/uploads/")
        gone = http.delete("/v2/a/blobs/sha256:" + "0" * 64)
    where = begun.headers.get("Location", "").partition("/v2/")[0]
    return {
        "front": (front.status_code, front.headers.get("WWW-Authenticate"), front.text),
        "headers": front.headers.get_list("X-Lab"),
        "upload": (begun.status_code, where.replace(server.url, "")),
        "delete": gone.status_code,
    }


def test_what_both_have_means_the_same(
    write: Callable[[str], Path], tmp_path: Path, need: Callable[[str], str]
) -> None:
    theirs = [need("docker-registry"), "serve"]
    (tmp_path / "htpasswd").touch()

    def seen(command: list[str], text: str, env: Mapping[str, str]) -> dict[str, object]:
        path = str(tmp_path / "htpasswd")
        config = write(VERSION + "storage: {filesystem: {}}\n" * ("storage" not in text) + text)
        config.write_text(config.read_text("utf-8").replace("HTPASSWD", path), "utf-8")
        named = {name: value.replace("HTPASSWD", path) for name, value in env.items()}
        with running(command, config, tmp_path / "root", **named) as server:
            return view(server)

    usual = seen(OURS, "", {})
    assert usual == seen(theirs, "", {})
    for name, (text, env) in SIDE_BY_SIDE.items():
        ours = seen(OURS, text, env)
        assert ours == seen(theirs, text, env), name
        assert ours != usual, name


def test_the_settings_of_the_real_image(write: Callable[[str], Path], tmp_path: Path) -> None:
    config = write(IMAGES)
    settings = load(config, {})
    assert settings.http.addr == Address("", 5000)
    assert settings.storage.filesystem.rootdirectory == Path("/var/lib/registry")
    with running(OURS, config, tmp_path / "root", LOG_FORMATTER="json") as server:
        answer = httpx.get(f"{server.url}/v2/")
        assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert json.loads(server.lines[0])["service"] == "registry"


# Settings that stop the start

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
THE_FILE = "the configuration file"
LOGIN = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "lab"}

# What stands after "version: 0.1", and what is said of it.
WRONG_FILES = {
    "htttp: {}": "htttp: there is no such setting; did you mean http?",
    "http: {adr: ':1'}": "http.adr: there is no such setting; did you mean http.addr?",
    "http: {colour: red}": "http.colour: there is no such setting in http",
    "HTTP: {}": "HTTP: there is no such setting; did you mean http?",
    "storage: {filesystem: 5}": "storage.filesystem: a section, with the settings "
    "storage.filesystem.rootdirectory, storage.filesystem.maxthreads",
    "http: {addr: 5000}": 'http.addr: "5000" is not HOST:PORT, such as :5000 or 127.0.0.1:5000',
    "http: {addr: '::1:5000'}": 'http.addr: "::1:5000" is not HOST:PORT, '
    "such as :5000 or 127.0.0.1:5000",
    "http: {addr: ':65536'}": 'http.addr: ":65536" has no port from 0 to 65535 '
    "after its last colon",
    "http: {addr: ':-1'}": 'http.addr: ":-1" has no port from 0 to 65535 after its last colon',
    "http: {addr: [a]}": "http.addr: a single value is wanted here, not a list or a section",
    "http: {draintimeout: -5s}": 'http.draintimeout: "-5s" is not a length of time, '
    "such as 30s or 1h30m",
    "http: {draintimeout: 60}": 'http.draintimeout: "60" is not a length of time; '
    "did you mean 60s?",
    "proxy: {ttl: 9999999h}": 'proxy.ttl: "9999999h" is longer than 100 years',
    "http: {prefix: /a/}": 'http.prefix: "/a/" is not supported; the registry is at /',
    "http: {net: unix}": 'http.net: "unix" is not tcp',
    "http: {host: lab.example}": 'http.host: "lab.example" is not a URL '
    "such as https://registry.example:5000",
    "http: {headers: {X-A: a}}": "http.headers: a list is wanted here, such as [a]",
    "http: {headers: {X A: [a]}}": 'http.headers: "X A" cannot be a header with this value',
    'http: {headers: {X-A: ["a\\nX-B: b"]}}': 'http.headers: "X-A" cannot be a header '
    "with this value",
    "http: {tls: {certificate: /c}}": "http.tls.certificate: needs http.tls.key too",
    "http: {tls: {key: /k}}": "http.tls.key: needs http.tls.certificate too",
    "http: {tls: {clientcas: [/a]}}": "http.tls.clientcas: needs a certificate and key",
    "http: {tls: {minimumtls: tls1.0}}": 'http.tls.minimumtls: "tls1.0" is not one of '
    "tls1.2, tls1.3; older versions are not safe",
    "http: {tls: {letsencrypt: {email: a@b.example}}}": "http.tls.letsencrypt: not supported: "
    "give a certificate and a key instead",
    "storage: {filesystem: {rootdirectory: ''}}": "storage.filesystem.rootdirectory: "
    "the path of a file or folder is wanted here",
    'storage: {filesystem: {rootdirectory: "a\\0b"}}': "storage.filesystem.rootdirectory: "
    "the path of a file or folder is wanted here",
    "storage: s3": "storage.s3: not supported: "
    "this registry keeps its files in a folder, storage.filesystem",
    "storage: {inmemory: , filesystem: }": "storage.inmemory: not supported: "
    "this registry keeps its files in a folder, storage.filesystem",
    "storage: {delete: {enabled: 'true'}}": 'storage.delete.enabled: "true" is text; '
    "write true without quotes around it",
    "storage: {delete: {enabled: maybe}}": 'storage.delete.enabled: "maybe" is neither '
    "true nor false",
    "log: {level: loud}": 'log.level: "loud" is not one of debug, info, warn, error',
    "log: {hooks: [{type: mail}]}": "log.hooks: not supported: this registry sends no mail",
    "catalog: {maxentries: 0}": "catalog.maxentries: 0 is not above zero",
    "limits: {requests: many}": 'limits.requests: "many" is not a whole number',
    "limits: {blobsize: -1}": 'limits.blobsize: "-1" is not a number of bytes, '
    "such as 1048576 or 10GiB",
    "auth: htpasswd": "auth.htpasswd.realm: is missing; a login needs it",
    "auth: {htpasswd: {realm: lab}}": "auth.htpasswd.path: is missing; a login needs it",
    "auth: {htpasswd: {path: /a}}": "auth.htpasswd.realm: is missing; a login needs it",
    "auth: {htpasswd: {realm: lab, path: /a, anonymous: push}}": "auth.htpasswd.anonymous: "
    '"push" is not one of pull, none',
    "auth: {htpasswd: {realm: lab, path: /a}, none: }": "auth: one way is wanted, "
    "not htpasswd and none",
    "auth: token": "auth.token: not supported: use auth.htpasswd",
    "auth: kerberos": "auth.kerberos: there is no such setting in auth",
    "proxy: {username: a, remoteurl: ''}": 'proxy.remoteurl: "" is not a URL '
    "such as https://registry.example:5000",
    "proxy: {username: a}": "proxy.username: needs proxy.remoteurl too",
    "proxy: {password: a}": "proxy.password: needs proxy.username too",
    "proxy: {remoteurl: 'https://a:s3cret@b.example'}": "proxy.remoteurl: "
    "a URL without a user and a password is wanted here",
    "notifications: {endpoints: [{name: a}]}": "notifications: not supported: "
    "nobody is notified; the log tells of every request",
    "http: {addr: ':1', addr: ':2'}": f'{THE_FILE}: line 2 has "addr" twice in a section',
    "http: {addr: [}": f"{THE_FILE}: line 2 is not YAML; quotes around a value may help",
    "? [a]\n: b": f"{THE_FILE}: line 2 is not YAML; quotes around a value may help",
    "---\nversion: 0.1": f"{THE_FILE}: line 2 is not YAML; quotes around a value may help",
    "http: *nothing": f"{THE_FILE}: line 2 is not YAML; quotes around a value may help",
    "x: " + "[" * 5000: f"{THE_FILE}: not YAML; quotes around a value may help",
    BOMB: f"{THE_FILE}: has more than 10000 values, aliases included",
    "a: &a [*a]": f"{THE_FILE}: has more than 10000 values, aliases included",
    "http: {addr: !!python/object/apply:os.abort []}": "http.addr: "
    "a single value is wanted here, not a list or a section",
    "#" * 300_000: f"{THE_FILE}: larger than 262144 bytes",
}

# Variables, without REGISTRY_, and what is said of them.
WRONG_VARIABLES: list[tuple[dict[str, str], str]] = [
    ({"HTTP_ADR": ":1"}, "HTTP_ADR: there is no such setting; did you mean REGISTRY_HTTP_ADDR?"),
    ({"COLOUR": "red"}, "COLOUR: there is no such setting"),
    ({"HTTP_COLOUR": "red"}, "HTTP_COLOUR: there is no such setting in REGISTRY_HTTP"),
    ({"": "red"}, ": there is no such setting"),
    (
        {"STORAGE_FILESYSTEM": "[a]"},
        "STORAGE_FILESYSTEM: a section, with the settings "
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY, REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS",
    ),
    (
        {"HTTP_ADDR": ":many"},
        'HTTP_ADDR: ":many" has no port from 0 to 65535 after its last colon',
    ),
    (
        {"STORAGE_DELETE_ENABLED": "1"},
        'STORAGE_DELETE_ENABLED: "1" is neither true nor false',
    ),
    (
        {"STORAGE": "{delete: {enabled: maybe}}"},
        'STORAGE: delete.enabled: "maybe" is neither true nor false',
    ),
    (
        {"HTTP_ADDR_PORT": "1"},
        "HTTP_ADDR_PORT: a single value is wanted here, not a list or a section",
    ),
    ({"HTTP_TLS_KEY": "/k"}, "HTTP_TLS_KEY: needs REGISTRY_HTTP_TLS_CERTIFICATE too"),
    ({"HTTP_TLS_CLIENTCAS": "/a"}, "HTTP_TLS_CLIENTCAS: a list is wanted here, such as [/a]"),
    ({"HTTP_TLS_CLIENTCAS_1": "/a"}, "HTTP_TLS_CLIENTCAS_1: a list is wanted here, such as [a, b]"),
    ({"AUTH": "htpasswd"}, "AUTH_HTPASSWD_REALM: is missing; a login needs it"),
    (LOGIN, "AUTH_HTPASSWD_PATH: is missing; a login needs it"),
    ({"AUTH_HTPASSWD_PATH": "/a"}, "AUTH_HTPASSWD_REALM: is missing; a login needs it"),
    ({"AUTH": "token"}, "AUTH: token: not supported: use auth.htpasswd"),
    ({"HTTP_HEADERS": "{X-A: [a"}, "HTTP_HEADERS: not YAML; quotes around a value may help"),
    ({"PROXY_PASSWORD": "s3cret: ["}, "PROXY_PASSWORD: not YAML; quotes around a value may help"),
    ({"PROXY_PASSWORD": "s3cret"}, "PROXY_PASSWORD: needs REGISTRY_PROXY_USERNAME too"),
    ({"VERSION": "0.2"}, 'VERSION: "0.2" is not 0.1'),
]


def refused(load: Callable[[], object], env: Mapping[str, str]) -> str:
    """What is said of wrong settings."""
    with pytest.raises(SettingsError) as caught:
        load()
    return str(caught.value.named(env))


@pytest.mark.parametrize("text", WRONG_FILES, ids=lambda text: text[:50])
def test_a_wrong_file(write: Callable[[str], Path], text: str) -> None:
    said = refused(partial(load, write(VERSION + text), {}), {})
    assert said == f"configuration error: {WRONG_FILES[text]}"


@pytest.mark.parametrize(("variables", "said"), WRONG_VARIABLES)
def test_a_wrong_variable(variables: Mapping[str, str], said: str) -> None:
    env = {f"REGISTRY_{name}": value for name, value in variables.items()}
    assert refused(partial(load, None, env), env) == f"configuration error: REGISTRY_{said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "version: is missing; write version: 0.1"),
        (b"http: {addr: ':1'}", "version: is missing; write version: 0.1"),
        (b"version: 2", 'version: "2" is not 0.1'),
        (b"[a]", f"{THE_FILE}: not a mapping of settings"),
        (b"registry", f"{THE_FILE}: not a mapping of settings"),
        (b"\xff\xfe", f"{THE_FILE}: not text in UTF-8"),
        (b"a: \0", f"{THE_FILE}: not YAML; quotes around a value may help"),
    ],
)
def test_a_file_that_is_none(write: Callable[[bytes], Path], content: bytes, said: str) -> None:
    assert refused(partial(load, write(content), {}), {}) == f"configuration error: {said}"


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("colour: red", {}, "colour: there is no such setting"),
        ("", {"COLOUR": "red"}, "REGISTRY_COLOUR: there is no such setting"),
        (BOMB, {}, f"{THE_FILE}: has more than 10000 values, aliases included"),
        (
            "auth: {htpasswd: {realm: lab, path: /nowhere/htpasswd}}",
            {},
            "auth.htpasswd.path: open /nowhere/htpasswd: no such file or directory",
        ),
        (
            "",
            {**LOGIN, "AUTH_HTPASSWD_PATH": "/nowhere/htpasswd"},
            "REGISTRY_AUTH_HTPASSWD_PATH: open /nowhere/htpasswd: no such file or directory",
        ),
        (
            'auth: {htpasswd: {realm: "a\\nb", path: HERE}}',
            {},
            "auth.htpasswd.realm: has signs that cannot be printed",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start(
    write: Callable[[str], Path], text: str, variables: Mapping[str, str], said: str
) -> None:
    config = write("")
    config.write_text(VERSION + text.replace("HERE", str(config)), "utf-8")
    env = {f"REGISTRY_{name}": value for name, value in variables.items()}
    line = started(config, env)
    assert line.endswith(f'level=fatal msg="configuration error: {said}"')
    assert {path.name for path in config.parent.iterdir()} == {"config.yml"}


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    reasons = {tmp_path / "no.yml": "no such file or directory", folder: "is a directory"}
    for path, reason in reasons.items():
        line = started(path, {})
        assert line.endswith(f'msg="configuration error: open {path}: {reason}"')


def started(config: Path, env: Mapping[str, str]) -> str:
    """The only line that a registry writes which does not start, with exit status 1."""
    root = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(config.parent / "root")}
    ended = subprocess.run(
        [*OURS, str(config)],
        env={**os.environ, **root, **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    return line
