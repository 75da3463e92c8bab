"""`BaselineReportCallback`: when the fit ends, writes the run's performance baseline."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from ocr_baseline.clocks import monotonic
from ocr_baseline.layout import JSON_NAME
from ocr_baseline.lightning.attach.framework import package_of
from ocr_baseline.lightning.attach.guest_callback import GuestCallback
from ocr_baseline.lightning.attach.trainer_parts import callbacks_of, status_of, was_told_to_end
from ocr_baseline.lightning.profiler import PerformanceProfilerCallback
from ocr_baseline.lightning.run import description as run_description
from ocr_baseline.lightning.run.local_sources import checked_order, live_info, load_run
from ocr_baseline.measure.deferred_child_signals import deferred_child_signals
from ocr_baseline.measure.folder_answer import wait_for_answer
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.prompt_turns import prompt_turns
from ocr_baseline.publish import checked_targets
from ocr_baseline.recording.config_policy import ConfigPolicy
from ocr_baseline.recording.deferred_sigterm import deferred_sigterm
from ocr_baseline.recording.launchers_watch import watch_stands_still
from ocr_baseline.recording.screen import show_report, show_unreported
from ocr_baseline.signal_errors import let_through, suppress_failures
from ocr_baseline.sources.logged.keys import Keys
from ocr_baseline.sources.source import LiveRun, ReadOptions
from ocr_baseline.vocabulary import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.model.run import RunInfo
    from ocr_baseline.recording.recording import Recording
    from ocr_baseline.vocabulary import RunStatus, SourceName
    from ocr_baseline.write import ReportFiles

logger = OutwardLogger(__name__)

_NO_BATCH = "the run ended before it had finished a batch"
CLIENTS_STARTUP_S = 10.0
"""What the servers' clients may take to start, all together; on a free machine it is a second."""


