"""`PerformanceProfilerCallback`: measures a run and logs its `performance/*` metrics."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback
from typing_extensions import override

from ocr_baseline.errors import OperationError
from ocr_baseline.layout import RECORDS_FOLDER
from ocr_baseline.lightning.attach.accounting_profiler import AccountingProfiler
from ocr_baseline.lightning.attach.action_lines import callback_lines
from ocr_baseline.lightning.attach.batch_size import batch_size_of
from ocr_baseline.lightning.attach.framework_timing import FrameworkTiming
from ocr_baseline.lightning.attach.trainer_parts import (
    callbacks_of,
    profiler_of,
    running_stage,
    set_profiler,
    status_of,
)
from ocr_baseline.lightning.metrics.metric_logger import MetricLogger
from ocr_baseline.lightning.run import description as run_description
from ocr_baseline.lightning.run.rank_records import shared_folder
from ocr_baseline.lightning.run.recording import Recording
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.measure.batches import EpochRow

logger = OutwardLogger(__name__)


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
        include_config: Keep the run's configuration, secrets redacted; False leaves it out of
            records and report.
        shown_config_keys: Dotted paths of configuration entries that look like secrets and are
            none, as in `model.auth_token_embedding`.
    """

    measures_the_run = True

    def __init__(
        self,
        enabled: bool = True,
        log_interval: int = 10,
        profile_memory: bool = True,
        verbose: bool = False,
        operations: Sequence[str] = (),
        output_dir: str | Path | None = None,
        include_config: bool = True,
        shown_config_keys: Sequence[str] = (),
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
        self.config_policy = run_description.ConfigPolicy(
            include=include_config, shown_keys=tuple(shown_config_keys)
        )
        self._metrics = MetricLogger(
            log_interval=log_interval, with_memory=profile_memory, verbose=verbose
        )
        self._recording: Recording | None = None
        self._timing: FrameworkTiming | None = None
        self._profiler: AccountingProfiler | None = None
        self._trainer: Trainer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold the arguments; the run that is recorded stays with this one."""
        running = dict.fromkeys(("_recording", "_timing", "_profiler", "_trainer"), None)
        return {**vars(self), **running}

    @property
    def records_folder(self) -> Path | None:
        """Where the run's records are, once a trainer has set the callback up."""
        return None if self._recording is None else self._recording.folder

    @property
    def recording(self) -> Recording | None:
        """The run's records, once a trainer has set the callback up and while all goes well."""
        return self._recording

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
        if self._timing is not None:
            self._timing.time_metrics(pl_module)

    # Metrics may be made as late as here; the ones that are timed already are passed over.
    on_validation_start = on_fit_start
    on_test_start = on_fit_start
    on_predict_start = on_fit_start

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._recording is not None:
            self._recording.describe_loader(trainer)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._recording is not None:
            self._recording.note_gradient_wait()

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

    on_test_batch_start = on_validation_batch_start
    on_predict_batch_start = on_validation_batch_start

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        try:
            if self._profiler is not None and self._recording is not None:
                self._recording.finish(status_of(exception), error_text(exception))
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
        recording = self._recording_of(trainer)
        recorder = recording.recorder
        self._trainer = trainer

        def stage() -> Stage:
            """A tuner that puts this callback aside for its trials is part of the set-up."""
            return running_stage(trainer) if self in callbacks_of(trainer) else Stage.SETUP

        timing = self._timing = FrameworkTiming(recorder, self.operations)
        recording.begin(trainer, pl_module)
        profiler = self._profiler = AccountingProfiler(
            recorder,
            profiler_of(trainer),
            callback_lines=callback_lines(callbacks_of(trainer)),
            running_stage=stage,
            current_epoch=lambda: trainer.current_epoch,
            on_epoch_closed=self._on_epoch_closed,
        )
        timing.apply(trainer, running_stage=stage, loader_startup=profiler.loader_startup())
        set_profiler(trainer, profiler)

    def _recording_of(self, trainer: Trainer) -> Recording:
        """Go on with the records of the run before if they are in this trainer's folder."""
        own = run_description.output_folder(trainer, self.output_dir) / RECORDS_FOLDER
        folder = shared_folder(trainer, own)
        if self._recording is not None:
            if self._recording.folder == folder:
                self._recording.reopen()
                return self._recording
            self._recording.close()
        self._recording = Recording(
            trainer,
            folder,
            profile_memory=self.profile_memory,
            config_policy=self.config_policy,
        )
        return self._recording

    def _stop(self) -> None:
        """Take everything back that `_start` put in place; harmless when repeated."""
        if self._timing is not None:
            self._timing.undo()
            self._timing = None
        trainer, profiler = self._trainer, self._profiler
        if trainer is not None and profiler is not None and profiler_of(trainer) is profiler:
            set_profiler(trainer, profiler.inner)
        self._profiler = None
        self._trainer = None
        try:
            if self._recording is not None:
                self._recording.pause()
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
        recording, self._recording = self._recording, None
        self._stop()
        if recording is not None:
            recording.close()

    # -- as the run goes -------------------------------------------------------------------

    def _begin_batch(
        self, trainer: Trainer, batch: Any, batch_idx: int, dataloader_idx: int
    ) -> None:
        if self._recording is None:
            return
        recorder = self._recording.recorder
        recorder.begin_batch(batch_idx, dataloader_idx, batch_size_of(batch))
        self._metrics.log_batch(trainer, recorder.stages.state_of(recorder.stage), batch_idx)

    def _on_epoch_closed(self, stage: Stage, row: EpochRow) -> None:
        recording, trainer = self._recording, self._trainer
        if recording is None or trainer is None or stage is Stage.SANITY_CHECK or not row.batches:
            return
        self._metrics.log_epoch(trainer, recording.recorder.stages.state_of(stage), row)
