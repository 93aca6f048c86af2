"""A pull-through cache: what it lacks is fetched from an upstream once, and kept.

Tags are asked of the upstream each time; while that is away, they are what they were.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from dockerlab.errors import DockerlabError, InvalidDigest, NotFound, RegistryError, Unauthorized
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Descriptor
from dockerlab.registry.download import Download, apart
from dockerlab.registry.expiry import Expiry
from dockerlab.registry.journal import log
from dockerlab.registry.manifests import TAG
from dockerlab.registry.pages import asked, cut
from dockerlab.registry.refusals import Refusal, judge
from dockerlab.registry.server import CATALOGUE_MOST, TAGS_PAGE, about_blob, application, is_name
from dockerlab.registry.settings import Proxy, Settings
from dockerlab.registry.storage import Storage
from dockerlab.registry.upstream import Upstream, is_locked_out, said
from dockerlab.registry.wrappers import READING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_WANTED = re.compile(r"/v2/(.+)/(?:(manifests|blobs)/([^/]+)|(tags)/list)")
_REFERRERS = re.compile(r"/v2/.+/referrers/[^/]+")
_UNKNOWN = {"manifests": "MANIFEST_UNKNOWN", "blobs": "BLOB_UNKNOWN", "tags": "NAME_UNKNOWN"}
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_SILENCE = 20  # seconds until an upstream counts as away
_HOST = "host.docker.internal"  # what a container calls the machine that it runs on


class Cache:
    """An application over `storage`, which gets from `upstream` what it lacks."""

    def __init__(self, storage: Storage, upstream: Upstream, most: int = CATALOGUE_MOST) -> None:
        self.storage, self._upstream = storage, upstream
        self._registry = application(storage, delete=False, most=most)
        self.expiry = Expiry(storage)
        self._running: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._downloads: dict[str, Download] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._registry
        match = _WANTED.fullmatch(scope["path"])
        if scope["path"].startswith("/v2/") and scope["method"] not in READING:
            app = Refusal("UNSUPPORTED").response()
        elif _REFERRERS.fullmatch(scope["path"]):  # clients look for a tag instead
            app = Refusal("UNSUPPORTED", status=404).response()
        elif match and is_name(match[1]):
            name, kind, reference = match[1], match[2] or match[4], match[3] or ""
            try:
                app = await self._answer(Request(scope), name, kind, reference)
            except (Refusal, DockerlabError, OSError) as error:
                app = self._refusal(error, name, kind, reference).response()
        await app(scope, receive, send)

    async def _answer(self, request: Request, name: str, kind: str, reference: str) -> ASGIApp:
        if kind == "tags":
            return await self._tags(request, name)
        if kind == "blobs" and _is_digest(reference):
            return await self._blob(request, name, reference)
        if kind == "manifests" and _is_digest(reference):
            if not self.storage.has_manifest(name, reference):
                await self._once((name, reference), self._fetch)
        elif kind == "manifests" and TAG.fullmatch(reference):
            await self._once((name, reference), self._revalidate)
        return self._registry

    async def _tags(self, request: Request, name: str) -> ASGIApp:
        count, last = asked(request, TAGS_PAGE)
        try:
            tags = await apart(lambda: sorted(self._upstream.tags(name)))
        except DockerlabError as error:
            if _says_no(error) or not self.storage.tags(name):
                raise
            self._warn(f"the tags of {name} as they were", error)
            return self._registry
        page, link = cut(request, [tag for tag in tags if tag > last][: count + 1], count)
        return JSONResponse({"name": name, "tags": page}, headers=link)

    async def _blob(self, request: Request, name: str, digest: str) -> ASGIApp:
        if self.storage.blob(name, digest):
            return self._registry
        try:
            found = await apart(self._upstream.find_blob, name, digest)
        except DockerlabError as error:
            if _says_no(error) or not await asyncio.to_thread(self._borrow, name, digest):
                raise
            self._warn(f"{name}@{digest} as another repository has it", error)
            return self._registry
        headers = {**about_blob(digest), "Content-Length": str(found.size)}
        if request.method == "HEAD":
            return Response(headers=headers)
        await asyncio.to_thread(self.expiry.note, digest)
        download = self._downloads.get(digest) or self._start(name, found)
        await (download.ended() if "range" in request.headers else download.begun())
        if self.storage.blob(name, digest):
            return self._registry
        return StreamingResponse(download.pieces(), headers=headers)

    def _borrow(self, name: str, digest: str) -> bool:
        """Whether a known repository could take what another one has, as nobody can be asked."""
        return self.storage.tags(name) is not None and self.storage.mount(name, digest)

    def _start(self, name: str, found: Descriptor) -> Download:
        forget = partial(self._downloads.pop, found.digest)
        download = Download(self.storage, self._upstream, name, found, forget)
        self._downloads[found.digest] = download
        return download

    async def _once(self, key: tuple[str, str], work: Callable[[str, str], None]) -> None:
        """Do it, or wait for the end of what is being done already."""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.ensure_future(apart(work, *key))
            running.add_done_callback(lambda _: self._running.pop(key))
        await asyncio.shield(running)

    def _fetch(self, name: str, digest: str, tag: str | None = None) -> None:
        manifest = self._upstream.manifest(name, digest)
        self.expiry.note(digest)
        self.storage.put_manifest(name, digest, manifest.raw, tag)

    def _revalidate(self, name: str, tag: str) -> None:
        """Let the tag point to what it does upstream; it stays as it was while that is away."""
        known = self.storage.resolve(name, tag)
        if known and not self.storage.has_manifest(name, known):
            known = None
        try:
            digest = self._upstream.resolve(name, tag).digest
            if digest != known:
                self._fetch(name, digest, tag)
            else:
                self.expiry.note(digest)
        except DockerlabError as error:
            if known is None or _says_no(error):
                raise
            self._warn(f"{name}:{tag} as it was", error)

    def _refusal(self, error: Exception, name: str, kind: str, reference: str) -> Refusal:
        """What a client is told, who cannot log in to the upstream."""
        if isinstance(error, (Refusal, OSError)):
            return judge(error)
        about = f"{name}{'@' if ':' in reference else ':'}{reference}" if reference else name
        self._warn(about, error)
        if _says_no(error):
            detail = {"name": name, **({"reference": reference} if reference else {})}
            return Refusal(_UNKNOWN[kind], detail)
        if isinstance(error, RegistryError) and error.status == 429:
            return Refusal("TOOMANYREQUESTS", message=error.detail)
        return Refusal("UNKNOWN", status=502, message=f"{self._upstream.host}: {said(error)}")

    def _warn(self, about: str, error: Exception) -> None:
        log("warning", f"{self._upstream.host}: {about}: {said(error)}")


@contextmanager
def pulling_through(storage: Storage, settings: Settings, hub: Path | None) -> Iterator[Cache]:
    """The registry that is a cache of the upstream in the settings.

    Where `hub` is said, it is the course's Mini Hub, a layout that plays Docker Hub, and we are in
    a container.
    """
    proxy = settings.proxy
    with _connected(proxy, hub) as upstream:
        log("info", f"Registry configured as a proxy cache to {proxy.remoteurl}")
        cache = Cache(storage, upstream, settings.catalog.maxentries)
        with cache.expiry.watching(proxy.ttl):
            yield cache


@contextmanager
def _connected(proxy: Proxy, hub: Path | None) -> Iterator[Upstream]:
    url = urlsplit(proxy.remoteurl)
    if hub and url.hostname in _HUB:
        from dockerlab.image import sample
        from dockerlab.registry.shelf import Shelf

        log(
            "warning",
            f"{url.netloc} is played by the course's Mini Hub, a stand-in without internet",
        )
        yield Shelf(sample.hub(hub), _HUB[0])
        return
    from dockerlab.registry.client import Registry

    with Registry(
        url.netloc,
        username=proxy.username,
        password=proxy.password,
        scheme=url.scheme,
        silence=_SILENCE,
        route=_from_inside if hub else None,
    ) as upstream:
        yield upstream


def _from_inside(host: str, port: int) -> str:
    """Where a connection from inside a container goes: its host is the machine that we are on."""
    return "127.0.0.1" if host == _HOST else host


def _says_no(error: Exception) -> bool:
    """Whether the upstream is there, and has not got it, or not for us."""
    return isinstance(error, (NotFound, Unauthorized)) and not is_locked_out(error)


def _is_digest(text: str) -> bool:
    try:
        digests.split(text)
    except InvalidDigest:
        return False
    return True
