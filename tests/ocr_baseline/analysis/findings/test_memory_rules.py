from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run, RunInfo
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    memory_samples,
    run,
    silent_rules,
    stage,
    table,
    with_environment,
)

GIB = 2.0**30


def on_accelerator(
    allocated: float | None, reserved: float | None, total: float | None = 10 * GIB, **fields: int
) -> Run:
    return run(
        memory=memory_samples(
            [GIB],
            0.0,
            accelerator_allocated_peak_bytes=allocated,
            accelerator_reserved_peak_bytes=reserved,
            accelerator_total_bytes=total,
            **fields,
        )
    )


def ended_by(asked: str, unused: str, in_use: str) -> Run:
    """A run on a card of 80 GiB that ended with torch's own sentences."""
    said = (
        f"OutOfMemoryError: CUDA out of memory. Tried to allocate {asked}. GPU 0 has a total "
        "capacity of 80.00 GiB of which 512.00 MiB is free. Including non-PyTorch memory, this "
        f"process has {in_use} memory in use. Of the allocated memory 60.00 GiB is allocated by "
        f"PyTorch, and {unused} is reserved by PyTorch but unallocated. If reserved but "
        "unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"
    )
    return Run(info=RunInfo(source="recorder", status="failed", ended_by=said))


def test_what_an_allocator_said_as_it_failed_is_told() -> None:
    found = finding(ended_by("2.00 GiB", "1.50 GiB", "79.00 GiB"), "out-of-memory")
    assert (found.severity, found.title) == ("high", "The accelerator ran out of memory")
    assert evidence(found) == {
        "run.out_of_memory.asked_bytes": 2 * GIB,
        "run.out_of_memory.total_bytes": 80 * GIB,
        "run.out_of_memory.free_bytes": 0.5 * GIB,
        "run.out_of_memory.in_use_bytes": 79 * GIB,
        "run.out_of_memory.allocated_bytes": 60 * GIB,
        "run.out_of_memory.unused_bytes": 1.5 * GIB,
    }


@pytest.mark.parametrize(
    ("asked", "unused", "in_use", "words"),
    [
        ("2.00 GiB", "1.50 GiB", "79.00 GiB", "smaller batch"),
        ("2.00 GiB", "16.00 GiB", "79.00 GiB", "expandable_segments"),
        ("2.00 GiB", "1.50 GiB", "62.00 GiB", "other processes"),
    ],
    ids=["full", "fragmented", "shared"],
)
def test_what_to_do_depends_on_who_held_the_memory(
    asked: str, unused: str, in_use: str, words: str
) -> None:
    assert words in finding(ended_by(asked, unused, in_use), "out-of-memory").advice


def test_an_error_without_amounts_is_told_without_them() -> None:
    said = "OutOfMemoryError: CUDA out of memory. Tried to allocate more than 1EB memory."
    ended = Run(info=RunInfo(source="recorder", status="failed", ended_by=said))
    assert evidence(finding(ended, "out-of-memory")) == {}


def test_another_error_is_no_want_of_memory() -> None:
    ended = Run(info=RunInfo(source="recorder", status="failed", ended_by="ValueError: shapes"))
    assert findings(ended, "out-of-memory") == []


def test_tensors_in_90_percent_of_the_memory_are_high() -> None:
    found = finding(on_accelerator(9.1 * GIB, 9.5 * GIB), "accelerator-memory")
    assert (found.severity, found.estimated_saving_s) == ("high", None)
    assert evidence(found)["memory.accelerator.peak_share"] == pytest.approx(0.95)


def test_memory_that_was_only_reserved_is_medium() -> None:
    found = finding(on_accelerator(8.0 * GIB, 9.5 * GIB), "accelerator-memory")
    assert found.severity == "medium"


def test_memory_to_spare_is_no_finding() -> None:
    assert findings(on_accelerator(8.0 * GIB, 8.9 * GIB), "accelerator-memory") == []


def test_memory_of_unknown_size_is_not_near_its_limit() -> None:
    assert findings(on_accelerator(9.9 * GIB, 9.9 * GIB, total=None), "accelerator-memory") == []


def test_an_allocation_that_had_to_be_retried_is_high_whatever_the_peak() -> None:
    found = finding(
        on_accelerator(5.0 * GIB, 6.0 * GIB, accelerator_alloc_retries=3), "accelerator-memory"
    )
    assert found.severity == "high"
    assert evidence(found)["memory.accelerator.alloc_retries"] == 3


