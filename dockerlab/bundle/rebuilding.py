"""Wheels made again from what is installed here: no internet, and just what was tried.

An installer leaves a list of what it put where (RECORD), with digests. That is a wheel, but for
the commands in `bin/`, which each installer writes for its own place, and compiled bytecode.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from dockerlab import workspace

Files = Mapping[str, tuple[bytes, bool]]  # by name: what is in it, and whether it can be run

_DATE = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"}
_OURS = "Wheel-Version: 1.0\nGenerator: dockerlab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_VERSIONED = re.compile(r"-?\d+(\.\d+)?$")  # pip3.11
_SHEBANG = re.compile(rb"#!.*python[^\n]*\n")


class Unfit(Exception):
    """No wheel can be made of a package; says why, in English and technically."""


def rebuild(name: str, folder: Path) -> Path:
    """The wheel of an installed package, in `folder`; PackageNotFoundError, or Unfit."""
    found = distribution(name)
    if name == "dockerlab" and _is_elsewhere(found):
        return _pack(folder, found, _OURS, _our_files(found))
    about = found.read_text("WHEEL")
    if about is None or found.read_text("RECORD") is None:
        raise Unfit("it was not installed from a wheel")
    if json.loads(found.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable"):
        raise Unfit("it is installed as editable")
    return _pack(folder, found, about, dict(_files(found)))


def _pack(folder: Path, found: Distribution, about: str, files: Files) -> Path:
    """Write a wheel: sorted and of one date, so that the same files give the same bytes."""
    stem = _stem(found)
    headers = [line.split(": ", 1) for line in about.splitlines() if ": " in line]
    tags = [value.split("-") for key, value in headers if key == "Tag"]
    build = [value for key, value in headers if key == "Build"]
    compressed = [".".join(dict.fromkeys(each)) for each in zip(*tags, strict=True)]
    path = folder / f"{'-'.join([stem, *build, *compressed])}.whl"
    info = f"{stem}.dist-info"
    whole = {**files, f"{info}/WHEEL": (about.encode(), False)}
    order = sorted(whole, key=lambda name: (name.startswith(info), name))
    record = f"{info}/RECORD"
    lines = [_line(name, whole[name][0]) for name in order] + [f"{record},,\n"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in order:
            _write(archive, name, *whole[name])
        _write(archive, record, "".join(lines).encode(), False)
    return path


def _line(name: str, content: bytes) -> str:
    quoted = f'"{name}"' if "," in name else name
    return f"{quoted},sha256={_hash(content)},{len(content)}\n"


def _write(archive: zipfile.ZipFile, name: str, content: bytes, runs: bool) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, which has modes
    entry.external_attr = (0o100755 if runs else 0o100644) << 16
    archive.writestr(entry, content)


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _stem(found: Distribution) -> str:
    """`name-version`, as its dist-info folder spells it."""
    return _info(found).name.removesuffix(".dist-info")


def _info(found: Distribution) -> Path:
    about = found.metadata
    name, end = canonicalize_name(about["Name"]), f"-{about['Version']}.dist-info"
    for path in Path(str(found.locate_file(""))).glob(f"*{end}"):
        if canonicalize_name(path.name.removesuffix(end)) == name:
            return path
    raise Unfit("it has no .dist-info folder")


def _files(found: Distribution) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    """What a package's RECORD lists, by the names that a wheel has for it."""
    base, info = Path(str(found.locate_file(""))), _info(found)
    stem, commands, places = _stem(found), _commands(found), _places(base)
    for name, digest, *_rest in csv.reader((found.read_text("RECORD") or "").splitlines()):
        path = Path(os.path.normpath(base / name))
        if path.suffix == ".pyc" or (path.parent == info and path.name in _LEFT_OUT):
            continue
        root, kind = next(
            ((root, kind) for root, kind in places if path.is_relative_to(root)), (None, "")
        )
        if root is None:
            raise Unfit(f"{path} is outside of the installation")
        inner = path.relative_to(root).as_posix()
        if kind == "scripts" and _command(inner) in commands:
            continue
        try:
            content = path.read_bytes()
        except OSError:
            raise Unfit(f"{path} is missing") from None
        if digest.startswith("sha256=") and digest != f"sha256={_hash(content)}":
            raise Unfit(f"{path} was changed after it was installed")
        if kind == "scripts":
            content = (
                _SHEBANG.sub(b"#!python\n", content, count=1) if _is_script(content) else content
            )
        yield f"{stem}.data/{kind}/{inner}" if kind else inner, (content, os.access(path, os.X_OK))


def _is_script(content: bytes) -> bool:
    return _SHEBANG.match(content) is not None


def _places(base: Path) -> list[tuple[Path, str]]:
    """Where an installer puts what, by the part of a wheel that it comes from."""
    for scheme in (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")):
        paths = {key: Path(value) for key, value in sysconfig.get_paths(scheme).items()}
        roots = (paths["purelib"], paths["platlib"])
        if base in roots:
            inner = [(root, "") for root in (base, *roots)]
            return [*inner, (paths["scripts"], "scripts"), (paths["data"], "data")]
    raise Unfit(f"{base} is not where packages are installed")


def _commands(found: Distribution) -> set[str]:
    kinds = ("console_scripts", "gui_scripts")
    return {_command(point.name) for point in found.entry_points if point.group in kinds}


def _command(name: str) -> str:
    """The name of a command without what installers add: `.exe`, `-script.py`, pip's version."""
    for end in (".exe", "-script.py", "-script.pyw"):
        name = name.removesuffix(end)
    return _VERSIONED.sub("", name) if name.startswith("pip") else name


def _is_elsewhere(found: Distribution) -> bool:
    """Whether the package that runs is not the installed one: an editable one, or a checkout."""
    package = Path(workspace.__file__).parent
    return package != Path(str(found.locate_file("dockerlab")))


def _our_files(found: Distribution) -> dict[str, tuple[bytes, bool]]:
    """What the build puts into our own wheel."""
    package = Path(workspace.__file__).parent
    files = dict(_tree(package, "dockerlab"))
    files |= _tree(workspace.course(), "dockerlab/notebooks")
    info = _info(found)
    for path in sorted(info.rglob("*")):
        if path.is_file() and path.name not in {*_LEFT_OUT, "WHEEL"}:
            name = path.relative_to(info.parent).as_posix()
            files[name] = (path.read_bytes(), False)
    return files


def _tree(root: Path, name: str) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    for path in sorted(root.rglob("*")):
        inner = PurePosixPath(path.relative_to(root).as_posix())
        hidden = any(part.startswith((".", "__pycache__")) for part in inner.parts)
        if path.is_file() and not hidden:
            yield f"{name}/{inner}", (path.read_bytes(), os.access(path, os.X_OK))
