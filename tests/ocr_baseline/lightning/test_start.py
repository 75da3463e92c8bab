"""What passes before the first batch of a real training, part by part."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.profilers import PassThroughProfiler, SimpleProfiler

from ocr_baseline.lightning.attach import before_setup
from ocr_baseline.model.document import Baseline, Start
from tests.ocr_baseline.lightning.tiny_runs import (
    CLOCK,
    SimulatedClock,
    TinyModule,
    TinyRun,
    loader,
    tiny_run,
    work,
)

pytestmark = pytest.mark.slow

PREPARE_MS, DATA_SETUP_MS, LOADER_MS = 500.0, 400.0, 60.0
SETUP_MS, MODEL_MS, OPTIMIZERS_MS, CALLBACK_MS = 250.0, 200.0, 100.0, 30.0


class SlowData(LightningDataModule):
    def prepare_data(self) -> None:
        work(PREPARE_MS)

    def setup(self, stage: str) -> None:
        work(DATA_SETUP_MS)

    def train_dataloader(self) -> Any:
        work(LOADER_MS)
        return loader()

    def val_dataloader(self) -> Any:
        return loader(6)


class SlowToSetUp(TinyModule):
    def setup(self, stage: str) -> None:
        work(SETUP_MS)

    def configure_model(self) -> None:
        work(MODEL_MS)

    def configure_optimizers(self) -> Any:
        work(OPTIMIZERS_MS)
        return super().configure_optimizers()


class SlowCallback(Callback):
    """Works in a hook before the profiler is set up, and in one after it."""

    def setup(self, *args: Any, **kwargs: Any) -> None:
        work(CALLBACK_MS)

    def on_fit_start(self, *args: Any) -> None:
        work(2 * CALLBACK_MS)

    def on_fit_end(self, *args: Any) -> None:
        work(10_000.0)


@pytest.fixture
def clock(simulated_clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """The simulated clock, before the callback's setup as well."""
    monkeypatch.setattr(before_setup, "perf_counter_ns", CLOCK)
    return simulated_clock


def fit(trainer: Trainer, module: LightningModule) -> None:
    trainer.fit(module, datamodule=SlowData())


def slow_run(
    folder: Path, action: Callable[[Trainer, LightningModule], Any] = fit, **arguments: Any
) -> TinyRun:
    return tiny_run(folder, action, module=SlowToSetUp(), callbacks=[SlowCallback()], **arguments)


def start_of(run: TinyRun) -> Start:
    start = run.baseline.start
    assert start is not None
    assert sum(part.total_s for part in start.breakdown) == pytest.approx(
        start.time_to_first_step_s
    )
    return start


def parts_ms(start: Start) -> dict[str, float]:
    return {part.name: round(part.total_s * 1e3, 3) for part in start.breakdown if part.total_s}


def missing_of(run: TinyRun) -> dict[str, str | None]:
    return {entry.metric: entry.detail for entry in run.baseline.missing}


def test_each_hook_of_the_set_up_is_a_part(tmp_path: Path, clock: SimulatedClock) -> None:
    start = start_of(slow_run(tmp_path))

    parts = parts_ms(start)
    assert parts["prepare_data"] == PREPARE_MS
    assert parts["datamodule_setup"] == DATA_SETUP_MS
    assert parts["module_hooks:setup"] == SETUP_MS
    assert parts["module_hooks:configure_model"] == MODEL_MS
    assert parts["module_hooks:configure_optimizers"] == OPTIMIZERS_MS
    assert parts["callbacks:SlowCallback"] == CALLBACK_MS * (1 + 2)
    assert parts["loader_startup"] == LOADER_MS
    assert start.fit_to_setup_s == pytest.approx((PREPARE_MS + DATA_SETUP_MS + CALLBACK_MS) / 1e3)
    assert start.setup_s == pytest.approx(
        (SETUP_MS + MODEL_MS + OPTIMIZERS_MS + 2 * CALLBACK_MS + LOADER_MS) / 1e3
    )


def test_time_after_the_training_is_no_set_up(tmp_path: Path, clock: SimulatedClock) -> None:
    assert start_of(slow_run(tmp_path)).time_to_first_step_s < 3.0  # `on_fit_end` takes 10 s


