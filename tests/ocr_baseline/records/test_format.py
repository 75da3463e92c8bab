"""The record format, as its types say it, as it is documented and as it is written."""

from __future__ import annotations

import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.records import format as record_format
from ocr_baseline.records.format import HeaderFields, Record

REPOSITORY = Path(__file__).parents[3]
GOLDEN_RUN = Path(__file__).parent / "golden_run"


def keys_of_kinds() -> dict[str, set[str]]:
    """Return the keys of each kind of record, by the value of its `type`."""
    kinds = {}
    for kind in typing.get_args(Record):
        (name,) = re.findall(r"Literal\['(\w+)'\]", str(kind.__annotations__["type"]))
        kinds[name] = set(kind.__annotations__)
    return kinds


def written() -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(GOLDEN_RUN.glob("*/*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def test_every_kind_of_record_and_every_key_of_a_header_is_documented() -> None:
    document = (REPOSITORY / "docs" / "records.md").read_text()
    documented = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"(?m)^\| (`.*?) \|", document))))

    assert documented >= set(keys_of_kinds())
    assert documented >= set(HeaderFields.__annotations__)
    assert record_format.FORMAT_NAME in document


@pytest.mark.parametrize("kind", sorted(keys_of_kinds()))
def test_what_was_written_has_the_keys_of_its_type(kind: str) -> None:
    keys = keys_of_kinds()[kind]
    for record in written():
        if record["type"] == kind:
            assert set(record) <= keys
