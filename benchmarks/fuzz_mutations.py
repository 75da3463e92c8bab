"""Changes to inputs that keep what a reader checks first: JSON's grammar, lengths, checksums.

A fuzzer that flips bytes alone seldom comes past them.
"""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

Mutate = Callable[[bytes, int], bytes]
"""The fuzzer's own change of some bytes, up to a size."""

Mutator = Callable[[bytes, int, random.Random, Mutate], bytes]
"""A change of an input, up to a size."""

PLAIN_SHARE = 0.3
"""How often the fuzzer's own change is taken as it is."""

_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    10**400,
    0.5,
    -0.0,
    1e308,
    "",
    "train",
    "validation",
    "setup",
    "finished",
    "2026-01-01T00:00:00",
    "9999-12-31T23:59:59+23:59",
    "\ud800\u202e\x1b[31m",
    "=1+1",
    [],
    {},
    [[]],
    [0],
    {"": 0},
)
_WANDB_HEADER_BYTES = 7
_FRAGMENT = struct.Struct("<IHB")


def mutated_text(content: bytes, max_size: int, chance: random.Random, mutate: Mutate) -> bytes:
    """Exchange one cell for a value of another kind, or let the fuzzer change bytes."""
    cells = content.split(b",")
    if chance.random() < PLAIN_SHARE or len(cells) < 2:
        return mutate(content, max_size)
    value = chance.choice(_VALUES)
    cells[chance.randrange(len(cells))] = str(value).encode("utf-8", "replace")
    return b",".join(cells)[:max_size]


def mutated_json_lines(
    content: bytes, max_size: int, chance: random.Random, mutate: Mutate
) -> bytes:
    """Change one place inside one line's value, or let the fuzzer change bytes."""
    lines = content.split(b"\n")
    number = chance.randrange(len(lines))
    try:
        value = json.loads(lines[number].strip(b"\x00"))
    except (ValueError, RecursionError):
        return mutate(content, max_size)
    if chance.random() < PLAIN_SHARE or not isinstance(value, (dict, list)):
        return mutate(content, max_size)
    _change_place(value, chance)
    before, after = (b"\x00" if lines[number][at:][:1] == b"\x00" else b"" for at in (0, -1))
    text = json.dumps(value, separators=(",", ":")).encode("utf-8", "replace")
    lines[number] = before + text + after
    if chance.random() < 0.1:
        lines.insert(chance.randrange(len(lines)), lines[number].strip(b"\x00"))
    return b"\n".join(lines)[:max_size]


def _change_place(value: Any, chance: random.Random) -> None:
    """Walk down to a random place, and exchange, remove, double or number what stands there."""
    place = value
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = chance.choice(keys)
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or chance.random() < 0.25:
            break
        place = inner
    change = chance.randrange(5)
    if change == 0:
        del place[key]
    elif change == 1 and isinstance(place, list):
        place.insert(key, inner)
    elif change == 2 and isinstance(inner, (int, float)) and abs(inner) < 1e300:
        place[key] = inner * chance.choice((-1, 2, 1000, 10**12)) + chance.choice((0, 1, 0.5))
    elif change == 3:
        place[key] = place[chance.choice(keys)]
    else:
        place[key] = chance.choice(_VALUES)


def mutated_wandb_log(
    content: bytes, max_size: int, chance: random.Random, mutate: Mutate
) -> bytes:
    """Change one whole record and its checksum, or let the fuzzer change bytes."""
    if chance.random() < PLAIN_SHARE:
        return mutate(content, max_size)
    fragments = list(_fragments(content))
    if not fragments:
        return mutate(content, max_size)
    start, end, kind = chance.choice(fragments)
    record = _mutated_record(content[start + _FRAGMENT.size : end], chance, mutate)[: 2**15]
    crc = zlib.crc32(bytes([kind]) + record)
    changed = _FRAGMENT.pack(crc, len(record), kind) + record
    return (content[:start] + changed + content[end:])[:max_size]


def _fragments(content: bytes) -> list[tuple[int, int, int]]:
    """Return start, end and kind of the fragments of a file's first block."""
    found = []
    at = _WANDB_HEADER_BYTES
    while at + _FRAGMENT.size <= len(content):
        _, length, kind = _FRAGMENT.unpack_from(content, at)
        end = at + _FRAGMENT.size + length
        if end > len(content) or end == at + _FRAGMENT.size:
            break
        found.append((at, end, kind))
        at = end
    return found


def _mutated_record(content: bytes, chance: random.Random, mutate: Mutate) -> bytes:
    """Exchange the key or value of an item of a W&B record, or let the fuzzer change bytes."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
    from wandb.proto import wandb_internal_pb2

    try:
        record = wandb_internal_pb2.Record.FromString(content)  # type: ignore[attr-defined]  # generated
    except DecodeError:
        return mutate(content, len(content) + 100)
    items = [*record.history.item, *record.summary.update]
    if not items or chance.random() < PLAIN_SHARE:
        return mutate(content, len(content) + 100)
    part = "history" if record.HasField("history") else "summary"
    items = record.history.item if part == "history" else record.summary.update
    item = chance.choice(items)
    if chance.random() < 0.3:
        item.nested_key.append(chance.choice(("", "a", "performance/val_num_batches", "_step")))
    else:
        item.value_json = json.dumps(chance.choice(_VALUES))
    changed: bytes = record.SerializeToString()
    return changed


def mutated_events(content: bytes, max_size: int, chance: random.Random, mutate: Mutate) -> bytes:
    """Change one event of a TensorBoard file and its checksums, or let the fuzzer change bytes."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    events = []
    at = 0
    while at + 16 <= len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        if at + 16 + length > len(content):
            break
        events.append((at, at + 16 + length))
        at += 16 + length
    if not events or chance.random() < PLAIN_SHARE:
        return mutate(content, max_size)
    start, end = chance.choice(events)
    event = mutate(content[start + 12 : end - 4], end - start)
    size = struct.pack("<Q", len(event))
    checked = size + struct.pack("<I", masked_crc32c(size)) + event
    changed = checked + struct.pack("<I", masked_crc32c(event))
    return (content[:start] + changed + content[end:])[:max_size]
