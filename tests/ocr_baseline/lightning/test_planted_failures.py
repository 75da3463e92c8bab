"""Whatever of ours fails, and wherever the training has entered it, the training never notices."""

from __future__ import annotations

import copy
import functools
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import PerformanceProfilerCallback, section
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.planted_failures import failure_in
from tests.ocr_baseline.lightning.test_endings import BoomError, alone, outcome, traces
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("simulated_clock")]


class Busy(TinyModule):
    """Enters all that a step can enter of ours."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        profiler = self.trainer.profiler  # type: ignore[attr-defined]  # declared nowhere
        with section("part"), profiler.profile("own"):
            json.loads("[1]")
        profiler.start("mine")
        profiler.stop("mine")
        self.log("x", 1.0, batch_size=2)
        return super().training_step(batch, batch_idx)


def fit(trainer: Trainer, module: LightningModule, workers: int = 0) -> None:
    """Train on batches of which only the step knows the samples; the second is None."""
    batches = DataLoader(tiny.Stream(), batch_size=2, num_workers=workers, collate_fn=_collated)
    trainer.fit(module, batches, loader(6))


def _collated(items: list[torch.Tensor]) -> Any:
    return None if items[0].equal(_THIRD) else torch.stack(items)


_THIRD = tiny.Items().values[2]

ENDS_THE_MEASURING = {
    "hooks": [
        "Attachment.apply",
        "Attachment.time_metrics",
        "Accounting.loop_began",
        "Attachment.samples_of",
        "Recorder.begin_batch",
        "MetricLogger.log_batch",
        "PerformanceProfilerCallback._on_epoch_closed",
        "Recording.note_gradient_wait",
    ],
    "actions": [
        "Accounting.context_of",
        "Accounting.started",
        "Accounting.stopped",
        "Accounting.enter_own",
        "Accounting.exit_own",
        "Recorder.open_stage",
        "Recorder.begin_fetch",
        "Recorder.end_fetch",
        "Recorder.finish_batch",
        "Recorder.end_batches",
        "Recorder.end_epoch",
        "Recorder.close_stage",
    ],
    "loaders": [
        "stage_of_fetcher",
        "StageSwap.__enter__",
        "StageSwap.__exit__",
        "Recorder.start_loader",
    ],
    "patched methods": [
        "MainThreadSpan._enter",
        "MainThreadSpan._exit",
        "is_module_of",
        "is_logger_of",
        "is_optimizer_of",
        "Attachment._take_logged_size",
        "Attachment._is_aside",
    ],
}
BEGINS_NO_MEASURING = ["BeforeSetup.told", "loader_identity", "Recorder.resume", "Recording.begin"]
ENDS_THE_SECTIONS = ["Operation.enter", "Operation.exit", "Operations.__missing__"]
LOSES_RECORDS = [
    "Heartbeat._run",
    "Recorder.flush",
    "batch_records",
    "epoch_records",
    "RecordWriter.write",
]
LOSES_MEMORY = ["MemoryProbe.read", "MachineProbe.sample"]
LOSES_A_WORKER = {
    "LoaderTiming._loop": "were not measured",
    "MeasuredLoop.__init__": "were not measured",
    "WorkerRecorder.write_start": "was not measured any more",
    "WorkerRecorder.begin_fetch": "was not measured any more",
    "WorkerRecorder.end_fetch": "was not measured any more",
    "WorkerRecorder.end_data": "was not measured any more",
    "WorkerRecorder.close": "was not measured any more",
}
AT_AN_EXCEPTION = [
    "BeforeSetup.end",
    "Recording.finish",
    "Recording.pause",
    "Attachment.undo",
    "status_of",
    "StackSampler.stop",
]
WRITES_NO_REPORT = ["load_run", "write_report", "live_info", "Recording.is_replaced"]


def run_with_failure(
    folder: Path, name: str, *, workers: int = 0, module: LightningModule | None = None
) -> tuple[tiny.TinyRun, list[str]]:
    """Train with a failure planted, and check that the training is as without us."""
    settings: dict[str, Any] = {"max_epochs": 2, "num_sanity_val_steps": 1}
    module = module or Busy()
    bare_module = copy.deepcopy(module)
    action = functools.partial(fit, workers=workers)
    profiling = PerformanceProfilerCallback(operations=["json.loads"], log_interval=1)
    before = traces()

    with tiny.log_messages() as messages, failure_in(name) as calls:
        run = tiny_run(folder / "with", action, module=module, profiling=profiling, **settings)
    bare = alone(folder / "without", action, module=bare_module, **settings)

    assert calls or workers, f"{name} was never called"
    assert outcome(run) == outcome(bare)
    assert traces() == before
    assert not [thread for thread in threading.enumerate() if "ocr-baseline" in thread.name]
    return run, messages


@pytest.mark.parametrize("name", [name for names in ENDS_THE_MEASURING.values() for name in names])
def test_a_failure_ends_the_measuring_with_one_warning_and_not_the_training(
    name: str, tmp_path: Path
) -> None:
    run, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert f"planted in {name}" in messages[0]
    (told,) = [w for w in run.baseline.measurement.warnings if "measuring stopped" in w]
    assert f"planted in {name}" in told
    assert run.baseline.run.status == "finished"


@pytest.mark.parametrize("name", BEGINS_NO_MEASURING)
def test_a_failure_as_the_measuring_begins_is_the_reason_in_a_report_without_phases(
    name: str, tmp_path: Path
) -> None:
    run, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert run.baseline.phases == []
    reasons = [entry.detail or "" for entry in run.baseline.missing]
    assert [reason for reason in reasons if f"planted in {name}" in reason]
    assert not [reason for reason in reasons if "add PerformanceProfilerCallback" in reason]


@pytest.mark.parametrize("name", ENDS_THE_SECTIONS)
def test_a_failure_in_a_section_ends_the_sections_alone(name: str, tmp_path: Path) -> None:
    run, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert [w for w in run.baseline.measurement.warnings if f"planted in {name}" in w]
    assert run.phase("train").batches == 8


@pytest.mark.parametrize("name", LOSES_RECORDS)
def test_a_failure_of_the_thread_that_writes_is_one_warning(name: str, tmp_path: Path) -> None:
    run, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert f"planted in {name}" in messages[0]
    assert run.baseline.run.status == "finished"


@pytest.mark.parametrize("name", LOSES_MEMORY)
def test_a_failure_of_a_memory_sample_is_one_warning_and_memory_is_not_measured(
    name: str, tmp_path: Path
) -> None:
    run, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert run.phase("train").batches == 8


@pytest.mark.parametrize("name", LOSES_A_WORKER)
def test_a_failure_in_a_worker_ends_the_measuring_of_the_worker_alone(
    name: str, tmp_path: Path
) -> None:
    run, messages = run_with_failure(tmp_path, name, workers=1)

    assert messages == []
    warnings = run.baseline.measurement.warnings
    assert [w for w in warnings if LOSES_A_WORKER[name] in w and f"planted in {name}" in w]
    assert run.phase("train").batches == 8


@pytest.mark.parametrize("name", AT_AN_EXCEPTION)
def test_a_failure_as_an_exception_ends_the_run_leaves_that_exception_alone(
    name: str, tmp_path: Path
) -> None:
    class Raises(Busy):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 2:
                raise BoomError("the user's own")
            return super().training_step(batch, batch_idx)

    run, messages = run_with_failure(tmp_path, name, module=Raises())

    assert isinstance(run.ended_by, BoomError)
    assert len(messages) <= 1, messages


@pytest.mark.parametrize("name", WRITES_NO_REPORT)
def test_a_failure_of_the_report_is_one_warning_with_its_cause(name: str, tmp_path: Path) -> None:
    _, messages = run_with_failure(tmp_path, name)

    assert len(messages) == 1, messages
    assert f"planted in {name}" in messages[0]
