"""A registry that speaks the OCI distribution-spec 1.1: an ASGI application over a Storage.

Handlers return an answer or raise; `refusals.refuse` alone turns errors into answers. Whatever
writes, or reads more than a file or two of a few bytes, does so in a thread.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dockerlab.errors import InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, SIZE_LIMIT, Manifest
from dockerlab.registry import manifests
from dockerlab.registry.files import FileResponse
from dockerlab.registry.pages import asked, cut
from dockerlab.registry.refusals import HANDLERS, Refusal
from dockerlab.registry.settings import Limits
from dockerlab.registry.storage import Storage
from dockerlab.registry.subjects import Subjects
from dockerlab.registry.threads import shortly
from dockerlab.registry.uploads import Receiver, TooLarge, Upload

T = TypeVar("T")
# name := component ("/" component)*; distribution-spec § Pulling manifests
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_NAME_LIMIT = 255
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTENT_RANGE = re.compile(r"(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/(?:[0-9]+|\*))?")
_CATALOGUE_PAGE = 100  # what the Distribution project's registry gives when n is not said
CATALOGUE_MOST = 10_000
TAGS_PAGE = 1000
_SHORT = 32 * 1024  # bytes of a manifest; larger ones name much that is to be looked up
_UNSAID = Limits()


def application(
    storage: Storage, *, delete: bool = True, limits: Limits = _UNSAID, most: int = CATALOGUE_MOST
) -> Starlette:
    """The registry over `storage`; without `delete`, manifests and blobs cannot be removed.

    A page of the catalogue has at most `most` names.
    """
    app = Starlette(
        routes=[
            Route("/", _Alive),
            Route("/v2", _Base),
            Route("/v2/", _Base),
            Route("/v2/_catalog", _Catalogue),
            Route("/v2/{name:path}/tags/list", _Tags),
            Route("/v2/{name:path}/referrers/{digest}", _Referrers),
            Route("/v2/{name:path}/manifests/{reference}", _Manifest),
            Route("/v2/{name:path}/blobs/uploads/", _Uploads),
            Route("/v2/{name:path}/blobs/uploads/{upload}", _Upload),
            Route("/v2/{name:path}/blobs/{digest}", _Blob),
        ],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state.delete, app.state.limits, app.state.most = delete, limits, most
    app.state.storage, app.state.subjects = storage, Subjects(storage)
    app.state.receiver = Receiver()
    return app


class _Endpoint(HTTPEndpoint):
    @property
    def storage(self) -> Storage:
        storage: Storage = self.scope["app"].state.storage
        return storage

    @property
    def name(self) -> str:
        name: str = self.scope["path_params"]["name"]
        if not is_name(name):
            raise Refusal("NAME_INVALID", {"name": name})
        return name

    @property
    def digest(self) -> str:
        digest: str = self.scope["path_params"]["digest"]
        digests.split(digest)
        return digest

    @property
    def reference(self) -> str:
        reference: str = self.scope["path_params"]["reference"]
        return reference

    @property
    def limits(self) -> Limits:
        limits: Limits = self.scope["app"].state.limits
        return limits

    def may_delete(self) -> None:
        if not self.scope["app"].state.delete:
            raise Refusal("UNSUPPORTED")

    async def begin(self, name: str, algorithm: str) -> Upload:
        if self.storage.uploads() >= self.limits.uploads:
            raise Refusal("TOOMANYREQUESTS", headers={"Retry-After": "10"})
        return await shortly(self.storage.begin, name, algorithm)

    async def take(self, request: Request, upload: Upload, size: int, then: Callable[[], T]) -> T:
        """Add the request's body to an upload of `size` bytes; what gets too large is dropped."""
        receiver: Receiver = self.scope["app"].state.receiver
        most = self.limits.blobsize
        try:
            if size + int(request.headers.get("content-length", 0)) > most:
                raise TooLarge
            return await receiver.receive(upload, request.stream(), size, most, then)
        except TooLarge:
            await asyncio.to_thread(self.storage.finish, upload)
            message = "the blob is larger than limits.blobsize"
            raise Refusal("SIZE_INVALID", {"limit": most}, status=413, message=message) from None

    def end(self, name: str, digest: str, upload: Upload) -> None:
        """Make an upload a blob, or forget it."""
        try:
            self.storage.keep(name, digest, upload)
        finally:
            self.storage.finish(upload)


class _Alive(_Endpoint):
    async def get(self, request: Request) -> Response:
        return Response(headers={"Cache-Control": "no-cache"})