def test_30_percent_of_reserved_memory_without_a_tensor_is_fragmentation() -> None:
    assert findings(on_accelerator(6.0 * GIB, 8.0 * GIB), "fragmentation") == []
    spare = finding(on_accelerator(4.0 * GIB, 8.0 * GIB), "fragmentation")
    assert spare.severity == "low"
    assert evidence(spare)["memory.accelerator.unused_reserved_share"] == 0.5
    short = finding(on_accelerator(4.0 * GIB, 9.5 * GIB), "fragmentation")
    assert short.severity == "medium"


def test_a_peak_that_was_not_measured_is_not_compared() -> None:
    assert findings(on_accelerator(None, 8.0 * GIB), "fragmentation") == []
    assert findings(on_accelerator(4.0 * GIB, None), "fragmentation") == []


def growing(
    main_a_min: float, workers_a_min: float, *, samples: int = 60, every_s: float = 30.0
) -> Run:
    minutes = np.arange(samples) * every_s / 60.0
    return run(
        memory=memory_samples(
            4 * GIB + main_a_min * minutes, 4 * GIB + workers_a_min * minutes, every_s=every_s
        )
    )


@pytest.mark.parametrize(
    ("main_a_min", "workers_a_min", "place"),
    [
        (0.1 * GIB, 0.0, ", in the main process"),
        (0.0, 0.1 * GIB, ", in the loader workers"),
        (0.1 * GIB, 0.1 * GIB, ", in the main process and the loader workers"),
    ],
)
def test_growth_is_attributed_to_the_processes_that_grow(
    main_a_min: float, workers_a_min: float, place: str
) -> None:
    found = finding(growing(main_a_min, workers_a_min), "memory-growth")
    assert found.title == "Memory keeps growing" + place
    assert found.severity == "medium"
    rate = evidence(found)["memory.process_tree_rss_bytes.growth_bytes_per_min"]
    assert rate == pytest.approx(main_a_min + workers_a_min)


def test_growth_that_fills_the_machine_within_a_day_is_high() -> None:
    measured_run = with_environment(growing(0.1 * GIB, 0.0), memory_bytes=32 * 2**30)
    found = finding(measured_run, "memory-growth")
    assert found.severity == "high"
    assert evidence(found)["memory.hours_until_full"] == pytest.approx((24 - 2.95) / 6, abs=0.01)
    roomy = with_environment(growing(0.1 * GIB, 0.0), memory_bytes=320 * 2**30)
    assert finding(roomy, "memory-growth").severity == "medium"


def test_slow_shrinking_or_uncertain_growth_is_no_finding() -> None:
    assert findings(growing(0.0005 * GIB, 0.0), "memory-growth") == []
    assert findings(growing(-0.1 * GIB, 0.0), "memory-growth") == []
    noise = np.random.default_rng(5).normal(scale=GIB, size=60)
    assert findings(run(memory=memory_samples(8 * GIB + noise, 0.0)), "memory-growth") == []


def test_a_run_too_short_for_a_slope_has_no_growth() -> None:
    assert findings(growing(GIB, 0.0, samples=10), "memory-growth") == []


def test_a_run_of_nine_minutes_is_still_filling_its_caches() -> None:
    short = analyze(growing(0.1 * GIB, 0.0, samples=108, every_s=5.0))
    assert short.findings == []
    [note] = silent_rules(short)
    assert note == "not judged: memory-growth (memory was sampled for 9 min, 20 needed)"


def test_memory_that_grows_in_no_phase_only_went_from_one_phase_to_the_next() -> None:
    # training holds 4 GiB for 40 minutes, validation 5 for ten, test 6 for ten
    level = np.repeat([0, 1, 2], [80, 20, 20])
    phases = (Stage.TRAIN, Stage.VALIDATION, Stage.TEST)
    stages = tuple(phases[number].value for number in level)

    def in_phases(main_bytes: NDArray[np.float64]) -> Run:
        return run(
            *(stage(which, table(24, {"forward": 0.1})) for which in phases),
            memory=memory_samples(main_bytes, 0.0, every_s=30.0, stages=stages),
        )

    levels = (4 + level) * GIB
    assert findings(in_phases(levels), "memory-growth") == []
    growth = np.arange(120) * 0.05 * GIB
    assert findings(in_phases(levels + growth), "memory-growth") != []
