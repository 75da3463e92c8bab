"""The start of the trainer's own loaders and the end of their workers, in the stage they are for.

A loop's fetcher starts a loader, maybe before the stage's first hook. A loader that something else
starts (a step, a callback, another trainer inside a hook) is in the line around it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.trainer_parts import has_loader, running_stage, stage_of_fetcher
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning.pytorch import Trainer
    from torch.utils.data import DataLoader

    from ocr_baseline.measure.recorder import Recorder

Context = AbstractContextManager[Any]

_NOTHING: Context = nullcontext()

_BETWEEN_HOOKS = 0
"""The line that runs while no code but the trainer's own does."""


class LoaderStarts:
    """Where the starts of loaders in one trainer's run are charged."""

    def __init__(
        self,
        trainer: Trainer,
        recorder: Recorder,
        *,
        is_aside: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """Charge to `recorder`.

        Args:
            trainer: Whose run it is.
            recorder: Its recorder.
            is_aside: Whether the trainer runs without the callback: a search, part of the set-up.
            failed: Called with what goes wrong here; it ends the measuring.
        """
        self._trainer = trainer
        self._recorder = recorder
        self._timeline = recorder.timeline
        self._startup_index = self._timeline.index(Line.LOADER_STARTUP.value)
        self._wait_index = self._timeline.index(Line.DATA_WAIT.value)
        self._is_aside = is_aside
        self._failed = failed

    def of_hook(self) -> Context:
        """Return a context for the hooks that make loaders."""
        return self._in_stage(self._running_stage)

    def of_fetcher(self, fetcher: Any) -> Context:
        """Return what a fetcher begins inside: nothing unless a loop of the trainer has it."""
        try:
            stage = stage_of_fetcher(self._trainer, fetcher) if self._is_here() else None
            if stage is not None:
                own = Stage.SETUP if self._is_aside() else stage
                return self._in_stage(lambda: own)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)
        return _NOTHING

    def of_loader(self, loader: DataLoader[Any]) -> Context:
        """Return what a loader begins inside: another of a pass begins inside a fetch."""
        if not self._is_here():
            return _NOTHING
        if self._timeline.current == _BETWEEN_HOOKS:
            return self._in_stage(self._running_stage)
        if self._timeline.current != self._wait_index:
            return _NOTHING
        if not int(loader.num_workers) and not has_loader(self._trainer, loader):
            return _NOTHING  # one that a dataset reads
        stage = self._recorder.stage
        return self._in_stage(lambda: stage)

    def of_end(self, iterator: Any) -> Context:
        """Return what the workers of a pass end inside: in the pass, or between hooks."""
        own_lines = (_BETWEEN_HOOKS, self._startup_index, self._wait_index)
        is_own = self._is_here() and self._timeline.current in own_lines
        return self._in_stage(self._running_stage) if is_own else _NOTHING

    def stage_that_starts(self) -> Stage | None:
        """Return the stage whose loader is being started, None where it is none of the run's."""
        is_starting = self._is_here() and self._timeline.current == self._startup_index
        return self._recorder.stage if is_starting else None

    def _is_here(self) -> bool:
        return get_ident() == self._timeline.thread

    def _running_stage(self) -> Stage:
        return Stage.SETUP if self._is_aside() else running_stage(self._trainer)

    def _in_stage(self, stage: Callable[[], Stage]) -> Context:
        return _Startup(self._recorder, stage, self._failed)


class _Startup:
    """A loader is made, begins to iterate, or lets its workers end.

    Any thread may do so; what others than the run's do is not its own.
    """

    def __init__(
        self,
        recorder: Recorder,
        stage: Callable[[], Stage],
        failed: Callable[[Exception], None],
    ) -> None:
        self._recorder = recorder
        self._stage = stage
        self._failed = failed
        self._span = recorder.span(Line.LOADER_STARTUP.value)
        self._swaps: list[Context] = []

    def __enter__(self) -> None:
        if get_ident() != self._recorder.timeline.thread:
            return
        try:
            swap = self._recorder.stages.swapped(self._stage())
            swap.__enter__()
            self._swaps.append(swap)
            self._span.__enter__()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)

    def __exit__(self, *exc_info: Any) -> None:
        if get_ident() != self._recorder.timeline.thread:
            return
        try:
            self._span.__exit__(*exc_info)
            self._swaps.pop().__exit__(*exc_info)
            self._recorder.start_loader()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)
