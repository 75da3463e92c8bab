"""W&B files, block by block, as the client writes them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.wandb.log import BLOCK_BYTES, LogState, read_log

HEADER = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
FRAGMENT_HEADER_BYTES = 7


def log_of(*records: bytes) -> bytes:
    """The file that holds the records, cut into fragments at the borders of blocks."""
    out = bytearray(HEADER)
    for record in records:
        rest, is_first = record, True
        while True:
            room = BLOCK_BYTES - len(out) % BLOCK_BYTES
            if room < FRAGMENT_HEADER_BYTES:
                out += bytes(room)
                room = BLOCK_BYTES
            part = rest[: room - FRAGMENT_HEADER_BYTES]
            rest = rest[len(part) :]
            kind = (1 if not rest else 2) if is_first else (4 if not rest else 3)
            crc = zlib.crc32(bytes([kind]) + part)
            out += struct.pack("<IHB", crc, len(part), kind) + part
            is_first = False
            if not rest:
                break
    return bytes(out)


def records_in(folder: Path, content: bytes) -> tuple[list[bytes], LogState]:
    path = folder / "run-x.wandb"
    path.write_bytes(content)
    state = LogState()
    return list(read_log(path, state)), state


SMALL = [f"record {number}".encode() for number in range(20_000)]
LARGE = [b"a" * 3, b"b" * (3 * BLOCK_BYTES), b"c" * (BLOCK_BYTES - 40), b"d" * 100]


@pytest.mark.parametrize("records", [[], SMALL, LARGE, [b""]], ids=["none", "small", "large", "0"])
def test_every_record_is_read_whole_and_in_order(tmp_path: Path, records: list[bytes]) -> None:
    read, state = records_in(tmp_path, log_of(*records))

    assert read == records
    assert state == LogState()


def test_a_flipped_byte_costs_the_rest_of_its_block_only(tmp_path: Path) -> None:
    content = bytearray(log_of(*SMALL))
    content[BLOCK_BYTES + 100] ^= 0xFF

    read, state = records_in(tmp_path, bytes(content))

    assert state == LogState(damaged_blocks=1)
    lost = set(SMALL) - set(read)
    assert set(read) < set(SMALL)
    assert 0 < sum(len(record) + FRAGMENT_HEADER_BYTES for record in lost) <= BLOCK_BYTES + 40


def test_a_record_with_a_damaged_part_is_left_out_whole(tmp_path: Path) -> None:
    content = bytearray(log_of(*LARGE))
    content[2 * BLOCK_BYTES + 100] ^= 0xFF

    read, state = records_in(tmp_path, bytes(content))

    assert read == [LARGE[0], LARGE[2], LARGE[3]]
    assert state.damaged_blocks == 1


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("records", [SMALL, LARGE], ids=["small", "large"])
def test_a_file_that_was_cut_off_gives_what_is_whole(
    tmp_path: Path, records: list[bytes], kept: float
) -> None:
    content = log_of(*records)

    read, state = records_in(tmp_path, content[: int(len(content) * kept)])

    assert read == records[: len(read)]
    assert state.is_cut_off
    assert state.damaged_blocks == 0


def test_blocks_padded_with_zeros_end_silently(tmp_path: Path) -> None:
    read, state = records_in(tmp_path, log_of(b"one") + bytes(5 * BLOCK_BYTES))

    assert read == [b"one"]
    assert state == LogState()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (HEADER[:5], "empty"),
        (b"PK\x03\x04 something else", "doesn't begin like one"),
        (HEADER[:6] + b"\x07", "version 7"),
    ],
)
def test_what_is_no_log_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        records_in(tmp_path, content)