@pytest.mark.parametrize("batches", [0, 2])
def test_the_sanity_check_is_a_part_of_its_own(
    tmp_path: Path, clock: SimulatedClock, batches: int
) -> None:
    run = slow_run(tmp_path, num_sanity_val_steps=batches)

    start = start_of(run)
    assert start.sanity_check_s == pytest.approx(run.stopwatch.sanity_ns * 1e-9)
    assert bool(start.sanity_check_s) == bool(batches)
    assert parts_ms(start).get("sanity_check", 0.0) == pytest.approx(start.sanity_check_s * 1e3)
    assert parts_ms(start)["module_hooks:setup"] == SETUP_MS


def test_the_users_own_profiler_is_told_of_what_came_before_the_set_up(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    profiler = SimpleProfiler()
    start = start_of(slow_run(tmp_path, profiler=profiler))

    assert parts_ms(start)["prepare_data"] == PREPARE_MS
    assert "[LightningDataModule]SlowData.prepare_data" in profiler.recorded_durations


def test_a_prepare_data_that_fails_leaves_the_profiler_as_it_was(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    class Failing(SlowData):
        def prepare_data(self) -> None:
            raise OSError("no such host")

    before = vars(PassThroughProfiler).copy()
    run = slow_run(tmp_path, lambda trainer, module: trainer.fit(module, datamodule=Failing()))

    assert str(run.ended_by) == "no such host"
    assert vars(PassThroughProfiler) == before


def test_a_validation_before_the_training_leaves_the_start_unmeasured(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    def validate_and_fit(trainer: Trainer, module: LightningModule) -> None:
        trainer.validate(module, datamodule=SlowData(), verbose=False)
        fit(trainer, module)

    run = slow_run(tmp_path, validate_and_fit)

    assert run.baseline.start is None
    assert missing_of(run)["start"] == "a validation stage of the same run came before the training"


def test_a_test_alone_has_no_first_step(tmp_path: Path, clock: SimulatedClock) -> None:
    run = slow_run(tmp_path, lambda trainer, module: trainer.test(module, loader(), verbose=False))

    assert run.baseline.start is None
    assert missing_of(run)["start"] == "no training batch was recorded"


def test_a_later_run_of_the_process_counts_from_its_fit(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    run = slow_run(tmp_path)

    start = start_of(run)
    assert (start.since, start.process_to_setup_s) == ("fit", None)
    assert (
        missing_of(run)["start.process_to_setup_s"] == "an earlier run of this process came first"
    )


def test_goodput_is_the_training_without_waits_and_checkpoints(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    run = slow_run(tmp_path)

    train, goodput = run.phase("train"), run.baseline.goodput
    assert goodput is not None
    assert train.total_s is not None
    assert 0.0 < goodput.productive_s < train.total_s
    assert goodput.share == pytest.approx(goodput.productive_s / goodput.wall_s)
    assert goodput.wall_s == run.baseline.run.duration_s


SCRIPT = """
import sys
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, TensorDataset
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

class Net(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

for folder in sys.argv[1:]:
    Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, default_root_dir=folder,
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback()],
    ).fit(Net(), DataLoader(TensorDataset(torch.randn(8, 4)), batch_size=2))
"""


def test_the_first_run_of_a_process_counts_from_its_start_and_the_second_does_not(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, folders)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    first, second = (
        Baseline.model_validate_json((folder / "baseline" / "baseline.json").read_text())
        for folder in folders
    )

    assert first.start is not None
    assert second.start is not None
    assert (first.start.since, second.start.since) == ("process", "fit")
    assert first.start.clock
    assert first.goodput is not None
    assert first.goodput.since == "process"
    before_s = first.start.process_to_setup_s
    assert before_s is not None
    assert first.start.fit_to_setup_s is not None
    assert before_s > first.start.fit_to_setup_s
    assert [part.name for part in first.start.breakdown][:2] == ["script", "trainer"]
    # The earliest Lightning that we take begins with `prepare_data`.
    assert second.start.breakdown[0].name in {"before_setup", "prepare_data"}
