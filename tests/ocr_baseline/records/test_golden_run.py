"""Records that an earlier release wrote give the numbers that the same release told.

`golden_run` holds the records of two real trainings (two loader workers, named sections,
validation; one was killed with SIGKILL), and the documents that were made of them then, without
their findings and notes: those are wording.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.records import reader

GOLDEN_RUN = Path(__file__).parent / "golden_run"
MEASURED = ("phases", "operations", "workers", "train_vs_validation", "memory", "environment")


def measured(baseline: Baseline, part: str) -> Any:
    """Return a part of a document as plain values; a later release may have added some."""
    return baseline.model_dump(mode="json", exclude_unset=True)[part]


def assert_holds(found: Any, expected: Any) -> None:
    """Each value that is expected is found, whatever else is."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert_holds(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, value in zip(found, expected, strict=True):
            assert_holds(one, value)
    elif isinstance(expected, float):
        # Sums and quantiles of other versions of NumPy and SciPy differ in their last digits.
        assert found == pytest.approx(expected, rel=1e-9)
    else:
        assert found == expected


@pytest.mark.parametrize("part", MEASURED)
@pytest.mark.parametrize("name", ["finished", "killed"])
def test_records_of_an_earlier_release_give_the_numbers_that_it_told(name: str, part: str) -> None:
    told = read_baseline(GOLDEN_RUN / name / "baseline.json")
    read = analyze(reader.load(GOLDEN_RUN / name))

    assert told.model_dump()[part] or (name, part) == ("killed", "train_vs_validation")
    assert_holds(read.model_dump(mode="json")[part], measured(told, part))


@pytest.mark.parametrize(
    ("name", "status", "batches"),
    [("finished", "finished", [12, 12]), ("killed", "unknown", [5])],
)
def test_how_the_run_of_an_earlier_release_ended_is_read(
    name: str, status: str, batches: list[int]
) -> None:
    told = read_baseline(GOLDEN_RUN / name / "baseline.json")
    read = analyze(reader.load(GOLDEN_RUN / name))

    assert read.run.status == status
    assert [phase.batches for phase in read.phases] == batches
    assert read.run.duration_s == told.run.duration_s
    assert read.measurement.overhead_s == told.measurement.overhead_s
    assert read.measurement.background_cpu_s == told.measurement.background_cpu_s
