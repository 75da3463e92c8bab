"""Scenarios of `truth.py`: a training under the profiler and under the benchmark's stopwatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback, LightningModule, Trainer

from benchmarks.truth_costs import (
    PAINT,
    STOPWATCH,
    CostlyCollate,
    CostlyItems,
    CostlyStream,
    SharedTimes,
    TimedLoader,
)
from benchmarks.truth_module import CostlyModule, SlowCallback, SlowCheckpoint, SlowLogger
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.layout import JSON_NAME
from ocr_baseline.model.document_file import read_baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.model.document import Baseline

BATCH_SIZE = 2


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a run has that others have not."""

    name: str
    workers: int = 0
    is_persistent: bool = False
    start_method: str | None = None
    is_manual: bool = False
    is_stream: bool = False
    validation_loaders: int = 1
    trainer: Mapping[str, Any] | None = None


def scenarios() -> list[Scenario]:
    """Return all scenarios."""
    by_loader = [
        Scenario(
            name=f"{workers} workers, {method}{', persistent' if is_persistent else ''}",
            workers=workers,
            is_persistent=is_persistent,
            start_method=method,
        )
        for workers in (2, 4)
        for method in ("fork", "spawn")
        for is_persistent in (False, True)
    ]
    return [
        Scenario(name="0 workers"),
        *by_loader,
        Scenario(name="gradients of 4 batches", trainer={"accumulate_grad_batches": 4}),
        Scenario(name="manual optimization", is_manual=True),
        Scenario(
            name="validation in the epoch",
            workers=2,
            start_method="fork",
            is_persistent=True,
            trainer={"val_check_interval": 0.3},
        ),
        Scenario(name="two validation loaders", validation_loaders=2),
        Scenario(
            name="two validation loaders, 2 workers",
            validation_loaders=2,
            workers=2,
            start_method="fork",
        ),
        Scenario(name="iterable dataset", is_stream=True),
        Scenario(
            name="iterable dataset, 2 workers", is_stream=True, workers=2, start_method="fork"
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the report says of a run, and the times of the workers by the benchmark's own."""

    baseline: Baseline
    workers_s: dict[str, dict[str, float]]


class ForgetsTheSanityCheck(Callback):
    """Workers that ended with the sanity check made batches of no phase."""

    def __init__(self, validation_workers: SharedTimes) -> None:
        """Clear the times of these workers when training begins."""
        self.validation_workers = validation_workers

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The workers of the sanity check have ended, unless they are to stay."""
        self.validation_workers.clear()


def run(scenario: Scenario, folder: Path, *, train_batches: int, epochs: int) -> Outcome:
    """Train once under the profiler and under the benchmark's own stopwatch."""
    STOPWATCH.clear()
    shared = {"train": SharedTimes(), "validation": SharedTimes()}
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        num_sanity_val_steps=2,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=2,
        logger=SlowLogger(),
        default_root_dir=str(folder),
        callbacks=[
            SlowCallback(),
            PerformanceProfilerCallback(operations=[PAINT], output_dir=folder),
            BaselineReportCallback(output_dir=folder),
            SlowCheckpoint(folder),
            *([] if scenario.is_persistent else [ForgetsTheSanityCheck(shared["validation"])]),
        ],
        **(scenario.trainer or {}),
    )
    _time_loops(trainer)
    trainer.fit(
        CostlyModule(is_manual=scenario.is_manual),
        _loader(scenario, train_batches, shared["train"]),
        [
            _loader(scenario, train_batches * 3 // 4, shared["validation"])
            for _ in range(scenario.validation_loaders)
        ],
    )
    return Outcome(
        baseline=read_baseline(folder / JSON_NAME),
        workers_s={stage: times.lines_s() for stage, times in shared.items()},
    )


def _loader(scenario: Scenario, batches: int, shared: SharedTimes) -> TimedLoader:
    items = CostlyStream if scenario.is_stream else CostlyItems
    return TimedLoader(
        items(batches * BATCH_SIZE, shared),
        batch_size=BATCH_SIZE,
        num_workers=scenario.workers,
        persistent_workers=scenario.is_persistent,
        multiprocessing_context=scenario.start_method if scenario.workers else None,
        collate_fn=CostlyCollate(shared),
    )


def _time_loops(trainer: Trainer) -> None:
    """Put the stopwatch around the trainer's loops."""
    validation_loop = trainer.fit_loop.epoch_loop.val_loop

    def train() -> str:
        return "train"

    def validation() -> str:
        return "sanity_check" if trainer.sanity_checking else "validation"

    for loop, method, stage in (
        (trainer.fit_loop, "run", train),
        (validation_loop, "run", validation),
        (validation_loop, "setup_data", validation),
    ):
        setattr(loop, method, _in_stage(getattr(loop, method), stage))


def _in_stage(function: Callable[[], Any], stage: Callable[[], str]) -> Callable[[], Any]:
    def timed() -> Any:
        with STOPWATCH.stage(stage()):
            return function()

    return timed
