"""`docker load`: images out of a tar, whoever wrote it.

It may be docker's older form, with unpacked layers. Nothing is unpacked to where its names say.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast

from dockerlab.engine.archive import blob_path
from dockerlab.engine.contents import reading, unpacked
from dockerlab.engine.image import ID, read_config
from dockerlab.engine.images import ImageStore
from dockerlab.errors import DockerlabError, EngineError, InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    MANIFESTS,
    SIZE_LIMIT,
    Descriptor,
    Manifest,
    encode,
)
from dockerlab.image.reference import InvalidReference, Reference

_CHUNK = 1024 * 1024
_LINKS = 8
_NO_MANIFEST = "invalid archive: does not contain a manifest.json"


def load(store: ImageStore, source: IO[bytes]) -> list[str]:
    """Read images from a tar, packed or not, and return docker's lines.

    A broken archive changes nothing; EngineError in docker's words.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(_tar(source))
        stack.enter_context(store.busy())
        reader = _Reader(store, archive)
        images = [(reader.image(line), _tags(line)) for line in reader.lines()]
        return [text for described, tags in images for text in _name(store, described, tags)]


@contextmanager
def _tar(source: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """The tar in `source`, to be read at any place: through a copy if need be."""
    with tempfile.TemporaryFile() as copy, reading():
        if not source.seekable():
            with tempfile.TemporaryFile() as whole:
                shutil.copyfileobj(source, whole, _CHUNK)
                whole.seek(0)
                shutil.copyfileobj(unpacked(cast("IO[bytes]", whole)), copy, _CHUNK)
        elif (plain := unpacked(source)) is not source:
            shutil.copyfileobj(plain, copy, _CHUNK)
        else:
            copy.close()
        file = source if copy.closed else cast("IO[bytes]", copy)
        file.seek(0)
        size = file.seek(0, io.SEEK_END)
        if not size:
            raise EngineError(_NO_MANIFEST)
        if size % tarfile.BLOCKSIZE:
            raise EOFError
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:") as archive:
            yield archive


class _Reader:
    """Reads images out of an archive; nothing is ever unpacked to where its names say."""

    def __init__(self, store: ImageStore, archive: tarfile.TarFile) -> None:
        self._store, self._archive = store, archive
        self._members = {posixpath.normpath(m.name): m for m in archive.getmembers()}

    def lines(self) -> list[dict[str, Any]]:
        """What manifest.json lists."""
        if "manifest.json" not in self._members:
            raise EngineError(_NO_MANIFEST)
        try:
            lines = json.loads(self._small("manifest.json"))
            if not isinstance(lines, list):
                raise TypeError
            for line in lines:
                if not isinstance(line["Config"], str) or not _strings(line.get("Layers")):
                    raise TypeError
                if not _strings(line.get("RepoTags")):
                    raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise EngineError("invalid archive: manifest.json is not readable") from None
        return list(lines)

    def image(self, line: dict[str, Any]) -> Descriptor:
        """Put one image into the layout and return what points to it; it gets no name yet."""
        config = self._small(line["Config"])
        paths = line.get("Layers") or []
        diff_ids = read_config(config)["rootfs"]["diff_ids"]
        if len(paths) != len(diff_ids):
            raise EngineError(
                f"invalid manifest, layers length mismatch: expected {len(diff_ids)}, "
                f"got {len(paths)}"
            )
        manifest = self._verbatim(digests.of(config), paths) or self._made(config, paths, diff_ids)
        added = self._store.layout.add(manifest.raw, manifest.media_type)
        return self._store.describe(added)

    def _verbatim(self, image: str, paths: Sequence[str]) -> Manifest | None:
        """The image's own manifest, if the archive has it and all that it names."""
        try:
            entries = json.loads(self._small("index.json"))["manifests"]
            for entry in map(Descriptor.from_json, entries):
                if entry.media_type not in MANIFESTS:
                    continue
                raw = self._small(blob_path(entry.digest))
                manifest = Manifest.parse(raw, entry.media_type)
                named = [blob_path(layer.digest) for layer in manifest.layers]
                if manifest.config and manifest.config.digest == image and named == list(paths):
                    for blob in manifest.blobs:
                        self._copy(blob)
                    return manifest
        except (EngineError, InvalidManifest, ValueError, TypeError, KeyError):
            pass
        return None

    def _copy(self, blob: Descriptor) -> None:
        if self._store.layout.has(blob):
            return
        with self._open(blob_path(blob.digest)) as file, self._store.layout.writer(blob) as writer:
            while chunk := file.read(_CHUNK):
                writer.write(chunk)

    def _made(self, config: bytes, paths: Sequence[str], diff_ids: Sequence[str]) -> Manifest:
        """A manifest for an image that comes without one, its layers packed."""
        layout = self._store.layout
        layers = [
            self._pack(number, path, diff_id)
            for number, (path, diff_id) in enumerate(zip(paths, diff_ids, strict=True))
        ]
        data = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": layout.add(config, DOCKER_CONFIG).to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
        return Manifest.parse(encode(data))

    def _pack(self, number: int, path: str, diff_id: str) -> Descriptor:
        with self._open(path) as file, tempfile.TemporaryFile() as packed:
            found = hashlib.sha256()
            with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as target:
                tar = unpacked(file)
                while chunk := tar.read(_CHUNK):
                    found.update(chunk)
                    target.write(chunk)
            if f"sha256:{found.hexdigest()}" != diff_id:
                raise EngineError(
                    f'invalid diffID for layer {number}: expected "{diff_id}", '
                    f'got "sha256:{found.hexdigest()}"'
                )
            packed.seek(0)
            size, digest = 0, hashlib.sha256()
            while chunk := packed.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
            packed.seek(0)
            blob = Descriptor(DOCKER_LAYER_GZIP, f"sha256:{digest.hexdigest()}", size)
            if not self._store.layout.has(blob):
                with self._store.layout.writer(blob) as writer:
                    while chunk := packed.read(_CHUNK):
                        writer.write(chunk)
            return blob

    def _open(self, path: str) -> IO[bytes]:
        """A file of the archive; links lead to other files of the archive, never out of it."""
        name = posixpath.normpath(path)
        for _ in range(_LINKS):
            member = self._members.get(name)
            if member is None:
                break
            if member.isreg():
                return cast("IO[bytes]", self._archive.extractfile(member))
            if member.issym():
                name = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
            elif member.islnk():
                name = posixpath.normpath(member.linkname)
            else:
                break
        raise EngineError(f"open {path}: no such file or directory")

    def _small(self, path: str) -> bytes:
        with self._open(path) as file:
            content = file.read(SIZE_LIMIT + 1)
        if len(content) > SIZE_LIMIT:
            raise EngineError(f"invalid archive: {path} is too large")
        return content


def _strings(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _tags(line: dict[str, Any]) -> list[Reference]:
    try:
        return [Reference.parse(text) for text in line.get("RepoTags") or []]
    except InvalidReference as error:
        raise EngineError(error.docker) from None


def _name(store: ImageStore, described: Descriptor, tags: Sequence[Reference]) -> Iterator[str]:
    """Give a loaded image its names."""
    image = described.annotations[ID]
    if not tags:
        if not any(image == known.id for known in store.list()):
            store.point({None: described})
        yield f"Loaded image ID: {image}"
    for tag in tags:
        try:
            old = store.find(str(tag)).id
        except DockerlabError:
            old = image
        store.point({str(tag): described})
        if old != image:
            yield (
                f"The image {tag.familiar} already exists, renaming the old one with ID {old} "
                "to empty string"
            )
        yield f"Loaded image: {tag.familiar}"
