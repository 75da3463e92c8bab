from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.run import DeviceBatches, Run
from tests.ocr_baseline.analysis.builders import (
    evidence,
    finding,
    findings,
    memory_samples,
    silent_rules,
    steady_run,
    with_environment,
)
from tests.ocr_baseline.analysis.sampled_stacks import FIT, samples

GIB = 2.0**30
STEPS = {"forward": 0.25, "backward": 0.25}
STEP = f"{FIT} lightning:run user:Net.training_step"


def on_accelerator(
    busy_percent: Sequence[float],
    lines_s: Mapping[str, float] = STEPS,
    *,
    reserved: float = 8 * GIB,
    **fields: Any,
) -> Run:
    """A training of 24 batches on a device of 80 GiB, whose utilization was read so often."""
    use = np.asarray(busy_percent, dtype=np.float64)
    memory = memory_samples(
        np.ones(len(use)),
        0.0,
        stages=("train",) * len(use),
        accelerator_utilization_percent=use,
        accelerator_allocated_peak_bytes=reserved,
        accelerator_reserved_peak_bytes=reserved,
        accelerator_total_bytes=80 * GIB,
    )
    measured = steady_run(lines_s, memory=memory, **fields)
    return with_environment(measured, accelerator="cuda", batch_size=4)


def ids(document: Baseline) -> list[str]:
    return [found.id for found in document.findings]


@pytest.mark.parametrize(
    ("busy", "severity"),
    [
        ([60.0] * 20, "medium"),
        ([40.0] * 20, "high"),
        ([70.0] * 20, None),
        ([90.0] * 18 + [0.0] * 2, "low"),
        ([90.0] * 18 + [10.0] * 2, None),
    ],
    ids=["low", "under half", "enough", "now and then", "just not"],
)
def test_utilization_is_judged_by_its_percentiles(busy: list[float], severity: str | None) -> None:
    found = findings(on_accelerator(busy), "accelerator-utilization")
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_a_low_utilization_tells_its_numbers_and_the_line_beside_the_steps() -> None:
    measured = on_accelerator([40.0] * 20, {"forward": 0.5, "data_wait": 0.5})
    found = finding(measured, "accelerator-utilization")
    assert found.title == "Training leaves the accelerator idle: it is busy 40% of the time"
    assert evidence(found) == {
        "phases.train.accelerator_utilization.mean_percent": 40.0,
        "phases.train.accelerator_utilization.p5_percent": 40.0,
        "phases.train.accelerator_utilization.p95_percent": 40.0,
        "phases.train.accelerator_utilization.samples": 20,
        "phases.train.breakdown.data_wait.share": pytest.approx(0.5),
    }
    assert "50% of the stage in data_wait" in found.advice


def test_a_stage_that_waits_for_data_is_led_by_that_wait() -> None:
    document = analyze(on_accelerator([40.0] * 20, {"forward": 0.5, "data_wait": 0.5}))
    [found] = [one for one in document.findings if one.id == "accelerator-utilization:train"]
    assert found.part_of == "input-bound:train"


def test_idle_time_beyond_the_lines_beside_the_steps_is_the_hosts() -> None:
    """Of 12 s the device is idle for 60%, the main thread beside the steps for 20%."""
    measured = on_accelerator([40.0] * 20, {"forward": 0.4, "metrics": 0.1})
    found = finding(measured, "host-bound")
    assert found.title == (
        "Training's steps are bound by the host: in 40% of the stage the accelerator waits for them"
    )
    assert found.severity == "high"
    assert found.estimated_saving_s == pytest.approx(0.4 * 12)
    assert found.estimated_saving_low_s == 0.0
    assert found.estimated_saving_high_s == pytest.approx(0.4 * 12)
    assert found.lines == ["train.forward"]


def test_steps_that_keep_the_device_busy_are_not_bound_by_the_host() -> None:
    waits = {"forward": 0.25, "backward": 0.25, "data_wait": 0.5}
    assert findings(on_accelerator([49.0] * 20, waits), "host-bound") == []


def test_what_the_margin_of_the_utilization_covers_is_not_the_hosts() -> None:
    """Half of the samples at 0, half at 100: a mean of 50 give or take 22.5 points."""
    lines = {"forward": 0.35, "backward": 0.35, "metrics": 0.3}
    assert findings(on_accelerator([0.0, 100.0] * 10, lines), "host-bound") == []
    assert findings(on_accelerator([0.0, 100.0] * 100, lines), "host-bound") != []


@pytest.mark.parametrize(
    ("busy", "reserved", "lines", "is_small"),
    [
        (40.0, 8 * GIB, STEPS, True),
        (40.0, 60 * GIB, STEPS, False),
        (90.0, 8 * GIB, STEPS, False),
        (40.0, 8 * GIB, {"forward": 0.5, "data_wait": 0.1}, False),
    ],
    ids=["small", "memory in use", "busy", "waits for data"],
)
def test_a_batch_is_small_where_memory_and_device_are_unused_and_data_is_there(
    busy: float, reserved: float, lines: Mapping[str, float], is_small: bool
) -> None:
    measured = on_accelerator([busy] * 20, lines, reserved=reserved)
    assert bool(findings(measured, "small-batch")) is is_small


def test_a_small_batch_is_told_with_its_size() -> None:
    found = finding(on_accelerator([40.0] * 20), "small-batch")
    assert evidence(found)["environment.identity.batch_size"] == 4
    assert "10% of its memory" in found.title


