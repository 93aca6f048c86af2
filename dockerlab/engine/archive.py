"""`docker save` and `docker load`: images as one tar archive.

What is written is an OCI layout with docker's manifest.json on top, each blob as it is stored, so
that digests survive. What is read may also be docker's older form, with unpacked layers.
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

from dockerlab.engine.contents import reading, unpacked
from dockerlab.engine.image import ID, Image, read_config
from dockerlab.engine.images import ImageStore
from dockerlab.engine.words import NoSuchImage, Refused, invalid
from dockerlab.errors import DockerlabError, EngineError, InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.layout import REF_NAME
from dockerlab.image.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    SIZE_LIMIT,
    Descriptor,
    Manifest,
    encode,
)
from dockerlab.image.reference import InvalidReference, Reference

_CHUNK = 1024 * 1024
_LINKS = 8
_NO_MANIFEST = "invalid archive: does not contain a manifest.json"


def save(store: ImageStore, names: Sequence[str], target: IO[bytes]) -> None:
    """Write images to a tar; nothing is written if one of the names is wrong."""
    with store.busy():
        chosen = _chosen(store, names)
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            written: set[str] = set()
            for image, _ in chosen:
                for blob in (image.descriptor, *image.manifest.blobs):
                    if blob.digest not in written:
                        written.add(blob.digest)
                        with store.layout.open(blob) as file:
                            _add(archive, _path(blob.digest), file, blob.size)
            _add_json(archive, "oci-layout", {"imageLayoutVersion": "1.0.0"})
            _add_json(archive, "index.json", _index(chosen))
            _add_json(archive, "manifest.json", [_line(image, tags) for image, tags in chosen])


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


def _chosen(store: ImageStore, names: Sequence[str]) -> list[tuple[Image, list[Reference]]]:
    """The images to save, each once, with the tags to save of each."""
    found: dict[str, tuple[Image, list[Reference]]] = {}
    for text in names:
        for image, tags in _lookup(store, text):
            known = found.setdefault(image.id, (image, []))[1]
            known.extend(tag for tag in tags if tag not in known)
    return list(found.values())


def _lookup(store: ImageStore, text: str) -> Iterator[tuple[Image, list[Reference]]]:
    images = store.list()
    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        if len(text.removeprefix("sha256:")) != 64:
            raise invalid(error) from None
        yield store.find(text), []
        return
    bare = ":" not in text.rpartition("/")[2] and "@" not in text
    if bare:
        named = [
            (image, [name for name in image.names if name.locator == reference.locator])
            for image in images
        ]
        named = [(image, tags) for image, tags in named if tags]
        if named:
            yield from named
            return
    try:
        image = store.find(text)
    except NoSuchImage:
        raise Refused(f"No such image: {text}" if bare else "reference does not exist") from None
    yield image, [name for name in image.names if name == reference]


def _path(digest: str) -> str:
    return "blobs/" + "/".join(digests.split(digest))


def _line(image: Image, tags: Sequence[Reference]) -> dict[str, Any]:
    return {
        "Config": _path(image.id),
        "RepoTags": [tag.familiar for tag in tags] or None,
        "Layers": [_path(layer.digest) for layer in image.layers],
    }


def _index(chosen: Sequence[tuple[Image, Sequence[Reference]]]) -> dict[str, Any]:
    manifests: list[dict[str, Any]] = []
    for image, tags in chosen:
        plain = {
            "mediaType": image.descriptor.media_type,
            "digest": image.descriptor.digest,
            "size": image.descriptor.size,
        }
        manifests += [
            {**plain, "annotations": {"io.containerd.image.name": str(tag), REF_NAME: tag.tag}}
            for tag in tags
        ] or [plain]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    archive.addfile(member, file)


def _add_json(archive: tarfile.TarFile, name: str, data: Any) -> None:
    content = encode(data)
    _add(archive, name, io.BytesIO(content), len(content))


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
                raw = self._small(_path(entry.digest))
                manifest = Manifest.parse(raw, entry.media_type)
                named = [_path(layer.digest) for layer in manifest.layers]
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
        with self._open(_path(blob.digest)) as file, self._store.layout.writer(blob) as writer:
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
