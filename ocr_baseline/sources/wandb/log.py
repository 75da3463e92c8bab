"""The records of a `run-ID.wandb` file: LevelDB's log format with a header of W&B's own.

The file is a sequence of blocks of 32 KiB. A record is one fragment or several (first, middle,
last), each with a CRC-32 of its type and content, its length and its type; no fragment crosses a
block's border, so after damage reading goes on with the next block.
https://github.com/google/leveldb/blob/main/doc/log_format.md
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import open_regular, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK_BYTES = 32 * 1024
MAX_RECORD_BYTES = 64 * 2**20
"""A longer record is left out; metrics are a few kilobytes, media are files of their own."""

_FILE_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC = b":W&B", 0xBEE1
_FRAGMENT_HEADER = struct.Struct("<IHB")
_DAMAGE, _FULL, _FIRST, _MIDDLE, _LAST = range(5)
_CRC_OF_TYPE = tuple(zlib.crc32(bytes([kind])) for kind in range(5))


@dataclass
class LogState:
    """What a reading met; complete when the iteration is over."""

    damaged_blocks: int = 0
    is_cut_off: bool = False


def read_log(path: Path, state: LogState) -> Iterator[bytes]:
    """Yield each whole record in order; damage and a missing end are told in `state`.

    Raises:
        SourceError: The file can't be opened or is no W&B log.
    """
    try:
        with open_regular(path) as stream:
            _check_header(path, stream.read(_FILE_HEADER.size))
            yield from _records(_fragments(stream, state), state)
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {reason(error)}") from error


def _check_header(path: Path, header: bytes) -> None:
    if len(header) < _FILE_HEADER.size:
        raise SourceError(f"{path}: the file is empty: nothing of the run had been written to it")
    ident, magic, version = _FILE_HEADER.unpack(header)
    if (ident, magic) != (_IDENT, _MAGIC):
        raise SourceError(f"{path}: not the file of a W&B run: it doesn't begin like one")
    if version != 0:
        raise SourceError(f"{path}: a W&B file of version {version}, which is not known here")


def _records(fragments: Iterator[tuple[int, bytes]], state: LogState) -> Iterator[bytes]:
    parts: list[bytes] | None = None
    for kind, content in fragments:
        if kind == _FULL:
            parts = None
            yield content
        elif kind == _FIRST:
            parts = [content]
        elif parts is not None and kind in (_MIDDLE, _LAST):
            parts = [*parts, content] if len(parts) * BLOCK_BYTES < MAX_RECORD_BYTES else None
            if parts is not None and kind == _LAST:
                yield b"".join(parts)
                parts = None
        else:  # damage, or the rest of a record whose beginning was damaged
            parts = None
    state.is_cut_off |= parts is not None


def _fragments(stream: IO[bytes], state: LogState) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each whole fragment, and `_DAMAGE` where a block's rest is lost."""
    block = stream.read(BLOCK_BYTES - _FILE_HEADER.size)
    while block:
        following = stream.read(BLOCK_BYTES)
        at = 0
        while len(block) - at >= _FRAGMENT_HEADER.size:
            crc, length, kind = _FRAGMENT_HEADER.unpack_from(block, at)
            start = at + _FRAGMENT_HEADER.size
            at = start + length
            if kind == length == crc == 0:  # the block was padded
                break
            if at > len(block) and not following:
                state.is_cut_off = True
                break
            content = block[start:at]
            if at > len(block) or kind > _LAST or zlib.crc32(content, _CRC_OF_TYPE[kind]) != crc:
                state.damaged_blocks += 1
                yield _DAMAGE, b""
                break
            yield kind, content
        else:
            state.is_cut_off |= not following and any(block[at:])
        block = following
