"""What is known of an environment, however its entries were written."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from ocr_baseline.model.document import Environment


@pytest.mark.parametrize(
    "count", ["4", True, 0, -1, 4.0, 10**400, [4], None], ids=lambda value: str(value)[:8]
)
def test_a_processor_count_that_is_no_count_is_unknown_and_stays_in_the_document(
    count: JsonValue,
) -> None:
    environment = Environment(identity={"cpu_count": count, "own_key": 1})

    assert environment.known.cpu_count is None
    assert environment.model_dump(mode="json")["identity"] == {"cpu_count": count, "own_key": 1}


@pytest.mark.parametrize("load", [10**400, True, "1"], ids=lambda v: str(v)[:8])
def test_a_load_that_is_no_finite_number_is_unknown(load: JsonValue) -> None:
    assert Environment(volatile={"load_avg_1min": load}).known.load_avg_1min is None


def test_what_is_known_comes_from_both_parts_and_a_version_may_be_a_number() -> None:
    environment = Environment(identity={"python": 3.11, "num_workers": 0}, volatile={"os": "L"})

    known = environment.known

    assert (known.python, known.num_workers, known.os) == ("3.11", 0, "L")
