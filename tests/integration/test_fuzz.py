"""The fuzzer's targets and mutations, run without Atheris for a moment."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.fuzz import TARGET_NAMES
from benchmarks.fuzz_targets import TARGETS

CHANGES = 40
MAX_BYTES = 64 * 1024


def test_every_target_can_be_named() -> None:
    assert tuple(TARGETS) == TARGET_NAMES


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_with_is_read_and_what_becomes_of_it_gives_a_reading_or_an_error(
    name: str, tmp_path: Path
) -> None:
    target = TARGETS[name]
    chance = random.Random(0)  # noqa: S311 - changes of inputs, no secrets

    def change_a_byte(content: bytes, max_size: int) -> bytes:
        changed = bytearray(content[:max_size] or b"\0")
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        return bytes(changed)

    for seed in target.seeds():
        target.test(seed, tmp_path)
        assert target.read(tmp_path).phases, "a real file with numbers in it"
        content = seed
        for number in range(CHANGES):
            content = target.mutate(content, MAX_BYTES, random.Random(number), change_a_byte)  # noqa: S311 - as above
            assert len(content) <= MAX_BYTES
            target.test(content, tmp_path)