def test_too_few_samples_judge_nothing() -> None:
    document = analyze(on_accelerator([40.0] * 19))
    assert ids(document) == []
    assert (
        "not judged: accelerator-utilization, host-bound, small-batch "
        "(train has 19 samples of the accelerator's utilization, 20 needed)"
    ) in silent_rules(document)


def test_a_run_without_utilization_is_not_judged_and_needs_no_note() -> None:
    document = analyze(steady_run(STEPS))
    assert ids(document) == []
    assert not any("accelerator" in note for note in silent_rules(document))


def with_device_wait(measured: Run, wait_s: float, *, batches: int = 24) -> Run:
    """The same training, whose device had nothing to do for so long in each batch it timed."""
    [train] = measured.stages
    device = DeviceBatches(
        clock="the test's",
        position=np.arange(batches),
        is_first_of_epoch=np.arange(batches) == 0,
        lines_s={
            "data_wait": np.full(batches, wait_s),
            "forward": np.full(batches, 0.5 - wait_s),
        },
    )
    return replace(measured, stages=(replace(train, device=device),))


WAITS = {"forward": 0.25, "data_wait": 0.25}


def test_a_device_that_has_nothing_to_do_for_want_of_a_batch_is_told_by_its_own_clock() -> None:
    found = finding(with_device_wait(steady_run(WAITS), 0.125), "device-data-wait")
    assert found.title == (
        "In 25% of training the accelerator has nothing to do for want of a batch"
    )
    assert found.severity == "high"
    assert found.estimated_saving_s == pytest.approx(24 * 0.125)
    assert evidence(found) == {
        "phases.train.device.breakdown.data_wait.total_s": pytest.approx(24 * 0.125),
        "phases.train.breakdown.data_wait.total_s": pytest.approx(24 * 0.25),
        "phases.train.device.batches": 21,
    }


def test_a_device_that_waits_for_the_sampler_is_not_told_of_workers() -> None:
    lines = {
        "data_wait": {f"{FIT} loader:_BaseDataLoaderIter._next_index user:Shuffled.__iter__": 90}
    }
    measured = replace(steady_run(WAITS), stack_samples=(samples(lines),))
    assert (
        "workers" in finding(with_device_wait(steady_run(WAITS), 0.125), "device-data-wait").advice
    )
    found = finding(with_device_wait(measured, 0.125), "device-data-wait")
    assert found.advice.startswith("Make the sampler's indices cheaper or all at once")


def test_a_device_with_work_left_over_waits_for_no_data_however_long_the_host_does() -> None:
    assert findings(with_device_wait(steady_run(WAITS), 0.0), "device-data-wait") == []
    assert findings(steady_run(WAITS), "device-data-wait") == []


def test_few_batches_on_the_devices_clock_judge_no_wait_for_data() -> None:
    document = analyze(with_device_wait(steady_run(WAITS), 0.125, batches=7))
    assert "device-data-wait:train" not in ids(document)
    assert (
        "not judged: device-data-wait (train has 4 batches timed on the device, 5 needed)"
    ) in silent_rules(document)


@pytest.mark.parametrize(
    ("busy", "device_wait_s", "parts"),
    [
        (40.0, None, (0.6, 0.3, 0.1, 0.2)),
        (40.0, 0.1, (0.6, 0.2, 0.1, 0.3)),
        (80.0, None, (0.2, 0.2, 0.0, 0.0)),
    ],
    ids=["by the host", "by the device", "less idle than the host waits"],
)
def test_idle_time_is_split_into_data_beside_the_steps_and_the_host(
    busy: float, device_wait_s: float | None, parts: tuple[float, ...]
) -> None:
    lines = {"forward": 0.3, "data_wait": 0.15, "logging": 0.05}
    measured = on_accelerator([busy] * 20, lines)
    if device_wait_s is not None:
        measured = with_device_wait(measured, device_wait_s)
    phase = analyze(measured).phase("train")
    assert phase is not None
    idle = phase.accelerator_idle
    assert idle is not None
    found = (idle.share, idle.data_share, idle.beside_share, idle.host_bound_share)
    assert found == pytest.approx(parts)


def waiting(ticks: int) -> Run:
    """Of 100 samples of `forward`, half of the stage, so many wait for the device."""
    lines = {
        "forward": {
            f"{STEP} user:timed cuda:synchronize": ticks,
            f"{STEP} user:synchronize": 100 - ticks,
        }
    }
    return steady_run(STEPS, stack_samples=(samples(lines),))


def test_waits_in_torchs_synchronize_are_found_with_who_called_it() -> None:
    found = finding(waiting(50), "synchronizing-calls")
    assert found.title == (
        "Training waits for the accelerator in synchronize, called by `timed (train.py:5)`"
    )
    assert found.severity == "high"
    assert found.estimated_saving_s is None
    assert evidence(found) == {
        "phases.train.breakdown.forward.synchronize_s": pytest.approx(0.5 * 24 * 0.25),
        "phases.train.synchronize_samples": 50,
    }


def test_few_samples_and_functions_of_that_name_elsewhere_are_no_such_wait() -> None:
    assert findings(waiting(29), "synchronizing-calls") == []
    assert findings(waiting(0), "synchronizing-calls") == []
