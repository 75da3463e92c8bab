"""`BaselineReportHook`: after a Hydra job, the report the job couldn't write itself.

Hydra creates the hook at the start of every program that configures it, so this module imports
little beyond Hydra. The report engine is imported once there are records to report on.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from typing_extensions import override

from ocr_baseline.hydra.lost_callbacks import lost_callbacks_warning
from ocr_baseline.layout import MAIN_RECORDS_NAME, RECORDS_FOLDER
from ocr_baseline.measure.folder_answer import wait_for_answer
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra.core.utils import JobReturn
    from hydra.types import TaskFunction
    from omegaconf import DictConfig

    from ocr_baseline.recovery import Ending

logger = OutwardLogger(__name__)

_RANK_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Where launchers put a process's rank, in the order in which Lightning looks."""


class BaselineReportHook(Callback):
    """Writes the report of a job that ended without one, and the table of a multirun.

    If a job has no report, or one that lacks batches found in its records, the hook writes it from
    the records on disk, with the job's own status and cause. It also does so when a process exits
    before its job returns (`sys.exit`, Ctrl-C). Jobs without records and ranks above 0 are left
    alone. If the hook fails you get a warning; the job's outcome doesn't change.

    Args:
        baseline_dir: Folder of the report, relative to the job's output folder or absolute.
        summary: Print the answer of a report that it writes, in a few lines.
    """

    def __init__(self, baseline_dir: str = "baseline", summary: bool = True) -> None:
        """Keep the arguments; nothing happens until a job starts."""
        self.baseline_dir = baseline_dir
        self.summary = summary
        self._job: _AtExit | None = None
        self._began_at: datetime | None = None
        self._multirun: _AtExit | None = None

    @override
    def on_job_start(
        self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any
    ) -> None:
        if not _is_first_rank():
            return
        self._began_at = datetime.now(timezone.utc)
        self._job = _AtExit(partial(self._report, self._folder(config), _ending_at_exit))
        warning = lost_callbacks_warning(config)
        if warning is not None:
            logger.warning(warning)

    @override
    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if _is_first_rank():
            self._report(self._folder(config), partial(_ending_of_job, job_return))

    @override
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._multirun = _AtExit(partial(self._summarize, config))

    @override
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if self._multirun is not None:
            self._multirun.cancel()
            self._multirun = None
        self._summarize(config)

    def _folder(self, config: DictConfig) -> Path:
        return Path(config.hydra.runtime.output_dir) / self.baseline_dir

    def _report(self, folder: Path, ending: Callable[[], Ending]) -> None:
        try:
            wait_for_answer(folder)
            if not _has_records(folder):
                return
            from ocr_baseline.recovery import recover_report

            files = recover_report(folder, ending(), began_at=self._began_at)
            if files is None:
                return
            logger.info("Performance baseline written to %s after the job", folder)
            if self.summary:
                from ocr_baseline.recording.screen import show_report

                show_report(files)
        except Exception as error:  # noqa: BLE001 - a report must not change the job's outcome
            let_through(error)
            _warn(f"The performance baseline in {folder}", error)

    def _summarize(self, config: DictConfig) -> None:
        if not _is_first_rank():
            return
        try:
            folder = Path(config.hydra.sweep.dir)
            wait_for_answer(folder)
            if not folder.is_dir():
                return
            from ocr_baseline.hydra.sweep import write_sweep_report

            table = write_sweep_report(folder, baseline_dir=self.baseline_dir)
            if table is not None:
                logger.info("Performance baselines of the sweep written to %s", table)
        except Exception as error:  # noqa: BLE001 - a report must not change the jobs' outcome
            let_through(error)
            _warn("The table of the sweep's performance baselines", error)


class _AtExit:
    """An action for a process that exits early; forked children don't run it."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._pid = os.getpid()
        atexit.register(self._run)

    def cancel(self) -> None:
        """Cancel the action."""
        atexit.unregister(self._run)

    def _run(self) -> None:
        if os.getpid() == self._pid:
            self._action()
            if isinstance(getattr(sys, "last_value", None), KeyboardInterrupt):
                _end_as_interrupted()


def _end_as_interrupted() -> None:
    """Make the interpreter exit by SIGINT, as it does after Ctrl-C.

    The interpreter forgets an uncaught interrupt as soon as code is run from a string, which many
    imports do (dataclasses, named tuples), and then exits with 1 instead.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")  # noqa: S102 - a fixed string, see above


def _is_first_rank() -> bool:
    rank = next((os.environ[name] for name in _RANK_VARIABLES if name in os.environ), "0")
    return rank == "0"


def _has_records(folder: Path) -> bool:
    return any(folder.glob(f"{RECORDS_FOLDER}/{MAIN_RECORDS_NAME}"))


def _ending_of_job(job_return: JobReturn) -> Ending:
    from hydra.core.utils import JobStatus

    from ocr_baseline.recovery import Ending, ending_by

    if job_return.status is JobStatus.COMPLETED:
        return Ending(status="finished")
    # The public property prints a line to stderr and raises what it holds.
    error = job_return._return_value
    return ending_by(error) if isinstance(error, BaseException) else Ending(status="failed")


def _ending_at_exit() -> Ending:
    """Return how a process ended that exits while its job is still running.

    The interpreter keeps an exception whose traceback it printed, such as that of Ctrl-C, but never
    a `SystemExit`.
    """
    from ocr_baseline.recovery import Ending, ending_by

    error = getattr(sys, "last_value", None)
    if isinstance(error, BaseException):
        return ending_by(error)
    return Ending(
        status="failed", ended_by="SystemExit: the process exited before its job returned"
    )


def _warn(what: str, error: Exception) -> None:
    logger.warning(
        "%s couldn't be written (%s: %s). The job isn't affected. To try again from the records, "
        "run: ocr-baseline report --run-dir FOLDER",
        what,
        type(error).__name__,
        error,
        exc_info=logger.isEnabledFor(logging.DEBUG),
    )
