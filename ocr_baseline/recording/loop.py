"""`record`: a loop of the user's own, recorded and reported as a Trainer's run is."""

from __future__ import annotations

import functools
import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from typing_extensions import Self

from ocr_baseline.errors import OperationError
from ocr_baseline.measure import sections
from ocr_baseline.measure.sections import section
from ocr_baseline.measure.traced_code import note_silent, trace_instead
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.recording.config_policy import ConfigPolicy
from ocr_baseline.recording.default_folder import named_folder
from ocr_baseline.recording.loop_batches import Batches
from ocr_baseline.recording.loop_ending import report_on
from ocr_baseline.recording.loop_guard import GuardedBlock, GuardedPass
from ocr_baseline.recording.loop_run import LoopRun
from ocr_baseline.recording.loop_settings import LoopSettings
from ocr_baseline.recording.recording import MOST_SAMPLING_HZ
from ocr_baseline.signal_errors import let_through, suppress_failures
from ocr_baseline.vocabulary import Line, names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import torch

    from ocr_baseline.recording.loop_batches import Pass
    from ocr_baseline.recording.loop_stages import StageName
    from ocr_baseline.write import ReportFiles

T = TypeVar("T")
R = TypeVar("R")

LineName = Literal[
    "transfer",
    "forward",
    "backward",
    "optimizer",
    "metrics",
    "collectives",
    "logging",
    "checkpoint",
    "callbacks",
]
"""The lines that a loop names itself; the others are measured without its help."""

_LINES = {
    line.value: line
    for line in Line
    if line not in {Line.LOADER_STARTUP, Line.DATA_WAIT, Line.MODULE_HOOKS}
    and line not in {Line.PROFILER, Line.OTHER}
}

logger = OutwardLogger(__name__)


