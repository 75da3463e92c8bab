"""`PerformanceProfilerCallback`: measures a run and logs its `performance/*` metrics."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import Callback, Checkpoint
from lightning.pytorch.trainer.states import RunningStage
from lightning.pytorch.utilities.exceptions import SIGTERMException
from typing_extensions import override

from ocr.lightning_modules.callbacks import accelerator_memory, run_description
from ocr.lightning_modules.callbacks.accounting_profiler import AccountingProfiler
from ocr.lightning_modules.callbacks.action_lines import CALLBACK_LINE_PREFIX
from ocr.lightning_modules.callbacks.cuda_clock import CudaClock
from ocr.lightning_modules.callbacks.epoch_metrics import epoch_metrics, memory_metrics
from ocr.lightning_modules.callbacks.framework_timing import FrameworkTiming
from ocr.lightning_modules.callbacks.rank_records import (
    remove_earlier_records,
    shared_folder,
    wait_for_ranks,
)
from ocr.lightning_modules.callbacks.trainer_parts import callbacks_of, profiler_of, set_profiler
from ocr.performance.errors import OperationError
from ocr.performance.private_text import error_text
from ocr.performance.record import environment
from ocr.performance.record.device import DeviceTimeline
from ocr.performance.record.heartbeat import Heartbeat
from ocr.performance.record.memory import MemoryProbe
from ocr.performance.record.recorder import RECORDS_FOLDER, Recorder
from ocr.performance.sections import listen
from ocr.performance.stages import Line, Stage

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr.performance.record.batches import EpochRow
    from ocr.performance.run import RunStatus
    from ocr.performance.sections import SectionListener

logger = logging.getLogger(__name__)

MIN_SECONDS_BETWEEN_BATCH_ROWS = 1.0
BATCH_SIZE_SEARCH_DEPTH = 3

_STAGES = {
    RunningStage.TRAINING: Stage.TRAIN,
    RunningStage.SANITY_CHECKING: Stage.SANITY_CHECK,
    RunningStage.VALIDATING: Stage.VALIDATION,
    RunningStage.TESTING: Stage.TEST,
    RunningStage.PREDICTING: Stage.PREDICT,
}


class PerformanceProfilerCallback(Callback):
    """Accounts for every second of a run and records it; put it in any Trainer's callbacks.

    Each stage's batches, waits for data, hooks, loggers, checkpoints and named operations are
    timed on the host's clock. The records go to `<output folder>/records` as the run goes; the
    epochs' statistics go to the trainer's loggers as `performance/*`. A failure of the profiler
    is a warning, never the end of a training; only a wrong name in `operations` is an error, and
    comes before the run starts.

    Args:
        enabled: False makes the callback do nothing.
        log_interval: Every so many batches of a stage, log the last batch's time (at most once a
            second); 0 logs statistics at the end of epochs only.
        profile_memory: Sample the memory of the process tree once a second.
        verbose: Log each epoch's statistics with Python's logging as well.
        operations: Dotted names of callables to time wherever they are called, in loader workers
            too, as in `cv2.findContours`.
        output_dir: Folder of the baseline; default `baseline` in the Hydra run's output folder,
            else in `trainer.default_root_dir`.
    """

    def __init__(
        self,
        enabled: bool = True,
        log_interval: int = 10,
        profile_memory: bool = True,
        verbose: bool = False,
        operations: Sequence[str] = (),
        output_dir: str | Path | None = None,
    ) -> None:
        """Check the arguments; nothing is measured before a trainer's `setup`."""
        super().__init__()
        if log_interval < 0:
            raise ValueError(f"log_interval must be 0 or more batches, not {log_interval}")
        self.enabled = enabled
        self.log_interval = log_interval
        self.profile_memory = profile_memory
        self.verbose = verbose
        self.operations = tuple(operations)
        self.output_dir = output_dir
        self._recorder: Recorder | None = None
        self._heartbeat: Heartbeat | None = None
        self._timing: FrameworkTiming | None = None
        self._profiler: AccountingProfiler | None = None
        self._trainer: Trainer | None = None
        self._listened_before: SectionListener | None = None
        self._batch_logged_at_s = float("-inf")
        self._device = torch.device("cpu")
        self._can_log = True
        self._reports = 0

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold the arguments; the run that is recorded stays with this one."""
        running = dict.fromkeys(
            ("_recorder", "_heartbeat", "_timing", "_profiler", "_trainer", "_listened_before"),
            None,
        )
        return {**vars(self), **running}

    @property
    def records_folder(self) -> Path | None:
        """Where the run's records are, once a trainer has set the callback up."""
        return None if self._recorder is None else self._recorder.folder

    def wait_for_ranks(self, trainer: Trainer) -> None:
        """Wait, for some seconds at most, until the other ranks have finished their records too."""
        if trainer.world_size > 1 and self._recorder is not None:
            wait_for_ranks(
                self._recorder.folder, world_size=trainer.world_size, reports=self._reports
            )

    def finish_records(self, status: RunStatus, ended_by: str | None = None) -> None:
        """End the run's records with its status, so that a report can be made.

        Raises:
            OSError: When the records can't be written.
        """
        if self._recorder is None or self._heartbeat is None:
            return
        self._reports += 1
        self._recorder.pause()
        self._heartbeat.beat(is_flush_due=True)
        self._recorder.flush(with_samples=True)
        self._write_status(self._recorder, self._heartbeat, status, ended_by)

    def _write_status(
        self,
        recorder: Recorder,
        heartbeat: Heartbeat,
        status: RunStatus,
        ended_by: str | None = None,
    ) -> None:
        recorder.write(
            {
                "type": "status",
                "status": status,
                "ended_by": ended_by,
                "reports": self._reports,
                "at_ns": recorder.now_ns(),
                "event_cost_ns": recorder.event_cost_ns,
                "background_cpu_ns": heartbeat.cpu_ns,
                "discarded_batches": recorder.discarded_batches,
                "volatile": heartbeat.machine.summary(),
                "memory": accelerator_memory.peaks(self._device),
            }
        )

    # -- hooks -----------------------------------------------------------------------------

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if not self.enabled:
            return
        profilers = [c for c in callbacks_of(trainer) if isinstance(c, PerformanceProfilerCallback)]
        if self is not next((c for c in profilers if c.enabled), self):
            logger.warning("A second PerformanceProfilerCallback does nothing: take one out.")
            return
        try:
            self._start(trainer, pl_module)
        except OperationError:
            self._stop()
            raise
        except Exception as error:  # noqa: BLE001 - measuring must never end a training
            self._give_up("start", error)

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._time_metrics(pl_module)

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._time_metrics(pl_module)

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._time_metrics(pl_module)

    @override
    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._time_metrics(pl_module)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._recorder is not None:
            identity = run_description.loader_identity(trainer)
            with suppress(OSError):  # the heartbeat warns of a disk that can't be written
                self._recorder.write_header({"environment": {"identity": identity}})

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._begin_batch(trainer, batch, batch_idx, 0)

    @override
    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._begin_batch(trainer, batch, batch_idx, dataloader_idx)

    @override
    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._begin_batch(trainer, batch, batch_idx, dataloader_idx)

    @override
    def on_predict_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._begin_batch(trainer, batch, batch_idx, dataloader_idx)

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        try:
            if self._recorder is not None and self._profiler is not None:
                self.finish_records(status_of(exception), error_text(exception))
        except Exception as error:  # noqa: BLE001 - the user's exception is the one to see
            self._give_up("finish", error)
        self._stop()

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._stop()

    # -- starting and stopping -------------------------------------------------------------

    def _start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._timing is not None:  # a run ended without a word to this callback
            self._stop()
        recorder, heartbeat = self._recorder_of(trainer)
        self._trainer = trainer

        def stage() -> Stage:
            """A tuner that puts this callback aside for its trials is part of the set-up."""
            return running_stage(trainer) if self in callbacks_of(trainer) else Stage.SETUP

        timing = self._timing = FrameworkTiming(recorder, self.operations)
        recorder.resume()
        recorder.write_header(self._header(trainer, pl_module))
        profiler = self._profiler = AccountingProfiler(
            recorder,
            profiler_of(trainer),
            callback_lines=self._callback_lines(trainer),
            running_stage=stage,
            current_epoch=lambda: trainer.current_epoch,
            on_epoch_closed=self._on_epoch_closed,
        )
        timing.apply(
            trainer,
            running_stage=stage,
            loader_startup=profiler.loader_startup(),
        )
        set_profiler(trainer, profiler)
        self._listened_before = listen(recorder.operations)
        heartbeat.start()

    def _recorder_of(self, trainer: Trainer) -> tuple[Recorder, Heartbeat]:
        """Go on with the records of the run before if they are in this trainer's folder."""
        own = run_description.output_folder(trainer, self.output_dir) / RECORDS_FOLDER
        folder = shared_folder(trainer, own)
        if self._recorder is not None and self._heartbeat is not None:
            if self._recorder.folder == folder:
                self._write_status(self._recorder, self._heartbeat, "unknown")
                return self._recorder, self._heartbeat
            self._recorder.close()
        recorder = self._recorder = self._make_recorder(trainer, folder)
        self._device = device = trainer.strategy.root_device
        read_accelerator = functools.partial(accelerator_memory.read, device)
        probe = MemoryProbe(read_accelerator) if self.profile_memory else None
        heartbeat = self._heartbeat = Heartbeat(recorder, probe=probe)
        return recorder, heartbeat

    def _make_recorder(self, trainer: Trainer, folder: Path) -> Recorder:
        rank = trainer.global_rank
        remove_earlier_records(folder, rank, trainer.world_size)
        is_cuda = trainer.strategy.root_device.type == "cuda"
        return Recorder(folder, rank=rank, device=DeviceTimeline(CudaClock()) if is_cuda else None)

    def _header(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        own = {
            "written_at": datetime.now(timezone.utc).isoformat(),
            "clock": "time.perf_counter_ns (host)",
            "world_size": trainer.world_size,
        }
        if not trainer.is_global_zero:  # whose loggers are dummies, and whose report is rank 0's
            return own
        return own | {
            "run": run_description.run_identity(trainer),
            "environment": {
                "identity": run_description.environment_identity(trainer),
                "volatile": environment.volatile(Path.cwd()),
            },
            "config": run_description.run_config(trainer, pl_module),
            "profile_memory": self.profile_memory,
        }

    def _callback_lines(self, trainer: Trainer) -> Mapping[str, str]:
        return {callback.state_key: self._line_of(callback) for callback in callbacks_of(trainer)}

    def _line_of(self, callback: Callback) -> str:
        if isinstance(callback, PerformanceProfilerCallback) or getattr(
            callback, "is_baseline_reporter", False
        ):
            return Line.PROFILER.value
        if isinstance(callback, Checkpoint):
            return Line.CHECKPOINT.value
        return CALLBACK_LINE_PREFIX + type(callback).__name__

    def _stop(self) -> None:
        """Take everything back that `_start` put in place; harmless when repeated."""
        if self._timing is not None:
            listen(self._listened_before)
            self._listened_before = None
            self._timing.undo()
            self._timing = None
        trainer, profiler = self._trainer, self._profiler
        if trainer is not None and profiler is not None and profiler_of(trainer) is profiler:
            set_profiler(trainer, profiler.inner)
        self._profiler = None
        self._trainer = None
        try:
            if self._recorder is not None:
                self._recorder.pause()
            if self._heartbeat is not None:
                self._heartbeat.stop()
        except Exception as error:  # noqa: BLE001 - the training's own end is under way
            self._give_up("stop", error)

    def _give_up(self, step: str, error: Exception) -> None:
        logger.warning(
            "Performance profiling failed to %s (%s: %s): the run goes on without it.",
            step,
            type(error).__name__,
            error,
            exc_info=logger.isEnabledFor(logging.DEBUG),
        )
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            self._stop()
            self._heartbeat = None
            with suppress(OSError):
                recorder.close()

    # -- as the run goes -------------------------------------------------------------------

    def _time_metrics(self, pl_module: LightningModule) -> None:
        if self._timing is not None:
            self._timing.time_metrics(pl_module)

    def _begin_batch(
        self, trainer: Trainer, batch: Any, batch_idx: int, dataloader_idx: int
    ) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        try:
            size = batch_size_of(batch)
        except Exception:  # noqa: BLE001 - a batch of the user's own kind may raise anything
            size = None
        recorder.begin_batch(batch_idx, dataloader_idx, size)
        if self.log_interval and batch_idx % self.log_interval == 0 and batch_idx:
            self._log_batch(trainer, recorder)

    def _log_batch(self, trainer: Trainer, recorder: Recorder) -> None:
        durations_ns = recorder.state_of(recorder.stage).epoch_durations_ns
        now_s = time.monotonic()
        if not durations_ns or now_s - self._batch_logged_at_s < MIN_SECONDS_BETWEEN_BATCH_ROWS:
            return
        self._batch_logged_at_s = now_s
        name = f"performance/{recorder.stage.metric_prefix}_batch_time"
        self._log(trainer, lambda: {name: durations_ns[-1] * 1e-9})

    def _on_epoch_closed(self, stage: Stage, row: EpochRow) -> None:
        recorder, trainer = self._recorder, self._trainer
        if recorder is None or trainer is None or stage is Stage.SANITY_CHECK or not row.batches:
            return

        def metrics() -> dict[str, float]:
            values = epoch_metrics(recorder.state_of(stage), row)
            if self.profile_memory:
                values |= memory_metrics(self._device)
            if self.verbose:
                logger.info("%s epoch %d: %s", stage.value, row.epoch, values)
            return values | {"epoch": float(row.epoch)}

        self._log(trainer, metrics)

    def _log(self, trainer: Trainer, make_metrics: Callable[[], dict[str, float]]) -> None:
        if not self._can_log:
            return
        try:
            metrics = make_metrics()
            for run_logger in trainer.loggers:
                run_logger.log_metrics(metrics, step=trainer.global_step)
        except Exception as error:  # noqa: BLE001 - a logger's trouble is not the training's
            self._can_log = False
            logger.warning(
                "Performance metrics can't be logged (%s: %s) and won't be in this run; the "
                "records on disk have them.",
                type(error).__name__,
                error,
            )


def running_stage(trainer: Trainer) -> Stage:
    """Return the stage that the trainer is in; `setup` before it has one."""
    stage = trainer.state.stage
    return Stage.SETUP if stage is None else _STAGES[stage]


def status_of(exception: BaseException) -> RunStatus:
    """Return how a run ends that this exception ends.

    Ctrl-C, SIGTERM and `sys.exit()` without an error code interrupt; everything else fails.
    """
    if isinstance(exception, SystemExit):
        return "failed" if exception.code else "interrupted"
    return (
        "interrupted" if isinstance(exception, KeyboardInterrupt | SIGTERMException) else "failed"
    )


def batch_size_of(batch: Any, depth: int = BATCH_SIZE_SEARCH_DEPTH) -> int | None:
    """Return the first dimension of the first tensor in a batch, None where there is none."""
    if isinstance(batch, torch.Tensor):
        return batch.shape[0] if batch.ndim else None
    if depth == 0:
        return None
    if isinstance(batch, dict | Mapping):  # `dict` first: asking an abstract class is slow
        batch = batch.values()
    elif not isinstance(batch, list | tuple):
        return None
    for item in batch:
        size = batch_size_of(item, depth - 1)
        if size is not None:
            return size
    return None
