"""Docker Hub behind the offline one: what it lacks is fetched from there once, and kept."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from dockerlab.errors import DockerlabError, InvalidDigest, NotFound, RegistryError, Unauthorized
from dockerlab.hub.download import Download
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Manifest
from dockerlab.registry.client import Registry
from dockerlab.registry.journal import log
from dockerlab.registry.manifests import TAG
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.server import application, is_name
from dockerlab.registry.storage import Storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_WANTED = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")


class Cache:
    """An application over `storage`, which gets from `upstream` what it lacks."""

    def __init__(self, storage: Storage, upstream: Registry) -> None:
        self.storage, self._upstream = storage, upstream
        self._registry = application(storage, delete=False)
        self._downloads: dict[str, Download] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _WANTED.fullmatch(scope["path"])
        app: ASGIApp = self._registry
        if match and is_name(match["name"]):
            try:
                get = self._manifest if match["kind"] == "manifests" else self._blob
                app = await get(scope, match["name"], match["reference"])
            except (DockerlabError, OSError) as error:
                log("warning", f"docker.io: {match['name']}: {error}")
                app = _refusal(error).response()
        await app(scope, receive, send)

    async def _manifest(self, scope: Scope, name: str, reference: str) -> ASGIApp:
        if ":" in reference:
            digests.split(reference)
            await asyncio.to_thread(self._fetch, name, reference)
        elif TAG.fullmatch(reference):
            await asyncio.to_thread(self._revalidate, name, reference)
        return self._registry

    async def _blob(self, scope: Scope, name: str, digest: str) -> ASGIApp:
        digests.split(digest)
        if await asyncio.to_thread(self._has_blob, name, digest):
            return self._registry
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        if scope["method"] == "HEAD":
            found = await asyncio.to_thread(self._upstream.find_blob, name, digest)
            return Response(headers={**headers, "Content-Length": str(found.size)})
        download = self._downloads.get(digest)
        if download is None or download.ended:
            download = self._downloads[digest] = Download(self.storage, self._upstream)
            download.start(name, digest)
        size = await download.begun()
        headers["Content-Length"] = str(size)
        return StreamingResponse(download.pieces(), headers=headers)

    def _fetch(self, name: str, digest: str) -> None:
        if not self.storage.has_manifest(name, digest):
            self._keep(name, digest, self._upstream.manifest(name, digest), None)

    def _revalidate(self, name: str, tag: str) -> None:
        """Let the tag point to what it does upstream; it stays as it was while that is away."""
        known = self.storage.resolve(name, tag)
        try:
            digest = self._upstream.resolve(name, tag).digest
            if digest != known or not self.storage.has_manifest(name, digest):
                manifest = self._upstream.manifest(name, tag)
                self._keep(name, manifest.digest, manifest, tag)
        except RegistryError as error:
            if known is None or isinstance(error, (NotFound, Unauthorized)):
                raise
            log("warning", f"docker.io: {name}:{tag} as it was: {error}")

    def _keep(self, name: str, digest: str, manifest: Manifest, tag: str | None) -> None:
        self.storage.put_manifest(name, digest, manifest.raw, tag)

    def _has_blob(self, name: str, digest: str) -> bool:
        """Whether it was fetched already, be it for another repository."""
        if self.storage.blob(name, digest):
            return True
        others = self.storage.repositories()
        return any(self.storage.mount(name, digest, other) for other in others)


def _refusal(error: Exception) -> Refusal:
    """What a client is told; an engine then asks Docker Hub itself."""
    if isinstance(error, InvalidDigest):
        return Refusal("DIGEST_INVALID", {"digest": error.text})
    if isinstance(error, (NotFound, Unauthorized)):
        return Refusal("NAME_UNKNOWN", message=error.detail)
    status = 429 if getattr(error, "status", 0) == 429 else 502
    return Refusal("UNKNOWN", status=status, message=getattr(error, "detail", str(error)))