class BaselineReportCallback(GuestCallback):
    """Writes `baseline.md`, `baseline.json`, `metrics.csv` and `batches.csv` at the end of a fit.

    The numbers come from the first of `sources` that holds any: the records of the
    `PerformanceProfilerCallback` beside it; without one, the metrics that any callback logged as
    `performance/*`, from the trainer, its loggers' files or, last, the W&B API. A source that
    fails is named in the report with its cause. A validate, test or predict run that follows
    renews the report. A report that fails is a warning that names its cause; the training's
    result stays as it is. At the end the screen shows the answer, on rank 0.

    Args:
        output_dir: Folder of the report; default that of the `PerformanceProfilerCallback`, else
            `baseline` in the Hydra run's output folder or in `trainer.default_root_dir` (in the
            working folder where that is at another address, as `s3://…`).
        wandb_timeout_s: Longest wait for a server's answers (W&B's API, MLflow's), in seconds, once
            in a run. All servers together, the start of their clients included, get ten seconds
            more at the end of a fit.
        sources: Where to look, in this order; default recorder, logged-metrics, csv, tensorboard,
            mlflow, wandb-offline, wandb-api.
        metric_names: Keys of the project's own that stand for known ones, as in
            `{"my/val_seconds": "performance/val_epoch_time"}`.
        include_config: Keep the run's configuration, secrets redacted, in the report; False leaves
            it out. The profiler's argument of that name decides on the records.
        shown_config_keys: Dotted paths of configuration entries that look like secrets and are
            none, where no profiler is beside it.
        summary: Print the answer in a few lines once a fit has ended, or a validate, test or
            predict run without a fit before it.
        publish: Where to send the report too, by the trainer's own loggers: any of wandb, mlflow,
            tensorboard and github (the summary of the GitHub Actions step); default nowhere.

    Raises:
        SettingError: `sources`, `metric_names` or `publish` hold a name that is not known.
    """

    def __init__(
        self,
        output_dir: str | Path | None = None,
        wandb_timeout_s: float = 5.0,
        sources: Sequence[str] | None = None,
        metric_names: Mapping[str, str] | None = None,
        include_config: bool = True,
        shown_config_keys: str | Sequence[str] = (),
        summary: bool = True,
        publish: str | Sequence[str] = (),
    ) -> None:
        """Keep the arguments; everything else waits for the end of the run."""
        super().__init__()
        if wandb_timeout_s <= 0:
            raise ValueError(f"wandb_timeout_s must be above 0 seconds, not {wandb_timeout_s}")
        self.output_dir = output_dir
        self.wandb_timeout_s = wandb_timeout_s
        self.sources = checked_order(sources)
        Keys(metric_names)  # a name that is not known is told before the training
        self.metric_names = dict(metric_names or {})
        self.config_policy = ConfigPolicy(
            include=include_config, shown_keys=names_of(shown_config_keys)
        )
        self._folder = run_description.OutputFolder(output_dir)
        self._pid: int | None = None
        self._given_up: dict[SourceName, str] = {}
        self._is_cut_short = False
        self.summary = summary
        self._has_summarized = False
        self._is_summary_due = False
        self._renewable: datetime | None = None
        self.files: ReportFiles | None = None
        self.publish = checked_targets(publish)
        self._unpublishable: set[str] = set()
        self._unpublished: LiveRun | None = None

    def _repr_html_(self) -> str | None:
        """Return the page of the report in a frame, which is what a notebook shows."""
        return None if self.files is None else self.files._repr_html_()

    def _repr_markdown_(self) -> str | None:
        """Return the report, which a notebook that shows no HTML shows."""
        return None if self.files is None else self.files._repr_markdown_()

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._pid = os.getpid()
        self._is_cut_short = False
        if stage == "fit":
            self._renewable = None
        is_first = stage == "fit" or not self._has_summarized
        self._is_summary_due = self.summary and is_first and trainer.is_global_zero
        with suppress_failures():  # what is wrong with the folder is told when it is written to
            self._folder.of(trainer)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._report(trainer, pl_module, None)

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._report(trainer, pl_module, exception)

    @override
    def ended_aside(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException,
        profiler: PerformanceProfilerCallback,
    ) -> None:
        self._report(trainer, pl_module, exception, profiler)

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit":
            self._report(trainer, pl_module, None)

    def _report(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException | None,
        profiler: PerformanceProfilerCallback | None = None,
    ) -> None:
        if self._pid not in {None, os.getpid()} or self._is_cut_short:
            return  # a process that was forked from the run's and has ended, or one told to end
        profiler = profiler or self._profiler(trainer)
        if profiler is not None and profiler.measures_another(trainer):
            return
        try:
            self._report_undisturbed(trainer, pl_module, exception, profiler)
        except Exception as error:  # noqa: BLE001 - a report must never fail the training
            let_through(error)
            self._not_written(error_text(error))
        self._publish()

    def _report_undisturbed(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException | None,
        profiler: PerformanceProfilerCallback | None,
    ) -> None:
        """Write the report while signals wait that would cut it off."""
        told_to_end = deferred_sigterm(self._cut_short, has_come=was_told_to_end(trainer))
        children = deferred_child_signals(is_failing=exception is not None)
        with watch_stands_still(), prompt_turns(), told_to_end, children:
            try:
                if profiler is not None:
                    self._folder.follow(profiler.output_folder)
                recording = None if profiler is None else profiler.recording
                self._finish(trainer, pl_module, exception, recording)
            except KeyboardInterrupt:
                self._cut_short("Ctrl-C came before it was done")
                raise
            except Exception as error:  # noqa: BLE001 - told before a signal that waits has its effect
                let_through(error)
                self._not_written(error_text(error))

    def _publish(self) -> None:
        """Send the report that was just written where it was asked for; each failed target once."""
        live, self._unpublished = self._unpublished, None
        names = [name for name in self.publish if name not in self._unpublishable]
        if live is None or self.files is None or not names or self._is_cut_short:
            return
        try:
            from ocr_baseline.publish.live import publish_live

            self._unpublishable |= publish_live(self.files, live, names)
        except Exception as error:  # noqa: BLE001 - publishing must never fail the training
            let_through(error)
            logger.warning(
                "The performance baseline was not published (%s). The training is not affected; "
                "`ocr-baseline publish` tries again.",
                error_text(error),
            )
            self._unpublishable |= set(names)

    def _cut_short(self, cause: str) -> None:
        """Whoever sends a signal wants an end: the hooks that follow it begin no other report."""
        self._is_cut_short = True
        self._not_written(cause)

    def _not_written(self, cause: str) -> None:
        self._say_unreported(cause, "report --run-dir")
        logger.warning(
            "The performance baseline could not be written (%s). The training is not affected; "
            "`ocr-baseline report --run-dir %s` tries again from the records.",
            cause,
            self._folder.last or "FOLDER",
            exc_info=logger.isEnabledFor(logging.DEBUG),
        )

    def _say_unreported(self, cause: str, command: str) -> None:
        """Let the screen say why there is no report, where it was to show one."""
        if self._is_summary_due:
            self._is_summary_due, self._has_summarized = False, True
            show_unreported(cause, command, self._folder.last)

    def _finish(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException | None,
        recording: Recording | None,
    ) -> None:
        status: RunStatus = "finished" if exception is None else status_of(trainer, exception)
        ended_by = None if exception is None else error_text(exception)
        if recording is not None:
            with suppress(OSError):  # the heartbeat has warned; the report says what it lacks
                recording.finish(status, ended_by)
        if not trainer.is_global_zero:
            return
        if recording is not None and recording.is_withdrawn:
            self._say_unreported(f"{_NO_BATCH}; the run before keeps its own", "show")
            logger.info(
                "The run ended before it had finished a batch: %s keeps what the run before left",
                self._folder.of(trainer),
            )
            return
        if recording is not None and recording.is_replaced():
            self._say_unreported("another run's records took the place of this one's", "show")
            logger.warning(
                "Another run's records took the place of this one's in %s: no report of this run "
                "is written. Give each run an output_dir of its own.",
                recording.folder,
            )
            return
        if recording is not None and status == "finished":
            recording.wait_for_ranks()
        self._write(trainer, pl_module, recording, live_info(trainer, status, ended_by))

    def _write(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        recording: Recording | None,
        info: RunInfo,
    ) -> None:
        from ocr_baseline.write import write_report

        live = LiveRun(
            trainer=trainer,
            info=info,
            records_folder=None if recording is None else recording.folder,
            options=ReadOptions(
                keys=Keys(self.metric_names),
                timeout_s=self.wandb_timeout_s,
                limit_s=self.wandb_timeout_s,
                until_s=monotonic() + CLIENTS_STARTUP_S + self.wandb_timeout_s,
            ),
        )
        folder = self._folder.of(trainer)
        wait_for_answer(folder)
        self._note_failed_profiler(trainer)
        run = load_run(live, pl_module, self.sources, self.config_policy, self._given_up)
        if not run.stages and (folder / JSON_NAME).is_file():
            self._say_unreported("nothing of this run was measured; an earlier one stays", "show")
            logger.warning("Nothing of this run was measured: %s keeps its report", folder)
            return
        self.files = write_report(run, folder, renews=self._renewable)
        self._renewable = self.files.baseline.generated_at
        self._unpublished = live
        if self._is_summary_due:
            self._is_summary_due, self._has_summarized = False, True
            show_report(self.files)
        elif not self.summary:
            with suppress_failures():  # a handler of the user's may raise
                OutwardLogger(package_of(trainer)).info(
                    "Performance baseline: %s", self.files.first_read
                )

    def _note_failed_profiler(self, trainer: Trainer) -> None:
        """Let the report say why the profiler has no records here.

        It failed before it had any, or was never set up. An exception in processes that a strategy
        has started is told to the process that started them alone.
        """
        self._given_up.pop("recorder", None)
        profiler = self._profiler(trainer)
        if profiler is None or profiler.recording is not None:
            return
        if profiler.failure is not None:
            self._given_up["recorder"] = f"measuring stopped as it began ({profiler.failure})"
        else:
            command = f"ocr-baseline report --run-dir {self._folder.of(trainer)}"
            self._given_up["recorder"] = (
                "the profiler was not set up in this process; where it started others, "
                f"`{command}` reports on what they have recorded"
            )

    @staticmethod
    def _profiler(trainer: Trainer) -> PerformanceProfilerCallback | None:
        for callback in callbacks_of(trainer):
            if isinstance(callback, PerformanceProfilerCallback) and callback.enabled:
                return callback
        return None
