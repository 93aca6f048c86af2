"""Layers made by code: a tar, gzipped to the same bytes on every machine.

zlib and its successors compress one content to different bytes, and a layer's digest names the
compressed ones. So the gzip here (RFC 1952) is written by hand, in the simplest form of DEFLATE
(RFC 1951) that makes a tar small: fixed codes, where only runs of zero bytes are shortened.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

MODIFIED = 1651276800  # 30 April 2022, the day of the lecture
_HEADER = bytes.fromhex("1f8b 08 00 00000000 00 ff")  # no name, no time, no system
_RUNS = re.compile(rb"\0{3,}|.", re.DOTALL)


def tar(path: str, content: bytes, mode: int = 0o644) -> bytes:
    """A tar of one file, at `path` (no leading slash), and of the folders that it is in."""
    return tree({path: (content, mode)})


def tree(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A tar of files, each a path with its content and mode, and of the folders they are in."""
    target, made = io.BytesIO(), set()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, (content, mode) in sorted(files.items()):
            for folder in reversed(PurePosixPath(path).parents[:-1]):
                if folder not in made:
                    made.add(folder)
                    archive.addfile(_member(str(folder), tarfile.DIRTYPE, 0o755))
            member = _member(path, tarfile.REGTYPE, mode)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def gzip(content: bytes) -> bytes:
    """`content` as gzip; the same bytes for the same content, always."""
    bits = size = 0
    for code, length in _codes(content):
        bits |= code << size
        size += length
    packed = bits.to_bytes((size + 7) // 8, "little")
    return _HEADER + packed + struct.pack("<II", zlib.crc32(content), len(content))


def _codes(content: bytes) -> Iterator[tuple[int, int]]:
    """DEFLATE's codes for `content`: each with its number of bits, first bit lowest."""
    yield 0b011, 3  # the last block, with fixed codes
    for run in _RUNS.findall(content):
        yield _literal(run[0])
        left = len(run) - 1
        while left >= 3:
            step = 258 if left >= 258 else min(left, 10)
            yield _symbol(285 if step == 258 else 254 + step)
            yield 0, 5  # … from one byte before: the zero again
            left -= step
        for _ in range(left):
            yield _literal(0)
    yield _symbol(256)


def _literal(byte: int) -> tuple[int, int]:
    return _flip(0x30 + byte, 8) if byte < 144 else _flip(0x190 + byte - 144, 9)


def _symbol(symbol: int) -> tuple[int, int]:
    return _flip(symbol - 256, 7) if symbol < 280 else _flip(0xC0 + symbol - 280, 8)


def _flip(code: int, length: int) -> tuple[int, int]:
    return int(f"{code:0{length}b}"[::-1], 2), length


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, MODIFIED
    return member
