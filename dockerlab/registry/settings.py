"""The registry's settings: those of the Distribution project's registry (2.8 and 3), by its names.

    version: 0.1                       REGISTRY_HTTP_ADDR=:5000
    http:                         or   REGISTRY_HTTP_TLS_CERTIFICATE=/certs/localhost.crt
      addr: :5000                      REGISTRY_HTTP_TLS_KEY=/certs/localhost.key
      tls: {certificate: …, key: …}

A setting that is not known, that this registry does not have, or that has a wrong value stops
the start; nothing is passed over. https://distribution.github.io/distribution/about/configuration/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NewType, get_args

from dockerlab.registry import values
from dockerlab.registry.configuration import FILE, Absent, Driver, SettingsError, Tree, read
from dockerlab.registry.values import Address

__all__ = ["Settings", "SettingsError", "load"]

_LARGEST = 256 * 1024  # bytes of a file
Seconds = NewType("Seconds", float)
Size = NewType("Size", int)
Count = NewType("Count", int)
Prefix = NewType("Prefix", str)
Origin = NewType("Origin", str)
Realm = NewType("Realm", str)
Anything = NewType("Anything", object)
Level = Literal["debug", "info", "warn", "error"]
Formatter = Literal["text", "json", "logstash"]
Version = Literal["0.1"]
MinimumTLS = Literal["tls1.2", "tls1.3"]
Net = Literal["tcp"]
Anonymous = Literal["pull", "none"]
Headers = Mapping[str, tuple[str, ...]]
Fields = Mapping[str, str]


def absent(instead: str) -> Any:
    """A setting of the real registry that there is no support for, and what there is instead."""
    return field(default=None, metadata={"instead": instead})


@dataclass(frozen=True)
class AccessLog:
    """`log.accesslog`: a line for each request."""

    disabled: bool = False


@dataclass(frozen=True)
class Log:
    """`log`: what is written to stderr; `fields` are added to every line."""

    accesslog: AccessLog = AccessLog()
    level: Level | None = None
    formatter: Formatter = "text"
    fields: Fields = field(default_factory=dict)
    reportcaller: bool = False
    hooks: Absent = absent("this registry sends no mail")


@dataclass(frozen=True)
class Filesystem:
    """`storage.filesystem`: the folder that holds everything."""

    rootdirectory: Path = Path("/var/lib/registry")
    maxthreads: int = 100


@dataclass(frozen=True)
class Delete:
    """`storage.delete`: whether manifests and blobs can be removed."""

    enabled: bool = False


@dataclass(frozen=True)
class UploadPurging:
    """`storage.maintenance.uploadpurging`: uploads that nobody finishes are removed."""

    enabled: bool = True
    age: Seconds = Seconds(168 * 3600)
    interval: Seconds = Seconds(24 * 3600)
    dryrun: bool = False


@dataclass(frozen=True)
class ReadOnly:
    """`storage.maintenance.readonly`: nothing can be written."""

    enabled: bool = False


@dataclass(frozen=True)
class Maintenance:
    """`storage.maintenance`."""

    uploadpurging: UploadPurging = UploadPurging()
    readonly: ReadOnly = ReadOnly()


_IN_A_FOLDER = "this registry keeps its files in a folder, storage.filesystem"


@dataclass(frozen=True)
class Storage:
    """`storage`; `cache`, `redirect` and `tag` are allowed, and there is nothing to do for them."""

    filesystem: Filesystem = Filesystem()
    delete: Delete = Delete()
    maintenance: Maintenance = Maintenance()
    cache: Anything | None = None
    redirect: Anything | None = None
    tag: Anything | None = None
    azure: Driver = absent(_IN_A_FOLDER)
    gcs: Driver = absent(_IN_A_FOLDER)
    inmemory: Driver = absent(_IN_A_FOLDER)
    oss: Driver = absent(_IN_A_FOLDER)
    s3: Driver = absent(_IN_A_FOLDER)
    s3aws: Driver = absent(_IN_A_FOLDER)
    swift: Driver = absent(_IN_A_FOLDER)


@dataclass(frozen=True)
class TLS:
    """`http.tls`: with a certificate and its key, the registry speaks HTTPS only."""

    certificate: Path | None = None
    key: Path | None = None
    clientcas: tuple[Path, ...] = ()
    minimumtls: MinimumTLS = "tls1.2"
    ciphersuites: Absent = absent("the cipher suites are those that are safe today")
    letsencrypt: Absent = absent("give a certificate and a key instead")


@dataclass(frozen=True)
class Prometheus:
    """`http.debug.prometheus`: figures at `path` of the debug server."""

    enabled: bool = False
    path: str = "/metrics"


@dataclass(frozen=True)
class Debug:
    """`http.debug`: a second server for those who run the registry; `:PORT` is on 127.0.0.1."""

    addr: Address | None = None
    prometheus: Prometheus = Prometheus()


@dataclass(frozen=True)
class HTTP2:
    """`http.http2`: HTTP/2 is spoken over TLS, unless disabled."""

    disabled: bool = False


@dataclass(frozen=True)
class HTTP:
    """`http`: how the registry is reached."""

    addr: Address = Address("127.0.0.1", 5000)
    net: Net = "tcp"
    host: Origin = Origin("")
    prefix: Prefix = Prefix("/")
    secret: str = field(default="", repr=False)
    relativeurls: bool = False
    draintimeout: Seconds = Seconds(0)
    tls: TLS = TLS()
    headers: Headers = field(default_factory=dict)
    debug: Debug = Debug()
    http2: HTTP2 = HTTP2()
    h2c: Absent = absent("HTTP/2 is spoken over TLS only")


@dataclass(frozen=True)
class Htpasswd:
    """`auth.htpasswd`: who may enter; our own `anonymous: pull` lets everybody read."""

    realm: Realm | None = None
    path: Path | None = None
    anonymous: Anonymous = "none"


@dataclass(frozen=True)
class Auth:
    """`auth`; with `none`, as without all of it, everybody may enter."""

    htpasswd: Htpasswd = Htpasswd()
    none: Anything | None = None
    silly: Driver = absent("use auth.htpasswd")
    token: Driver = absent("use auth.htpasswd")


@dataclass(frozen=True)
class Proxy:
    """`proxy`: the registry is a pull-through cache of the one at `remoteurl`.

    What was fetched goes after `ttl`; with 0 it stays.
    """

    remoteurl: Origin = Origin("")
    username: str = ""
    password: str = field(default="", repr=False)
    ttl: Seconds = Seconds(168 * 3600)
    exec: Absent = absent("give proxy.username and proxy.password")


@dataclass(frozen=True)
class Health:
    """`health`; the folder is looked at in any case, when /debug/health is asked for."""

    storagedriver: Anything | None = None
    file: Absent = absent("only the folder is looked at")
    http: Absent = absent("only the folder is looked at")
    tcp: Absent = absent("only the folder is looked at")


@dataclass(frozen=True)
class Catalog:
    """`catalog` (registry 3): the most entries of one page."""

    maxentries: Count = Count(1000)


@dataclass(frozen=True)
class Validation:
    """`validation`: what manifests have to fulfil."""

    enabled: bool = False
    disabled: bool = False
    manifests: Absent = absent("manifests are checked as the distribution-spec says")


@dataclass(frozen=True)
class Limits:
    """`limits`, our own: the largest blob, open uploads at once, requests at once.

    Whoever sends nothing more of a body for `silence` seconds is taken for gone.
    """

    blobsize: Size = Size(10 * 1024**3)
    uploads: Count = Count(1000)
    requests: Count = Count(1000)
    silence: Seconds = Seconds(120)


@dataclass(frozen=True)
class Settings:
    """Every setting; where nothing was written, what the real registry does, on 127.0.0.1."""

    version: Version = "0.1"
    log: Log = Log()
    loglevel: Level | None = None
    storage: Storage = Storage()
    auth: Auth = Auth()
    http: HTTP = HTTP()
    proxy: Proxy = Proxy()
    health: Health = Health()
    catalog: Catalog = Catalog()
    validation: Validation = Validation()
    limits: Limits = Limits()
    compatibility: Absent = absent("schema 1 is long gone")
    middleware: Absent = absent("there is none")
    notifications: Absent = absent("nobody is notified; the log tells of every request")
    policy: Absent = absent("every kind of repository is allowed")
    redis: Absent = absent("no cache is needed")
    reporting: Absent = absent("nothing is reported; the log tells of every error")

    @property
    def level(self) -> Level:
        """The log's level, by its newer or its older name."""
        return self.log.level or self.loglevel or "info"


