"""Rules on single batches that were looked into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run
from ocr_baseline.model.window import FlopRecord, WindowEntry, WindowRecord, WindowWait
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    memory_samples,
    silent_rules,
    steady_run,
)

STEPS = {"forward": 0.25, "backward": 0.25}
ITEM = WindowWait(operator="aten::item", place="train.py(12): shown", calls=3, host_s=0.2)
COPY = WindowWait(operator="aten::to", place=None, calls=3, host_s=0.1)


def window(waits: Sequence[WindowWait] = (ITEM, COPY), *, has_device: bool = True) -> WindowRecord:
    """Three batches from the eleventh on, that took a second."""
    operator = WindowEntry(name="aten::addmm", calls=6, host_s=0.3, device_s=0.4)
    return WindowRecord(
        stage=Stage.TRAIN,
        epoch=0,
        batch_idx=10,
        position=10,
        batches=3,
        start_s=5.0,
        duration_s=1.0,
        cost_s=0.5,
        has_device=has_device,
        device_busy_s=0.6 if has_device else None,
        operators=(operator,),
        kernels=(),
        modules=(),
        waits=waits,
        events=(),
    )


def looked_into(found: WindowRecord) -> Run:
    """A training of 24 batches with a window, whose three batches took a second more each."""
    slower = np.where(np.isin(np.arange(24), [10, 11, 12]), 1.25, 0.25)
    measured = steady_run({"forward": slower, "backward": 0.25}, profile_window=found)
    [train] = measured.stages
    return replace(measured, stages=(replace(train, set_aside=frozenset({10, 11, 12})),))


def test_calls_that_wait_for_the_device_are_found_with_the_place_of_the_heaviest() -> None:
    found = finding(looked_into(window()), "implicit-synchronization")
    assert found.title == (
        "Training waits for the accelerator in `aten::item`, called at `train.py(12): shown`"
    )
    assert found.severity == "high"
    assert found.estimated_saving_s is None
    assert evidence(found) == {
        "profile_window.waits.host_s": pytest.approx(0.3),
        "profile_window.duration_s": 1.0,
        "profile_window.waits.aten::item.host_s": 0.2,
        "profile_window.waits.aten::item.calls": 3,
        "profile_window.batches": 3,
    }


def test_a_call_whose_place_is_unknown_is_found_without_it() -> None:
    found = finding(looked_into(window([COPY])), "implicit-synchronization")
    assert found.title == "Training waits for the accelerator in `aten::to`"


def test_short_waits_and_reading_numbers_without_a_device_are_no_finding() -> None:
    short = replace(ITEM, host_s=0.04)
    assert findings(looked_into(window([short])), "implicit-synchronization") == []
    assert findings(looked_into(window(has_device=False)), "implicit-synchronization") == []
    assert findings(steady_run(STEPS), "implicit-synchronization") == []


def test_the_batches_of_a_window_are_in_no_statistic_and_in_every_total() -> None:
    [phase] = analyze(looked_into(window())).phases
    assert phase.batch_time_s is not None
    assert phase.batch_time_s.count == 24 - 3 - 3
    assert phase.batch_time_s.max == pytest.approx(0.5)
    assert phase.total_s == pytest.approx(24 * 0.5 + 3 * 1.0)


def counted(flops: int, *, busy: float = 90.0, peak: float | None = 1e9, samples: int = 20) -> Run:
    """Batches of half a second with so many operations each, on a device that is so busy."""
    memory = memory_samples(
        np.ones(samples),
        0.0,
        stages=("train",) * samples,
        accelerator_utilization_percent=np.full(samples, busy),
        accelerator_allocated_peak_bytes=1.0,
        accelerator_reserved_peak_bytes=1.0,
    )
    record = FlopRecord(
        stage=Stage.TRAIN,
        position=2,
        samples=4,
        flops=flops,
        peak_flops_per_s=peak,
        why_no_peak=None if peak else "nobody knows",
    )
    return steady_run(STEPS, memory=memory, flops=record)


def test_a_busy_device_that_does_few_operations_is_found() -> None:
    found = finding(counted(50_000_000), "low-mfu")
    assert found.title == (
        "Training keeps the accelerator busy with 10.0% of the operations that it can do"
    )
    assert found.severity == "low"
    assert evidence(found) == {
        "phases.train.flops.mfu": pytest.approx(0.1),
        "phases.train.flops.flops_per_s": pytest.approx(1e8),
        "phases.train.flops.peak_flops_per_s": 1e9,
        "phases.train.accelerator_utilization.mean_percent": 90.0,
        "phases.train.accelerator_utilization.samples": 20,
    }


def test_a_tiny_share_of_the_operations_does_not_read_as_none() -> None:
    assert finding(counted(100), "low-mfu").title == (
        "Training keeps the accelerator busy with less than 0.1% of the operations that it can do"
    )


def test_many_operations_an_idle_device_and_an_unknown_peak_are_no_finding() -> None:
    assert findings(counted(150_000_000), "low-mfu") == []
    assert findings(counted(50_000_000, busy=60.0), "low-mfu") == []
    assert findings(counted(50_000_000, peak=None), "low-mfu") == []


def test_few_samples_of_the_utilization_judge_no_use_of_operations() -> None:
    document = analyze(counted(50_000_000, samples=19))
    assert any("low-mfu" in note for note in silent_rules(document))


def test_a_peak_that_is_not_known_is_missing_with_its_reason() -> None:
    document = analyze(counted(50_000_000, peak=None))
    [entry] = [one for one in document.missing if one.metric == "phases.train.flops.mfu"]
    assert entry.detail == "nobody knows"
    [phase] = document.phases
    assert phase.flops is not None
    assert phase.flops.flops_per_s == pytest.approx(1e8)
    assert phase.flops.mfu is None
