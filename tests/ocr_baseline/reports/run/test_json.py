from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline, Phase
from ocr_baseline.model.run import Run, RunInfo
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import EXAMPLES, full_baseline, hostile_baseline


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_document_is_the_golden_file(
    name: str, assert_golden: Callable[[str, str], None]
) -> None:
    assert_golden(f"{name}.json", render_json(EXAMPLES[name]()))


@pytest.mark.parametrize("name", ["empty", "one_batch", "all_missing", "full"])
def test_a_document_comes_back_equal(name: str) -> None:
    document = EXAMPLES[name]()
    assert Baseline.model_validate_json(render_json(document)) == document


def test_schema_is_the_first_key_and_keys_keep_their_order() -> None:
    keys = list(json.loads(render_json(full_baseline())))
    assert keys[:3] == ["schema", "schema_version", "generated_at"]
    assert keys == list(json.loads(render_json(hostile_baseline())))


def test_a_number_that_is_not_finite_is_refused_by_the_model() -> None:
    with pytest.raises(ValidationError):
        Phase(name="train", total_s=float("nan"))


def test_a_run_that_was_read_with_a_number_that_is_not_finite_is_refused_too() -> None:
    with pytest.raises(ValidationError):
        analyze(Run(info=RunInfo(source="csv", duration_s=float("inf"))))


def test_a_number_that_is_not_finite_is_null_in_the_json() -> None:
    phase = Phase.model_construct(name="train", total_s=float("inf"), samples=None)
    config = {"threshold": float("nan"), "list": [float("-inf"), 1.5]}
    document = full_baseline()
    text = render_json(
        document.model_copy(
            update={
                "phases": [phase],
                "workload": document.workload.model_construct(config=config),
            }
        )
    )
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the JSON"))
    assert read["phases"][0]["total_s"] is None
    assert read["workload"]["config"] == {"threshold": None, "list": [None, 1.5]}


def test_a_lone_surrogate_does_not_keep_the_document_from_being_written() -> None:
    render_json(hostile_baseline()).encode("utf-8")