def load(
    config: Path | None, env: Mapping[str, str], place: Callable[[str], Path] = Path
) -> Settings:
    """The settings of a YAML file, if any, and of the environment, which wins.

    `place` says where a path that a setting names is on this machine. SettingsError names the
    setting that is wrong; OSError if the file cannot be read.
    """
    tree = Tree(_text(config) if config else "version: 0.1", env)
    settings = read(tree, Settings, _readers(place))
    if tree.get("version") is None:
        raise SettingsError("version", "is missing; write version: 0.1")
    _agree(tree, settings)
    return settings


def _text(config: Path) -> str:
    with config.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise SettingsError(FILE, f"larger than {_LARGEST} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SettingsError(FILE, "not text in UTF-8") from None


def _agree(tree: Tree, settings: Settings) -> None:
    """Settings that need one another are there together."""
    tls, auth = settings.http.tls, tree.get("auth")
    for section, given, one, other in (
        (("http", "tls"), tls, "certificate", "key"),
        (("http", "tls"), tls, "key", "certificate"),
        (("proxy",), settings.proxy, "password", "username"),
        (("proxy",), settings.proxy, "username", "remoteurl"),
    ):
        if getattr(given, one) and not getattr(given, other):
            path = (*section, one)
            meant = tree.alike(path, (*section, other))
            raise SettingsError(tree.name(path), f"needs {meant} too")
    if tls.clientcas and not tls.certificate:
        raise SettingsError(tree.name(("http", "tls", "clientcas")), "needs a certificate and key")
    if not auth or "none" in auth and len(auth) == 1:
        return
    if len(auth) > 1:
        raise SettingsError(tree.name(("auth",)), f"one way is wanted, not {' and '.join(auth)}")
    for name in ("realm", "path"):
        if not getattr(settings.auth.htpasswd, name):
            path = ("auth", "htpasswd", name)
            missing = tree.alike(("auth",), path)
            raise SettingsError(missing, "is missing; a login needs it")


def _readers(place: Callable[[str], Path]) -> dict[Any, Any]:
    """Who reads a value, by the type of its setting."""

    def path(value: Any) -> Path:
        return place(values.path(value))

    return {
        **{kind: values.choice(get_args(kind)) for kind in (Version, Formatter, Net, Anonymous)},
        Level | None: values.choice(get_args(Level)),
        MinimumTLS: values.choice(get_args(MinimumTLS), "; older versions are not safe"),
        bool: values.boolean,
        int: values.integer,
        str: values.scalar,
        Realm | None: values.printable,
        Seconds: values.seconds,
        Size: values.size,
        Count: values.count,
        Address: values.address,
        Address | None: values.address,
        Origin: values.origin,
        Prefix: values.root_only,
        Headers: values.headers,
        Fields: values.fields,
        Anything | None: lambda value: value,
        Path: path,
        ("", Path): lambda usual: place(usual.as_posix()),
        Path | None: path,
        tuple[Path, ...]: lambda value: tuple(path(each) for each in values.sequence(value)),
    }
