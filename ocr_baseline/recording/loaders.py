"""The start of data loaders, the end of their workers, and what the workers do in between."""

from __future__ import annotations

import threading
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, dataloader

from ocr_baseline.measure.stage_cell import StageCell
from ocr_baseline.measure.workers import MeasuredLoop, measured_workers
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.instrument import Instrumentation
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Stage


class LoaderTiming:
    """What the loaders of one run begin and end inside, in the thread that makes this object."""

    def __init__(
        self,
        recorder: Recorder,
        operations: tuple[str, ...],
        *,
        started: Callable[[DataLoader[Any]], AbstractContextManager[Any]],
        ended: Callable[[Any], AbstractContextManager[Any]],
        stage_of: Callable[[DataLoader[Any]], Stage | None],
    ) -> None:
        """Record to `recorder`.

        Args:
            recorder: Whose run it is.
            operations: Dotted names to time in the workers as well.
            started: Returns where the start of a loader is charged.
            ended: Returns where the end of an iterator's workers is charged.
            stage_of: Returns the stage that a loader's workers are for, asked while it starts; None
                leaves them alone.
        """
        self._recorder = recorder
        self._operations = operations
        self._start_of = started
        self._end_of = ended
        self._stage_of = stage_of
        self._thread = threading.get_ident()
        self._kept: dict[int, StageCell] = {}
        """Of loaders that keep their workers, by id: no loader of the user's is held."""

    def apply(self, instrumentation: Instrumentation) -> None:
        """Put it in place.

        A torch that names its iterators otherwise leaves the workers' end to the line it is in.
        """
        instrumentation.time_function(DataLoader.__iter__, self._started)
        iterators = getattr(dataloader, "_MultiProcessingDataLoaderIter", None)
        shutdown = getattr(iterators, "_shutdown_workers", None)
        if shutdown is not None:
            instrumentation.time_function(shutdown, self._ended)

    def _ended(self, iterator: Any) -> AbstractContextManager[Any]:
        try:
            if threading.get_ident() == self._thread:
                return self._end_of(iterator)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._recorder.timeline.failed(error)
        return nullcontext()

    def _started(self, loader: DataLoader[Any]) -> AbstractContextManager[Any]:
        """Return what a pass over a loader begins inside; a loader that can't be read has less."""
        if threading.get_ident() != self._thread:
            return nullcontext()
        stack = ExitStack()
        try:
            stack.enter_context(self._start_of(loader))
            stage = self._stage_of(loader) if int(loader.num_workers) else None
            if stage is not None and self._recorder.has_its_place():
                stack.enter_context(self._workers_for(loader, stage))
        except Exception as error:  # noqa: BLE001 - the loader is the user's, and may refuse anything
            let_through(error)
            name = type(loader).__name__
            self._recorder.operations.note(
                f"The workers of a {name} were not measured ({type(error).__name__}: {error})."
            )
        return stack

    def _workers_for(self, loader: DataLoader[Any], stage: Stage) -> AbstractContextManager[Any]:
        """Return what the workers that are started now run inside; those that run are told."""
        cell = self._kept.get(id(loader))
        if cell is not None and loader._iterator is not None:
            cell.stage = stage
            return nullcontext()
        cell = StageCell(stage)
        if loader.persistent_workers:
            self._kept[id(loader)] = cell
        return measured_workers(self._loop(loader, cell))

    def _loop(self, loader: DataLoader[Any], stage: StageCell) -> MeasuredLoop:
        factor = loader.prefetch_factor
        return MeasuredLoop(
            self._recorder.folder,
            rank=self._recorder.rank,
            stage=stage,
            origin_ns=self._recorder.started_ns,
            operations=self._operations,
            prefetch_factor=None if factor is None else int(factor),
            sampling_hz=self._recorder.sampling_hz,
        )
