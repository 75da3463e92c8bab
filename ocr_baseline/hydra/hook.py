"""`BaselineReportHook`: after a Hydra job, the report that the job could not write itself.

Hydra makes the hook at the start of every job that configures it, so this module imports hardly
anything beyond Hydra; the report engine is imported when there are records to report on.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from typing_extensions import override

from ocr_baseline.hydra.lost_callbacks import lost_callbacks_warning
from ocr_baseline.layout import MAIN_RECORDS_NAME, RECORDS_FOLDER
from ocr_baseline.measure.folder_answer import wait_for_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra.core.utils import JobReturn
    from hydra.types import TaskFunction
    from omegaconf import DictConfig

    from ocr_baseline.recovery import Ending

logger = logging.getLogger(__name__)

_RANK_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""What launchers tell a process its rank by, in the order in which Lightning asks."""


class BaselineReportHook(Callback):
    """Writes the report of a job that ended without one, and the table of a multirun.

    A job's report is written from the records on disk when it has none, or one that lacks batches
    which the records hold; its status and cause are the job's own. A process that leaves before
    its job returns (`sys.exit`, Ctrl-C) is seen to as it exits. A job without records is left
    alone, and so is every process of a rank above 0. A failure is a warning: the job's outcome
    stays as it is.

    Args:
        baseline_dir: Folder of the report, relative to the job's output folder or absolute.
    """

    def __init__(self, baseline_dir: str = "baseline") -> None:
        """Keep the argument; nothing happens before a job starts."""
        self.baseline_dir = baseline_dir
        self._job: _AtExit | None = None
        self._multirun: _AtExit | None = None

    @override
    def on_job_start(
        self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any
    ) -> None:
        if not _is_first_rank():
            return
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

            if recover_report(folder, ending()) is not None:
                logger.info("Performance baseline written to %s after the job", folder)
        except Exception as error:  # noqa: BLE001 - a report must not change the job's outcome
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
                logger.info("Performance baselines of the sweep in %s", table)
        except Exception as error:  # noqa: BLE001 - a report must not change the jobs' outcome
            _warn("The table of the sweep's performance baselines", error)


class _AtExit:
    """An action for the end of a process that leaves early; forked children don't take it."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._pid = os.getpid()
        atexit.register(self._run)

    def cancel(self) -> None:
        """Take the action back."""
        atexit.unregister(self._run)

    def _run(self) -> None:
        if os.getpid() == self._pid:
            self._action()
            if isinstance(getattr(sys, "last_value", None), KeyboardInterrupt):
                _end_as_interrupted()


def _end_as_interrupted() -> None:
    """Let the interpreter end as Ctrl-C has it, by SIGINT.

    It remembers an interrupt that nobody caught until code is run from a text again, which many
    an import does (dataclasses, named tuples); then it would exit with 1 instead.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")  # noqa: S102 - a fixed text, see above


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
    # The public property raises what it holds and prints a line to stderr first.
    error = job_return._return_value
    return ending_by(error) if isinstance(error, BaseException) else Ending(status="failed")


def _ending_at_exit() -> Ending:
    """Return how a process ended that exits while its job still runs.

    The interpreter keeps an exception that it printed the traceback of, Ctrl-C for one, and never
    a `SystemExit`.
    """
    from ocr_baseline.recovery import Ending, ending_by

    error = getattr(sys, "last_value", None)
    if isinstance(error, BaseException):
        return ending_by(error)
    return Ending(status="failed", ended_by="SystemExit: the process left before its job returned")


def _warn(what: str, error: Exception) -> None:
    logger.warning(
        "%s could not be written (%s: %s). The job is not affected; `ocr-baseline report "
        "--run-dir FOLDER` tries again from the records.",
        what,
        type(error).__name__,
        error,
        exc_info=logger.isEnabledFor(logging.DEBUG),
    )
