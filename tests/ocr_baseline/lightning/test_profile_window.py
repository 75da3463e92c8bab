"""A window of torch.profiler over a few batches of real trainings, on the CPU."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.profilers import PyTorchProfiler

from benchmarks.planted.simulated_device import SimulatedDevice, followed
from ocr_baseline import PerformanceProfilerCallback, read_run
from ocr_baseline.model.document import ProfileWindow
from ocr_baseline.reports.trace.run_trace import trace_parts
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, TinyRun, loader, tiny_run

pytestmark = pytest.mark.slow

BATCHES = 30
PROFILING_TWICE = "another profiler of torch runs in this training"


class Reading(TinyModule):
    """Reads its loss in each step."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = super().training_step(batch, batch_idx)
        self.shown(loss)
        return loss

    def shown(self, loss: torch.Tensor) -> float:
        return loss.item()


def fit(trainer: Trainer, module: LightningModule) -> None:
    trainer.fit(module, loader(2 * BATCHES), loader(2))


def windowed(folder: Path, batches: int = 3, **arguments: Any) -> TinyRun:
    profiling = PerformanceProfilerCallback(profile_memory=False, profile_window=batches)
    arguments = {"module": Reading(), "action": fit, **arguments}
    return tiny_run(folder, profiling=profiling, **arguments)


def window_of(run: TinyRun) -> ProfileWindow:
    assert run.ended_by is None
    window = run.baseline.profile_window
    assert window is not None, run.baseline.missing
    return window


def why_none(run: TinyRun) -> str | None:
    assert run.ended_by is None
    assert run.baseline.profile_window is None
    [entry] = [one for one in run.baseline.missing if one.metric == "profile_window"]
    return entry.detail


def test_a_window_tells_operators_and_modules_of_batches_that_no_statistic_has(
    tmp_path: Path,
) -> None:
    run = windowed(tmp_path)
    window = window_of(run)
    assert (window.phase, window.epoch, window.batch_idx, window.batches) == ("train", 0, 10, 3)
    operators = {one.name: one.calls for one in window.operators}
    assert operators["aten::addmm"] == 3
    assert "Linear_0" in {one.name for one in window.modules}
    assert window.kernels == []
    assert window.device_busy_s is None
    assert window.cost_s > 0
    phase = run.phase("train")
    assert phase.warmup is not None
    assert phase.warmup.batches == 3 + 3
    assert "3 that were looked into" in phase.warmup.rule
    assert "A window of torch.profiler" in (tmp_path / "baseline" / "baseline.md").read_text()


def test_the_trace_of_a_run_shows_the_window_within_the_batches_that_it_is_of(
    tmp_path: Path,
) -> None:
    run = windowed(tmp_path)
    window_of(run)
    recorded = read_run(tmp_path / "baseline")
    events = json.loads("".join(trace_parts(recorded)))["traceEvents"]
    rows = {
        event["tid"]
        for event in events
        if event["ph"] == "M" and "torch.profiler" in str(event["args"].get("name"))
    }
    shown = [event for event in events if event["ph"] == "X" and event["tid"] in rows]
    batches = [
        event for event in events if event["ph"] == "X" and event["name"] == "training batch"
    ]
    assert "aten::addmm" in {event["name"] for event in shown}
    begins_us, ends_us = batches[10]["ts"], batches[13]["ts"]
    assert all(begins_us <= event["ts"] <= ends_us for event in shown)


def test_a_number_read_from_a_device_in_use_is_told_with_its_place(tmp_path: Path) -> None:
    with followed(SimulatedDevice()):
        window = window_of(windowed(tmp_path))
    places = {one.place or "": one for one in window.waits}
    [shown] = [place for place in places if place.endswith("shown")]
    assert "test_profile_window.py" in shown
    assert places[shown].operator == "aten::item"
    assert places[shown].calls == 3


def test_a_number_that_the_framework_reads_has_its_place_there(tmp_path: Path) -> None:
    with followed(SimulatedDevice()):
        window = window_of(windowed(tmp_path, module=TinyModule()))
    [place] = [one.place or "" for one in window.waits]
    assert place.startswith("lightning/pytorch/"), "self.log, with a row in each step"


def test_without_a_device_in_use_reading_a_number_waits_for_nothing(tmp_path: Path) -> None:
    assert window_of(windowed(tmp_path)).waits == []


def test_a_training_with_a_window_trains_the_same(tmp_path: Path) -> None:
    torch.manual_seed(1)
    plain = tiny_run(tmp_path / "plain", fit, module=Reading())
    torch.manual_seed(1)
    looked_into = windowed(tmp_path / "window")
    window_of(looked_into)
    for one, other in zip(plain.module.parameters(), looked_into.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_lightnings_own_torch_profiler_keeps_the_window_shut(tmp_path: Path) -> None:
    profiler = PyTorchProfiler(dirpath=tmp_path, filename="own", export_to_chrome=False)
    assert why_none(windowed(tmp_path, profiler=profiler)) == PROFILING_TWICE


def test_a_profiler_around_the_whole_training_keeps_the_window_shut(tmp_path: Path) -> None:
    with torch.profiler.profile() as own:
        run = windowed(tmp_path)
    assert why_none(run) == PROFILING_TWICE
    assert own.events()


class ProfilesItself(Reading):
    """Profiles one of its own steps, in the midst of the window."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        if batch_idx != 11:
            return super().training_step(batch, batch_idx)
        with torch.profiler.profile() as self.own:
            return super().training_step(batch, batch_idx)


def test_a_profiler_of_the_modules_closes_the_window_and_has_its_own_events(
    tmp_path: Path,
) -> None:
    module = ProfilesItself()
    window = window_of(windowed(tmp_path, module=module))
    assert window.batches == 1
    assert {event.name for event in module.own.events() or []} >= {"aten::addmm"}


def test_a_profiler_of_pythons_stays_in_place_and_leaves_the_window_without_modules(
    tmp_path: Path,
) -> None:
    def own(*args: object) -> None:
        return None

    sys.setprofile(own)
    try:
        run = windowed(tmp_path)
        found = sys.getprofile()
    finally:
        sys.setprofile(None)
    window = window_of(run)
    assert found is own
    assert "profiler of Python's" in (window.why_no_stacks or "")
    assert window.modules == []
    assert "aten::addmm" in {one.name for one in window.operators}


def test_short_epochs_have_a_shorter_window(tmp_path: Path) -> None:
    def short(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(6), loader(2))

    window = window_of(windowed(tmp_path, batches=5, action=short, max_epochs=6))
    assert (window.batch_idx, window.batches) == (1, 2)


def test_a_training_that_ends_before_its_first_steady_batches_says_so(tmp_path: Path) -> None:
    def short(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(6), loader(2))

    assert why_none(windowed(tmp_path, action=short)) == (
        "the training ended before a batch could be looked into"
    )


def test_a_training_that_fails_inside_the_window_has_what_was_seen(tmp_path: Path) -> None:
    class Failing(Reading):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 12:
                raise ValueError("the user's own")
            return super().training_step(batch, batch_idx)

    run = windowed(tmp_path, module=Failing())
    assert isinstance(run.ended_by, ValueError)
    assert run.baseline.profile_window is not None
    assert run.baseline.profile_window.batches == 2


@pytest.mark.parametrize("batches", [-1, 101])
def test_a_window_of_too_many_batches_is_refused(batches: int) -> None:
    with pytest.raises(ValueError, match="profile_window must be 0 to 100 batches"):
        PerformanceProfilerCallback(profile_window=batches)