class record:
    """Record a loop of Fabric's or plain PyTorch's, and write its report when the block ends.

    The report and the records are those of the callbacks. `stage` and `batches` are enough for a
    true report: what no `line` or `section` names is in the line `other`. A failure to measure or
    to report is one warning, and the loop goes on; only a wrong name in `operations` is an error,
    before the loop starts. In a thread whose run is recorded already, a Trainer's with the
    callbacks or another block's, the block warns and measures nothing.

    Args:
        output_dir: Folder of report and records; default `baseline` in the Hydra run's output
            folder, else in the current folder. Give all ranks of a run the same.
        operations: Dotted names, one or several, of callables to time wherever they are called, in
            loader workers too, as in `cv2.findContours`.
        name: What the report calls the run.
        config: The run's configuration; default the Hydra run's. Secrets are redacted.
        device: The device that the loop computes on; default the current CUDA device, once CUDA is
            in use as a stage begins.
        enabled: False makes the block do nothing.
        profile_memory: Sample the memory of the process tree once a second.
        sampling_hz: Look this many times a second, in the loop's thread and in loader workers,
            which functions are running; 0 doesn't look.
        include_config: Keep the configuration in records and report; False leaves it out.
        shown_config_keys: Dotted paths of configuration entries that look like secrets and are
            none, as in `model.auth_token_embedding`.
        summary: Print the answer in a few lines once the block has ended, on rank 0.

    Attributes:
        files: What was written, once the block has ended; None where nothing was.

    Example:
        >>> with record("outputs/run") as run:
        ...     with run.stage("train"):
        ...         for batch in run.batches(loader):
        ...             with run.line("forward"):
        ...                 loss = model(batch)
    """

    def __init__(
        self,
        output_dir: str | Path | None = None,
        *,
        operations: str | Sequence[str] = (),
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        device: torch.device | str | None = None,
        enabled: bool = True,
        profile_memory: bool = True,
        sampling_hz: float = 100.0,
        include_config: bool = True,
        shown_config_keys: str | Sequence[str] = (),
        summary: bool = True,
    ) -> None:
        """Keep the arguments; nothing is measured before the block begins."""
        if not 0 <= sampling_hz <= MOST_SAMPLING_HZ:  # NaN is refused too
            raise ValueError(
                f"sampling_hz must be 0 to {MOST_SAMPLING_HZ} times a second, not {sampling_hz}"
            )
        self.enabled = enabled
        self.files: ReportFiles | None = None
        self._settings = LoopSettings(
            output_dir=named_folder(output_dir),
            operations=names_of(operations),
            name=name,
            config=config,
            config_policy=ConfigPolicy(
                include=include_config, shown_keys=names_of(shown_config_keys)
            ),
            device=device,
            profile_memory=profile_memory,
            sampling_hz=float(sampling_hz),
            summary=summary,
        )
        self._run: LoopRun | None = None
        self._entered: list[LoopRun | None] = []
        self._has_failed = False

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold the arguments; the run that is recorded stays with this one."""
        return vars(self) | {"_run": None, "_entered": [], "_has_failed": False, "files": None}

    def __enter__(self) -> Self:
        self._entered.append(self._begun() if self.enabled else None)
        return self

    def _begun(self) -> LoopRun | None:
        if sections.is_listening_here():
            logger.warning(
                "This thread's run is being recorded already: record() measures nothing inside "
                "it. Use section() to name a part of it."
            )
            return None
        self._has_failed = False
        try:
            self._run = LoopRun(self._settings, failed=self._failed)
        except OperationError:  # a wrong setting, before the loop starts
            raise
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the loop doesn't
            self._failed(error)
        return self._run

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        run = self._entered[-1] if self._entered else None
        try:
            del self._entered[-1:]
            if run is None or not run.is_of_this_process:
                return
            self._run = None
            with suppress_failures():  # the loop's own code is waiting
                run.undo()
            self.files = report_on(run, exc)
        finally:  # also where Ctrl-C came in between
            if run is not None and run.is_of_this_process:
                with suppress_failures():  # as above
                    run.end()

    def stage(self, name: StageName, epoch: int | None = None) -> AbstractContextManager[None]:
        """Return a context for one pass of a stage; one stage inside another is kept apart.

        Args:
            name: `train`, `validation` (or `val`), `test` or `predict`.
            epoch: The epoch's number; default one more than the stage's last, from 0.
        """
        return GuardedBlock(self._try, name, epoch)

    def batches(self, loader: Iterable[T], *, dataloader_idx: int = 0) -> Batches[T]:
        """Return the loader's batches; each fetch is timed, and its workers are measured.

        A batch is open until the next one is asked for, or the loop is left.

        Args:
            loader: Anything that can be iterated.
            dataloader_idx: Which of a stage's several loaders this is, for a phase of its own.
        """
        return Batches(loader, functools.partial(self._begin_pass, loader, dataloader_idx))

    def _begin_pass(self, loader: object, dataloader_idx: object) -> Pass | None:
        run = self._run
        if run is not None and run.is_of_this_process and not run.is_here:
            run.note(
                "record.batches() was read in another thread than record()'s: those batches are in "
                "no phase of this report."
            )
        begun = self._try(lambda run: run.begin_pass(loader, dataloader_idx))
        return None if begun is None else GuardedPass(self._try, begun)

    def line(self, name: LineName) -> AbstractContextManager[Any]:
        """Return a context that charges its block to a line of the breakdown, on the host's clock.

        For any other name there is `section`; a name that is no line counts as one. In code that
        torch compiles it does nothing, as a section, and the report says so.
        """
        found = self._try(lambda run: self._line_of(run, name))
        return nullcontext() if found is None else found

    def samples(self, count: int) -> None:
        """Tell how many samples the open batch holds, where the loader doesn't know."""
        self._try(lambda run: run.stages.tell_samples(count))

    @staticmethod
    def _line_of(run: LoopRun, name: object) -> AbstractContextManager[Any]:
        line = _LINES.get(name) if isinstance(name, str) else None
        if line is not None:
            return run.line(line)
        named = section(name if isinstance(name, str) else str(name))
        run.note(
            f"record.line({named.name!r}) names no line ({', '.join(_LINES)}): it counts as a "
            "section of that name."
        )
        return named

    def _try(self, step: Callable[[LoopRun], R]) -> R | None:
        """Take a step of the measuring; one that fails is the last."""
        run = self._run
        if run is None or self._has_failed or not run.is_here:
            return None
        try:
            return step(run)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the loop doesn't
            self._failed(error)
            return None

    def _failed(self, error: Exception) -> None:
        """End the measuring for good: the one guard of all that the loop calls here.

        Raises:
            Exception: The error, where a signal handler of the program's raised it.
        """
        let_through(error)
        if self._has_failed:
            return
        self._has_failed = True
        run, cause = self._run, error_text(error)
        is_kept = False
        if run is not None:
            with suppress_failures():  # the loop's own code is waiting
                run.undo()
            is_kept = run.recording.break_off(cause)
        logger.warning(
            "Performance measuring stopped (%s). The loop goes on without it%s.",
            cause,
            "; the report covers what ran before" if is_kept else "",
            exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
        )


# What code that torch compiles has instead. The notes hold no argument: one whose value isn't known
# as torch traces would end a graph.


def _trace_line(block: record, name: Any) -> AbstractContextManager[Any]:
    note_silent("record.line")
    return nullcontext()


def _trace_stage(block: record, name: Any, epoch: Any = None) -> AbstractContextManager[None]:
    note_silent("record.stage")
    return nullcontext()


def _trace_batches(block: record, loader: Iterable[T], *, dataloader_idx: Any = 0) -> Iterable[T]:
    note_silent("record.batches")
    return loader


def _trace_samples(block: record, count: Any) -> None:
    note_silent("record.samples")


trace_instead(record.line, _trace_line)
trace_instead(record.stage, _trace_stage)
trace_instead(record.batches, _trace_batches)
trace_instead(record.samples, _trace_samples)
