"""The end of a recorded loop: its status, its last records and its report."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from ocr_baseline.layout import JSON_NAME
from ocr_baseline.measure.deferred_child_signals import deferred_child_signals
from ocr_baseline.measure.folder_answer import wait_for_answer
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.prompt_turns import prompt_turns
from ocr_baseline.recording.deferred_sigterm import deferred_sigterm
from ocr_baseline.recording.launchers_watch import watch_stands_still
from ocr_baseline.recording.read_back import read_back
from ocr_baseline.recording.screen import show_report, show_unreported
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from ocr_baseline.recording.loop_run import LoopRun
    from ocr_baseline.vocabulary import RunStatus
    from ocr_baseline.write import ReportFiles

logger = OutwardLogger(__name__)


def status_of(error: BaseException | None) -> RunStatus:
    """Return how a loop ends that this exception leaves.

    Ctrl-C and `sys.exit()` without an error code interrupt; everything else fails.
    """
    if error is None:
        return "finished"
    kind = type(error)  # `isinstance` asks an exception of the user's, which may fail to answer
    if issubclass(kind, SystemExit):
        return "failed" if getattr(error, "code", None) else "interrupted"
    return "interrupted" if issubclass(kind, KeyboardInterrupt) else "failed"


def report_on(run: LoopRun, exception: BaseException | None) -> ReportFiles | None:
    """End the records and write the report; what fails is a warning that names its cause.

    Args:
        run: The run that ends.
        exception: The exception that leaves the loop.
    """
    try:
        children = deferred_child_signals(is_failing=exception is not None)
        with watch_stands_still(), prompt_turns(), deferred_sigterm(), children:
            try:
                return _written(run, exception)
            except Exception as error:  # noqa: BLE001 - a report must never fail the loop
                let_through(error)
                _say_not_written(run, error)
            finally:
                run.end()
    except Exception as error:  # noqa: BLE001 - as above
        let_through(error)
        _say_not_written(run, error)
    return None


def _say_not_written(run: LoopRun, error: Exception) -> None:
    if run.summary:
        show_unreported(error_text(error), "report --run-dir", run.folder)
    logger.warning(
        "The performance baseline could not be written (%s). The loop is not affected; "
        "`ocr-baseline report --run-dir %s` tries again from the records.",
        error_text(error),
        run.folder,
        exc_info=logger.isEnabledFor(logging.DEBUG),
    )


def _written(run: LoopRun, exception: BaseException | None) -> ReportFiles | None:
    from ocr_baseline.write import write_report

    recording = run.recording
    status = status_of(exception)
    ended_by = None if exception is None else error_text(exception)
    with suppress(OSError):  # the heartbeat has warned; the report says what it lacks
        recording.finish(status, ended_by)
    if not run.rank.is_zero:
        return None
    if recording.is_withdrawn:
        logger.info(
            "The loop ended before it had finished a batch: %s keeps what the run before left",
            run.folder,
        )
        return None
    if recording.is_replaced():
        logger.warning(
            "Another run's records took the place of this one's in %s: no report of this loop is "
            "written. Give each run an output_dir of its own.",
            recording.folder,
        )
        return None
    if status == "finished":
        recording.wait_for_ranks()
    wait_for_answer(run.folder)
    found = read_back(recording.folder, status, ended_by)
    if not found.stages and (run.folder / JSON_NAME).is_file():
        logger.warning("Nothing of this loop was measured: %s keeps its report", run.folder)
        return None
    files = write_report(found, run.folder)
    if run.summary:
        show_report(files)
    else:
        logger.info("Performance baseline: %s", files.first_read)
    return files
