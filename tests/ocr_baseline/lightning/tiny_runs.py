"""Tiny trainings on a clock that moves only when they work, with a stopwatch around each loop.

The recorder reads the same clock as the stopwatch, so every total is compared to the nanosecond
and no busy machine makes a test fail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler
from torchmetrics import Metric

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.document import Baseline, Phase
from ocr_baseline.recording import recording

MILLISECOND_NS = 1_000_000

ITEM_MS = 1.5
SAMPLER_MS = 7.0
LOADER_MS = 20.0
TRANSFER_MS = 1.0
TRAIN_STEP_MS = 10.0
EVALUATION_STEP_MS = 12.0
BACKWARD_MS = 4.0
OPTIMIZER_MS = 2.0
METRIC_UPDATE_MS = 1.0
METRIC_COMPUTE_MS = 6.0
HOOK_MS = 0.5
CHECKPOINT_MS = 8.0
LOG_MS = 0.25
EPOCH_END_MS = 3.0


class SimulatedClock:
    """Nanoseconds that pass only when somebody works."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def work(self, milliseconds: float) -> None:
        self.now_ns += round(milliseconds * MILLISECOND_NS)


CLOCK = SimulatedClock()
work = CLOCK.work


@pytest.fixture
def simulated_clock(monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """Let the profiler's recorder read the simulated clock."""
    monkeypatch.setattr(recording, "Recorder", partial(Recorder, clock=CLOCK))
    return CLOCK


class Items(Dataset[torch.Tensor]):
    def __init__(self, count: int = 8) -> None:
        self.values = torch.linspace(-1.0, 1.0, count * 4).reshape(count, 4)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> torch.Tensor:
        work(ITEM_MS)
        return self.values[index]


class Stream(IterableDataset[torch.Tensor]):
    """Items one by one, of a number that is known at the end only."""

    def __init__(self, count: int = 8) -> None:
        self.items = Items(count)

    def __iter__(self) -> Iterator[torch.Tensor]:
        for index in range(len(self.items)):
            yield self.items[index]


class SlowSampler(Sampler[int]):
    """Takes its time before the first index, as a sampler that sorts does."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[int]:
        work(SAMPLER_MS)
        return iter(range(self.count))

    def __len__(self) -> int:
        return self.count


class SlowSGD(torch.optim.SGD):
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch types the closure by overloads
        loss: float | None = super().step(closure)
        work(OPTIMIZER_MS)
        return loss


class CountedMean(Metric):
    """A mean that takes its time."""

    total: torch.Tensor
    count: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, value: torch.Tensor) -> None:
        work(METRIC_UPDATE_MS)
        self.total += value.sum()
        self.count += value.numel()

    def compute(self) -> torch.Tensor:
        work(METRIC_COMPUTE_MS)
        return self.total / self.count.clamp(min=1)


class TinyModule(LightningModule):
    """A linear layer whose every part works for a known time."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)
        self.metric = CountedMean()

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        work(TRANSFER_MS)
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def loss_of(self, batch: Any) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch).pow(2).mean()
        return loss

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        work(TRAIN_STEP_MS)
        loss = self.loss_of(batch)
        self.log("loss", loss)
        return loss

    def backward(self, loss: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        work(BACKWARD_MS)
        super().backward(loss, *args, **kwargs)

    def evaluate(self, batch: Any) -> None:
        work(EVALUATION_STEP_MS)
        self.metric.update(self.layer(batch))

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluate(batch)

    def test_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluate(batch)

    def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Any:
        work(EVALUATION_STEP_MS)
        return self.layer(batch)

    def on_validation_epoch_end(self) -> None:
        work(EPOCH_END_MS)
        self.log("val_mean", self.metric.compute())
        self.metric.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        work(CHECKPOINT_MS)

    def configure_optimizers(self) -> Any:
        return SlowSGD(self.parameters(), lr=0.1)


class BusyCallback(Callback):
    """Works after each batch of training and validation."""

    def on_train_batch_end(self, *args: Any) -> None:
        work(HOOK_MS)

    def on_validation_batch_end(self, *args: Any) -> None:
        work(HOOK_MS)


class SlowCSVLogger(CSVLogger):
    """Takes its time, but none for the profiler's own keys, which belong to no stage."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        if not any(key.startswith("performance/") for key in metrics):
            work(LOG_MS)
        super().log_metrics(metrics, step)


def loader(count: int = 8, batch_size: int = 2, **arguments: Any) -> DataLoader[torch.Tensor]:
    arguments.setdefault("sampler", SlowSampler(count))
    return DataLoader(Items(count), batch_size=batch_size, **arguments)


@dataclass
class Stopwatch:
    """Times on the simulated clock, read by wrappers around the trainer's loops."""

    train_ns: int = 0
    validation_ns: int = 0
    sanity_ns: int = 0
    test_ns: int = 0
    predict_ns: int = 0

    def watch(self, trainer: Trainer) -> None:
        self._wrap(trainer.fit_loop, lambda: "train")
        inner = trainer.fit_loop.epoch_loop.val_loop
        self._wrap(inner, lambda: "sanity" if trainer.sanity_checking else "validation")
        self._wrap(trainer.validate_loop, lambda: "validation")
        self._wrap(trainer.test_loop, lambda: "test")
        self._wrap(trainer.predict_loop, lambda: "predict")

    def _wrap(self, loop: Any, stage: Callable[[], str]) -> None:
        original = loop.run

        def run() -> Any:
            name, began_ns, nested_ns = f"{stage()}_ns", CLOCK(), self.validation_ns
            try:
                return original()
            finally:
                inside_ns = self.validation_ns - nested_ns if name == "train_ns" else 0
                spent_ns = CLOCK() - began_ns - inside_ns
                setattr(self, name, getattr(self, name) + spent_ns)

        loop.run = run


@dataclass
class TinyRun:
    """How a run ended, and what its report says."""

    trainer: Trainer
    module: LightningModule
    profiler: PerformanceProfilerCallback
    report: BaselineReportCallback
    stopwatch: Stopwatch
    folder: Path
    ended_by: BaseException | None = None

    @property
    def baseline(self) -> Baseline:
        text = (self.folder / "baseline" / "baseline.json").read_text()
        return Baseline.model_validate_json(text)

    def phase(self, name: str) -> Phase:
        return next(p for p in self.baseline.phases if p.name == name and p.dataloader is None)

    @property
    def phase_names(self) -> list[str]:
        return [phase.name for phase in self.baseline.phases if phase.dataloader is None]

    def lines_ms(self, name: str) -> dict[str, float]:
        lines = {line.name: line.total_s * 1e3 for line in self.phase(name).breakdown}
        return {line: round(value, 3) for line, value in lines.items() if value}

    def check_totals(self) -> None:
        """Each reported stage sums up and agrees with the stopwatch around its loop."""
        expected = {
            name: getattr(self.stopwatch, f"{name}_ns") * 1e-9
            for name in ("train", "validation", "test", "predict")
        }
        found = dict.fromkeys(expected, 0.0)
        for phase in self.baseline.phases:
            total_s = phase.total_s
            assert total_s is not None
            assert sum(line.total_s for line in phase.breakdown) == pytest.approx(total_s, rel=1e-5)
            assert all(line.total_s >= 0 for line in phase.breakdown)
            if phase.dataloader is None:
                found[phase.name] = total_s
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def tiny_trainer(
    folder: Path,
    *,
    callbacks: list[Callback] | None = None,
    barebones: bool = False,
    **arguments: Any,
) -> Trainer:
    arguments = {"max_epochs": 1, **arguments}
    if not barebones:
        arguments = {
            "logger": SlowCSVLogger(str(folder), name="csv"),
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "enable_checkpointing": False,
            "log_every_n_steps": 1,
            "num_sanity_val_steps": 0,
            **arguments,
        }
    return Trainer(
        accelerator="cpu",
        devices=1,
        default_root_dir=folder,
        callbacks=callbacks or [],
        barebones=barebones,
        **arguments,
    )


def tiny_run(
    folder: Path,
    action: Callable[[Trainer, LightningModule], Any] | None = None,
    *,
    module: LightningModule | None = None,
    callbacks: list[Callback] | None = None,
    profiling: PerformanceProfilerCallback | None = None,
    report: BaselineReportCallback | None = None,
    **trainer_arguments: Any,
) -> TinyRun:
    """Run a tiny training with both callbacks; an exception of it is kept, not raised."""
    seed_everything(7)
    module = TinyModule() if module is None else module
    profiling = profiling or PerformanceProfilerCallback(profile_memory=False)
    report = BaselineReportCallback() if report is None else report
    trainer = tiny_trainer(
        folder, callbacks=[*(callbacks or []), profiling, report], **trainer_arguments
    )
    run = TinyRun(trainer, module, profiling, report, Stopwatch(), folder)
    run.stopwatch.watch(trainer)
    try:
        (action or fit)(trainer, module)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are cases
        run.ended_by = error
    return run


def fit(trainer: Trainer, module: LightningModule) -> None:
    trainer.fit(module, loader(), loader(6))


@contextmanager
def log_messages() -> Iterator[list[str]]:
    """Collect what the callbacks' loggers warn of."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler = Collector(level=logging.WARNING)
    ours = logging.getLogger("ocr_baseline")
    ours.addHandler(handler)
    try:
        yield messages
    finally:
        ours.removeHandler(handler)
