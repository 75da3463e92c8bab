"""`PerformanceProfilerCallback`: measures a run and logs its `performance/*` metrics."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import override

from ocr_baseline.errors import OperationError
from ocr_baseline.lightning.attach.attachment import Attachment
from ocr_baseline.lightning.attach.before_setup import BeforeSetup
from ocr_baseline.lightning.attach.gradient_exchange import gradient_wait_s
from ocr_baseline.lightning.attach.guest_callback import GuestCallback
from ocr_baseline.lightning.attach.probe_settings import ProbeSettings
from ocr_baseline.lightning.attach.trainer_parts import (
    callbacks_of,
    is_fitting,
    is_running,
    keep_sampling_out_of_saved_handlers,
    status_of,
)
from ocr_baseline.lightning.metrics import MetricLogger
from ocr_baseline.lightning.run import description as run_description
from ocr_baseline.lightning.run.run_records import RunRecords
from ocr_baseline.measure.deferred_child_signals import deferred_child_signals
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.prompt_turns import prompt_turns
from ocr_baseline.recording.config_policy import ConfigPolicy
from ocr_baseline.recording.loader_identity import loader_identity
from ocr_baseline.recording.recording import MOST_SAMPLING_HZ
from ocr_baseline.signal_errors import let_through, suppress_failures
from ocr_baseline.vocabulary import Stage, names_of

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.lightning.run.description import OutputFolder
    from ocr_baseline.measure.batches import EpochRow
    from ocr_baseline.recording.recording import Recording

Hook = TypeVar("Hook", bound=Callable[..., Any])

logger = OutwardLogger(__name__)


def guarded(hook: Hook) -> Hook:
    """Return a hook whose failure ends the measuring and never the training."""

    @functools.wraps(hook)
    def run(self: PerformanceProfilerCallback, *args: Any, **kwargs: Any) -> None:
        try:
            hook(self, *args, **kwargs)
        except OperationError:  # a wrong setting, before the run starts
            raise
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self.failed(error)

    return cast("Hook", run)


class PerformanceProfilerCallback(GuestCallback):
    """Accounts for every second of a run and records it; put it in any Trainer's callbacks.

    Each stage's batches, waits for data, hooks, loggers, checkpoints and named operations are
    timed on the host's clock. The records go to `<output folder>/records` as the run goes; the
    epochs' statistics go to the trainer's loggers as `performance/*`. A failure of the profiler
    ends the measuring with a warning, and never the training; the report says from when on nothing
    was measured. Only a wrong name in `operations` is an error, and comes before the run starts.

    Args:
        enabled: False makes the callback do nothing.
        log_interval: Every so many batches of a stage, log the last batch's time (at most once a
            second); 0 logs statistics at the end of epochs only.
        profile_memory: Sample the memory of the process tree once a second.
        verbose: Log each epoch's statistics with Python's logging as well.
        operations: Dotted names, one or several, of callables to time wherever they are called, in
            loader workers too, as in `cv2.findContours`.
        sampling_hz: Look this many times a second, in the main thread and in loader workers, which
            functions are running; 0 doesn't.
        output_dir: Folder of the baseline; default that of the `BaselineReportCallback`, else
            `baseline` in the Hydra run's output folder or in `trainer.default_root_dir` (in the
            working folder where that is at another address, as `s3://…`).
        include_config: Keep the run's configuration, secrets redacted; False leaves it out of
            records and report.
        shown_config_keys: Dotted paths of configuration entries that look like secrets and are
            none, as in `model.auth_token_embedding`.
        profile_window: Look with torch.profiler into so many steady training batches, once in a
            run: kernels, operators, modules, calls that wait for the device. They are slower, and
            in no statistic; 0 doesn't.
        count_flops: Count the floating-point operations of one warm-up batch, once in a run.

    Attributes:
        failure: Why nothing is measured any more, None while all goes well.
    """

    def __init__(
        self,
        enabled: bool = True,
        log_interval: int = 10,
        profile_memory: bool = True,
        verbose: bool = False,
        operations: str | Sequence[str] = (),
        sampling_hz: float = 100.0,
        output_dir: str | Path | None = None,
        include_config: bool = True,
        shown_config_keys: str | Sequence[str] = (),
        profile_window: int = 0,
        count_flops: bool = False,
    ) -> None:
        """Check the arguments; nothing is measured before a trainer's `setup`."""
        super().__init__()
        if log_interval < 0:
            raise ValueError(f"log_interval must be 0 or more batches, not {log_interval}")
        if not 0 <= sampling_hz <= MOST_SAMPLING_HZ:  # NaN is refused too
            raise ValueError(
                f"sampling_hz must be 0 to {MOST_SAMPLING_HZ} times a second, not {sampling_hz}"
            )
        self.enabled = enabled
        self.log_interval = log_interval
        self.profile_memory = profile_memory
        self.verbose = verbose
        self.operations = names_of(operations)
        self.sampling_hz = float(sampling_hz)
        self.output_dir = output_dir
        self.config_policy = ConfigPolicy(
            include=include_config, shown_keys=names_of(shown_config_keys)
        )
        self.probes = ProbeSettings(profile_window=profile_window, count_flops=count_flops)
        self._metrics = MetricLogger(
            log_interval=log_interval, with_memory=profile_memory, verbose=verbose
        )
        self._records = RunRecords(output_dir)
        self._attachment: Attachment | None = None
        self.failure: str | None = None
        self._before_setup = BeforeSetup()

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold the arguments; the run that is recorded stays with this one."""
        return vars(self) | {"_attachment": None, "failure": None, "_before_setup": None}

    @property
    def log(self) -> Any:
        """The module's `log`, which Lightning gives to each callback as a run begins."""
        try:
            return vars(self)["log"]
        except KeyError:
            raise AttributeError("log") from None  # as of any callback before its first run

    @log.setter
    def log(self, log: Any) -> None:
        vars(self)["log"] = log
        if self.enabled:
            try:
                self._before_setup.fit_began(log.__self__.trainer)
            except Exception as error:  # noqa: BLE001 - a part of the start isn't divided, and no more
                let_through(error)
                self._before_setup.end()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy is of the same run only in a process that a strategy has started."""
        vars(self).update(state)
        self._records = self._records.of_copy()
        self._before_setup = BeforeSetup()

    @property
    def records_folder(self) -> Path | None:
        """Where the run's records are, once a trainer has set the callback up."""
        return None if self.recording is None else self.recording.folder

    @property
    def output_folder(self) -> OutputFolder:
        """The folder of the baseline, for each trainer."""
        return self._records.output_folder

    @property
    def recording(self) -> Recording | None:
        """The run's records, once a trainer has set the callback up and while all goes well."""
        return self._records.recording

    # -- hooks -----------------------------------------------------------------------------

    @override
    @guarded
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._before_setup.end()
        if not self.enabled:
            return
        profilers = [c for c in callbacks_of(trainer) if isinstance(c, PerformanceProfilerCallback)]
        if self is not next((c for c in profilers if c.enabled), self):
            logger.warning("A second PerformanceProfilerCallback does nothing: take one out.")
            return
        claim = object()  # atomic: another thread may set up a trainer with this very callback
        is_another = vars(self).setdefault("_claim", claim) is not claim
        try:
            if is_another or self.measures_another(trainer):
                logger.warning(
                    "This PerformanceProfilerCallback measures the run of another trainer: it does "
                    "nothing in this one. Give each trainer callbacks of its own."
                )
                return
            with prompt_turns():
                self._start(trainer, pl_module)
        except OperationError:
            self._stop()
            raise
        finally:
            if not is_another:
                vars(self).pop("_claim", None)

    @override
    @guarded
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if (attachment := self._attached_to(trainer)) is not None:
            attachment.time_metrics(pl_module)

    @override
    @guarded
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loop_began(Stage.TRAIN, trainer, pl_module)
        if self._attached_to(trainer) is not None and self.recording is not None:
            identity = loader_identity(trainer.train_dataloader)
            self.recording.describe({"environment": {"identity": identity}})

    @override
    @guarded
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loop_began(Stage.VALIDATION, trainer, pl_module)

    @override
    @guarded
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loop_began(Stage.TEST, trainer, pl_module)

    @override
    @guarded
    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loop_began(Stage.PREDICT, trainer, pl_module)

    @override
    @guarded
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        attachment = self._attached_to(trainer)
        if attachment is not None and self.recording is not None:
            attachment.stop_probes()
            self.recording.note_gradient_wait()

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
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch is None:  # Lightning trains on none of these, and calls no first hook
            self._note_empty_batch(trainer, batch_idx)
        elif self._attachment is not None and self._attachment.probes is not None:
            self._end_probes(trainer, batch_idx)

    @override
    @guarded
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._before_setup.end()
        if not self._may_end(trainer):
            return
        with deferred_child_signals(is_failing=True):
            try:
                if self._attachment is not None and self.recording is not None:
                    self._attachment.stop_probes()
                    self.recording.finish(status_of(trainer, exception), error_text(exception))
            finally:
                self._stop()

    def _ended_aside(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException,
        guests: Sequence[GuestCallback],
    ) -> None:
        """End the run, and tell the others: the trainer has told a tuner's callbacks alone."""
        self.on_exception(trainer, pl_module, exception)
        if self.recording is not None:
            for guest in guests:
                guest.ended_aside(trainer, pl_module, exception, self)

    @override
    @guarded
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._may_end(trainer):
            self._stop()

    # -- whose run it is -------------------------------------------------------------------

    def measures_another(self, trainer: Trainer) -> bool:
        """Whether the run of another trainer, which has not ended, is being measured."""
        attachment = self._attachment
        if attachment is None or attachment.trainer is trainer:
            return False
        return attachment.is_of_this_process and is_running(attachment.trainer)

    def _attached_to(self, trainer: Trainer) -> Attachment | None:
        attachment = self._attachment
        return attachment if attachment is not None and attachment.trainer is trainer else None

    def _may_end(self, trainer: Trainer) -> bool:
        """Whether the end of a trainer's run, in this process, is the end of what is measured."""
        if self._attachment is None:
            return True
        if not self._attachment.is_of_this_process:
            keep_sampling_out_of_saved_handlers(trainer)  # it puts back what its parent had
            return False
        return self._attached_to(trainer) is not None

    # -- starting and stopping -------------------------------------------------------------

    def _start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()  # a run may have ended without a word to this callback
        before = self.recording
        recording = self._records.begin(
            trainer, profile_memory=self.profile_memory, sampling_hz=self.sampling_hz
        )
        if recording is not before:
            self.failure = None
        if self.failure is not None:
            return
        attachment = self._attachment = Attachment(
            trainer,
            self,
            recording.recorder,
            self.operations,
            failed=self.failed,
            probes=self.probes.of(trainer, pl_module, recording.recorder),
        )
        header = run_description.header_of(trainer, pl_module, self.config_policy)
        if recording.goes_on and not is_fitting(trainer):
            header.pop("environment", None)  # the run's environment is that of its training
        recording.begin(
            header,
            before=self._before_setup.told(recording.recorder.now_ns()),
            read_gradient_wait_s=functools.partial(gradient_wait_s, trainer),
        )
        guests = [one for one in callbacks_of(trainer) if isinstance(one, GuestCallback)]
        attachment.apply(
            on_epoch_closed=self._on_epoch_closed,
            on_exception=lambda error: self._ended_aside(trainer, pl_module, error, guests),
            on_end=lambda: self.teardown(trainer, pl_module, "fit"),
        )

    def _stop(self) -> None:
        """Take everything back that `_start` put in place; harmless when repeated."""
        attachment = self._attachment
        try:
            if attachment is not None:
                attachment.undo()  # where it fails, the guard tries again
                self._attachment = None
                if self.recording is not None and self.failure is None:
                    self.recording.pause()
        finally:
            self._records.release()

    def failed(self, error: Exception) -> None:
        """End the measuring for good: the one guard of all that the training calls here.

        Raises:
            Exception: The error, where a signal handler of the program's raised it.
        """
        let_through(error)
        if self.failure is not None:
            return
        cause = self.failure = error_text(error)
        attachment, self._attachment = self._attachment, None
        if attachment is not None:
            with suppress_failures():  # the training's own code is waiting
                attachment.undo()
        recording = self.recording
        is_kept = recording is not None and recording.break_off(cause)
        if not is_kept:
            self._records.recording = None
        covers_start = recording is not None and is_kept and not recording.is_replaced()
        logger.warning(
            "Performance measuring stopped (%s). The training goes on without it%s.",
            cause,
            "; the report covers what ran before" if covers_start else "",
            exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
        )

    # -- as the run goes -------------------------------------------------------------------

    def _loop_began(self, stage: Stage, trainer: Trainer, module: LightningModule) -> None:
        if (attachment := self._attached_to(trainer)) is not None:
            attachment.loop_began(stage, module)

    def _begin_batch(
        self, trainer: Trainer, batch: Any, batch_idx: int, dataloader_idx: int
    ) -> None:
        attachment = self._attachment
        if attachment is None or attachment.trainer is not trainer:
            return
        try:
            state = attachment.begin_batch(batch, batch_idx, dataloader_idx)
            if state is not None:
                self._metrics.log_batch(trainer, state, batch_idx)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self.failed(error)

    @guarded
    def _end_probes(self, trainer: Trainer, batch_idx: int) -> None:
        attachment = self._attached_to(trainer)
        if attachment is not None and attachment.probes is not None:
            attachment.probes.end_batch(batch_idx)

    @guarded
    def _note_empty_batch(self, trainer: Trainer, batch_idx: int) -> None:
        if (attachment := self._attached_to(trainer)) is not None:
            attachment.note_empty_batch(batch_idx)

    def _on_epoch_closed(self, stage: Stage, row: EpochRow) -> None:
        recording, attachment = self.recording, self._attachment
        if recording is None or attachment is None:
            return
        if stage is not Stage.SANITY_CHECK and row.batches:
            self._metrics.log_epoch(
                attachment.trainer, recording.recorder.stages.state_of(stage), row
            )