class _Base(_Endpoint):
    async def get(self, request: Request) -> Response:
        return _json({})


class _Catalogue(_Endpoint):
    async def get(self, request: Request) -> Response:
        most = self.scope["app"].state.most
        count, last = asked(request, min(_CATALOGUE_PAGE, most), most)
        names = await asyncio.to_thread(self.storage.repositories, last, count + 1)
        page, link = cut(request, names, count)
        return _json({"repositories": page}, link)


class _Tags(_Endpoint):
    async def get(self, request: Request) -> Response:
        name = self.name
        count, last = asked(request, TAGS_PAGE)
        tags = await asyncio.to_thread(self.storage.tags, name, last, count + 1)
        if tags is None:
            raise Refusal("NAME_UNKNOWN", {"name": name})
        page, link = cut(request, tags, count)
        return _json({"name": name, "tags": page}, link)


class _Referrers(_Endpoint):
    async def get(self, request: Request) -> Response:
        subjects: Subjects = self.scope["app"].state.subjects
        found = await asyncio.to_thread(subjects.referrers, self.name, self.digest)
        kind, headers = request.query_params.get("artifactType"), {}
        if kind is not None:
            found = [item for item in found if item.get("artifactType") == kind]
            headers = {"OCI-Filters-Applied": "artifactType"}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        return _json(index, headers, OCI_INDEX)


class _Manifest(_Endpoint):
    async def get(self, request: Request) -> Response:
        name, reference = self.name, self.reference
        if request.method == "HEAD" and ":" in reference:  # whoever asks may push what names it
            digests.split(reference)
            self.storage.promise_manifest(name, reference)
        digest, raw = manifests.find(self.storage, name, reference)
        headers = {"Docker-Content-Digest": digest, "Etag": f'"{digest}"'}
        if _is_unchanged(request, digest):
            return Response(None, 304, headers)
        return Response(raw, 200, headers, manifests.media_type(raw))

    async def put(self, request: Request) -> Response:
        name, reference, tags = self.name, self.reference, request.query_params.getlist("tag")
        media_type = _header(request, "content-type").partition(";")[0].strip()
        try:
            manifest = Manifest.parse(await _body(request, SIZE_LIMIT), media_type)
        except InvalidManifest as error:
            raise Refusal("MANIFEST_INVALID", error.reason) from None
        do = shortly if len(manifest.raw) <= _SHORT else asyncio.to_thread
        digest = await do(manifests.store, self.storage, name, reference, manifest, tags)
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        if manifest.subject:
            headers["OCI-Subject"] = manifest.subject.digest
        if tags and ":" in reference:
            headers["OCI-Tag"] = ", ".join(tags)
        return Response(None, 201, headers)

    async def delete(self, request: Request) -> Response:
        self.may_delete()
        await asyncio.to_thread(manifests.remove, self.storage, self.name, self.reference)
        return Response(None, 202)


class _Blob(_Endpoint):
    async def get(self, request: Request) -> Response:
        digest = self.digest
        # Whoever asks whether it is there may push a manifest that names it.
        find = self.storage.promise if request.method == "HEAD" else self.storage.blob
        blob = find(self.name, digest)
        if not blob:
            raise Refusal("BLOB_UNKNOWN", {"digest": digest})
        headers = about_blob(digest)
        if _is_unchanged(request, digest):
            return Response(None, 304, headers)
        return FileResponse(request, blob.path, blob.size, headers)

    async def delete(self, request: Request) -> Response:
        self.may_delete()
        digest = self.digest
        if not await shortly(self.storage.delete_blob, self.name, digest):
            raise Refusal("BLOB_UNKNOWN", {"digest": digest})
        return Response(None, 202)


class _Uploads(_Endpoint):
    async def post(self, request: Request) -> Response:
        name, query = self.name, request.query_params
        source = query.get("from")
        if "mount" in query and (source is None or is_name(source)):
            digest = query["mount"]
            digests.split(digest)
            if await shortly(self.storage.mount, name, digest, source):
                return _created(name, digest)
        if "digest" in query:
            return await self._single(request, name, query["digest"])
        upload = await self.begin(name, _algorithm(query.get("digest-algorithm", "sha256")))
        return _progress(name, upload, 0, 202)

    async def _single(self, request: Request, name: str, digest: str) -> Response:
        algorithm, _ = digests.split(digest)
        upload = await self.begin(name, algorithm)
        try:
            async with upload.turn:
                await self.take(request, upload, 0, partial(self.end, name, digest, upload))
        except BaseException:
            await shortly(self.storage.finish, upload)
            raise
        return _created(name, digest)


