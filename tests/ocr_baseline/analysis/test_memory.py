from __future__ import annotations

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Memory, Utilization
from ocr_baseline.model.run import MemorySamples
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import memory_samples, run, stage, table

MIB = 2**20


def memory_of(samples: MemorySamples) -> Memory:
    found = analyze(run(memory=samples)).memory
    assert found is not None
    return found


def test_memory_has_a_start_an_end_a_peak_and_a_mean() -> None:
    found = memory_of(memory_samples([1.0, 5.0, 3.0], 0.0)).main_rss_bytes
    assert found is not None
    assert (found.start, found.end, found.peak, found.mean) == (1.0, 3.0, 5.0, 3.0)


def test_steady_growth_is_found_to_the_byte() -> None:
    growing = np.arange(41) * MIB  # every 5 s: 12 MiB a minute
    found = memory_of(memory_samples(growing, 100.0 * MIB))
    tree, workers = found.process_tree_rss_bytes, found.workers_rss_bytes
    assert tree is not None
    assert tree.growth_bytes_per_min == pytest.approx(12 * MIB)
    assert tree.growth_low_bytes_per_min == pytest.approx(12 * MIB)
    assert workers is not None
    assert workers.growth_bytes_per_min == 0.0


def test_what_a_run_allocates_as_it_starts_is_no_growth() -> None:
    starting = np.concatenate([np.arange(20) * 50.0 * MIB, np.full(22, 1000.0 * MIB)])
    found = memory_of(memory_samples(starting, 0.0)).process_tree_rss_bytes
    assert found is not None
    assert found.growth_bytes_per_min == 0.0


def test_a_short_run_has_no_growth() -> None:
    found = memory_of(memory_samples(np.arange(12) * MIB, 0.0)).process_tree_rss_bytes
    assert found is not None
    assert found.growth_bytes_per_min is None


def test_a_value_that_was_never_read_is_not_measured() -> None:
    found = memory_of(memory_samples([1.0, 2.0], [np.nan, np.nan]))
    assert found.workers_rss_bytes is None
    assert found.process_tree_rss_bytes is None
    assert found.main_rss_bytes is not None


def test_gaps_in_a_column_are_left_out() -> None:
    found = memory_of(memory_samples([np.nan, 2.0, np.nan, 4.0], 0.0)).main_rss_bytes
    assert found is not None
    assert (found.start, found.mean, found.end) == (2.0, 3.0, 4.0)


def test_how_busy_the_accelerator_was_is_told_for_each_phase_that_has_readings() -> None:
    samples = memory_samples(
        np.ones(5),
        0.0,
        stages=("setup", "train", "train", "train", "validation"),
        accelerator_utilization_percent=np.asarray([0.0, 50.0, np.nan, 100.0, np.nan]),
        accelerator_allocated_peak_bytes=1.0,
    )
    batches = table(24, {"forward": 1.0})
    found = analyze(
        run(stage(Stage.TRAIN, batches), stage(Stage.VALIDATION, batches), memory=samples)
    )

    assert found.phases[0].accelerator_utilization == Utilization(
        samples=2,
        mean_percent=75.0,
        min_percent=50.0,
        max_percent=100.0,
        p5_percent=52.5,
        p95_percent=97.5,
        mean_low_percent=26.0,
        mean_high_percent=100.0,
    )
    assert found.phases[1].accelerator_utilization is None
    assert "accelerator_utilization" not in {entry.metric for entry in found.missing}


def test_an_accelerator_whose_driver_was_not_asked_says_what_to_install() -> None:
    missing = analyze(
        run(memory=memory_samples([1.0], 0.0, accelerator_allocated_peak_bytes=1.0))
    ).missing

    (entry,) = [one for one in missing if one.metric == "accelerator_utilization"]
    assert "ocr-baseline[nvml]" in (entry.detail or "")


def test_an_accelerator_is_there_when_a_peak_of_it_is_known() -> None:
    without = memory_of(memory_samples([1.0], 0.0))
    assert without.accelerator is None
    found = memory_of(memory_samples([1.0], 0.0, accelerator_allocated_peak_bytes=0.0)).accelerator
    assert found is not None
    assert (found.allocated_peak_bytes, found.reserved_peak_bytes) == (0.0, None)


def test_a_phase_has_the_allocators_own_peak_where_it_raised_that_and_what_lay_unused() -> None:
    samples = memory_samples(
        [1.0, 1.0, 1.0, 1.0],
        0.0,
        stages=("train", "train", "validation", "validation"),
        accelerator_allocated_bytes=np.array([3.0, 4.0, 2.0, 2.0]) * MIB,
        accelerator_reserved_bytes=np.array([5.0, 8.0, 8.0, 8.0]) * MIB,
        accelerator_stage_peak_bytes={"train": 7.0 * MIB},
    )
    stages = [stage(which, table(4, {"forward": 1.0})) for which in (Stage.TRAIN, Stage.VALIDATION)]
    train, validation = (phase.memory for phase in analyze(run(*stages, memory=samples)).phases)
    assert train is not None
    assert validation is not None
    assert train.accelerator_allocated_bytes is not None
    assert train.accelerator_allocated_bytes.peak == 7 * MIB
    assert validation.accelerator_allocated_bytes is not None
    assert validation.accelerator_allocated_bytes.peak == 2 * MIB
    assert train.accelerator_unused_bytes is not None
    assert (train.accelerator_unused_bytes.peak, train.accelerator_unused_bytes.mean) == (
        4 * MIB,
        3 * MIB,
    )