class _Upload(_Endpoint):
    async def get(self, request: Request) -> Response:
        name, upload = self.name, self._find()
        with suppress(asyncio.TimeoutError):  # a broken connection's last bytes are settling
            await asyncio.wait_for(upload.turn.acquire(), 1)
            upload.turn.release()
        return _progress(name, upload, _size(upload), 204)

    async def patch(self, request: Request) -> Response:
        async with self._turn(request) as (upload, size):
            size = await self.take(request, upload, size, lambda: upload.size)
            return _progress(self.name, upload, size, 202)

    async def put(self, request: Request) -> Response:
        name, digest = self.name, request.query_params.get("digest", "")
        algorithm, _ = digests.split(digest)
        async with self._turn(request) as (upload, size):
            upload.algorithm = algorithm
            await self.take(request, upload, size, partial(self.end, name, digest, upload))
        return _created(name, digest)

    async def delete(self, request: Request) -> Response:
        await asyncio.to_thread(self.storage.finish, self._find())
        return Response(None, 204)

    def _find(self) -> Upload:
        name, identifier = self.name, self.scope["path_params"]["upload"]
        if _UUID.fullmatch(identifier):
            upload = self.storage.upload(name, identifier)
            if upload:
                return upload
        raise Refusal("BLOB_UPLOAD_UNKNOWN")

    @asynccontextmanager
    async def _turn(self, request: Request) -> AsyncIterator[tuple[Upload, int]]:
        upload = self._find()
        try:
            async with upload.turn:
                size = _size(upload)
                _check_order(request, self.name, upload, size)
                yield upload, size
        except FileNotFoundError:  # cancelled meanwhile
            raise Refusal("BLOB_UPLOAD_UNKNOWN") from None


def _size(upload: Upload) -> int:
    try:
        return upload.size
    except FileNotFoundError:
        raise Refusal("BLOB_UPLOAD_UNKNOWN") from None


def _check_order(request: Request, name: str, upload: Upload, size: int) -> None:
    stated = _header(request, "content-range")
    if not stated:
        return
    match = _CONTENT_RANGE.fullmatch(stated)
    if not match or int(match[1]) != size or int(match[2]) < size:
        about, where = {"Content-Range": stated}, _where(name, upload, size)
        said = "invalid content range"
        raise Refusal("BLOB_UPLOAD_INVALID", about, status=416, message=said, headers=where)
    length = request.headers.get("content-length")
    if length is not None and int(length) != int(match[2]) - size + 1:
        raise Refusal("SIZE_INVALID", {"Content-Range": stated, "Content-Length": length})


def _header(request: Request, name: str) -> str:
    """A header, "" if it is not there; several of them as one, which is seldom a valid one."""
    return ",".join(request.headers.getlist(name))


async def _body(request: Request, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        pieces.append(chunk)
        size += len(chunk)
        if size > limit:
            raise Refusal("SIZE_INVALID", {"limit": limit}, status=413)
    return b"".join(pieces)


def _algorithm(name: str) -> str:
    if name not in digests.SIZES:
        raise Refusal("DIGEST_INVALID", {"digest-algorithm": name}, message="unknown algorithm")
    return name


def is_name(name: str) -> bool:
    """Whether a repository may have that name."""
    return len(name) <= _NAME_LIMIT and bool(_NAME.fullmatch(name))


def about_blob(digest: str) -> dict[str, str]:
    """The headers of an answer that gives a blob."""
    return {
        "Content-Type": "application/octet-stream",
        "Cache-Control": "max-age=31536000",
        "Docker-Content-Digest": digest,
        "Etag": f'"{digest}"',
    }


def _is_unchanged(request: Request, digest: str) -> bool:
    return request.headers.get("if-none-match") in (f'"{digest}"', digest)


def _json(
    data: Any, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    return Response(json.dumps(data), 200, headers, media_type)


def _created(name: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response(None, 201, headers)


def _progress(name: str, upload: Upload, size: int, status: int) -> Response:
    return Response(None, status, _where(name, upload, size))


def _where(name: str, upload: Upload, size: int) -> dict[str, str]:
    return {
        "Location": f"/v2/{name}/blobs/uploads/{upload.id}",
        "Range": f"0-{max(0, size - 1)}",
        "Docker-Upload-UUID": upload.id,
    }
