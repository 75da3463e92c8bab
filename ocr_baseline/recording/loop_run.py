"""All that one recorded loop has put in place, in the process and the thread that began it."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from ocr_baseline.layout import RECORDS_FOLDER
from ocr_baseline.measure import sections
from ocr_baseline.measure.instrument import Instrumentation, operation_context
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.recording import fabric_lines
from ocr_baseline.recording.folder_claims import FolderClaim
from ocr_baseline.recording.loop_description import loop_header, loop_identity
from ocr_baseline.recording.loop_device import device_in_use, follow_device
from ocr_baseline.recording.loop_pass import LoopPass
from ocr_baseline.recording.loop_stages import LoopStages
from ocr_baseline.recording.main_thread_span import MainThreadSpan
from ocr_baseline.recording.plain_values import known_count
from ocr_baseline.recording.rank import current_rank
from ocr_baseline.recording.recording import Recording
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from ocr_baseline.measure.operation_names import Target
    from ocr_baseline.recording.loop_settings import LoopSettings
    from ocr_baseline.recording.loop_stages import Block


class LoopRun:
    """Records a loop from the beginning of its block to the end."""

    def __init__(self, settings: LoopSettings, *, failed: Callable[[Exception], None]) -> None:
        """Resolve the operations and put everything in place.

        Raises:
            OperationError: When an operation's name leads nowhere.
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        targets = [resolve(name) for name in settings.operations]
        self._pid, self._thread = os.getpid(), threading.get_ident()
        self.rank = current_rank()
        self.claim = FolderClaim(settings.folder())
        self.folder = self.claim.folder
        self.summary = settings.summary and self.rank.is_zero
        self.recording = Recording(
            self.folder / RECORDS_FOLDER,
            self.rank,
            profile_memory=settings.profile_memory,
            sampling_hz=settings.sampling_hz,
        )
        recorder = self._recorder = self.recording.recorder
        recorder.timeline.on_failure = failed
        self.stages = LoopStages(recorder)
        self._operations = tuple(target.dotted_name for target in targets)
        self._device: torch.device | None = None
        self._lines: dict[Line, MainThreadSpan] = {}
        self._is_loader_described = False
        self._instrumentation = Instrumentation()
        self._asked_device = settings.device
        try:
            self.recording.begin(loop_header(settings, self.rank, self._operations))
            self._put_in_place(targets)
        except BaseException:  # Ctrl-C too: the block has no end that would take anything back
            self.end()
            raise

    def _put_in_place(self, targets: Sequence[Target]) -> None:
        recorder = self._recorder
        self._look_for_device()
        self._instrumentation.time(
            *((target, operation_context(target.dotted_name)) for target in targets),
            *fabric_lines.timed_calls(recorder),
        )
        self._time_torch()
        recorder.operations.reserve(self._operations)
        sections.join(recorder.operations)

    @property
    def is_here(self) -> bool:
        """Whether the caller is in the run's process and thread."""
        return os.getpid() == self._pid and threading.get_ident() == self._thread

    @property
    def is_of_this_process(self) -> bool:
        """False in a process that was forked from the run's: nothing there is this run's."""
        return os.getpid() == self._pid

    def undo(self) -> None:
        """Take everything back; harmless when repeated."""
        sections.leave(self._recorder.operations)
        self._instrumentation.undo()

    def end(self) -> None:
        """Take everything back, close the records and let the folder go; harmless when repeated."""
        try:
            self.undo()
        finally:
            self.recording.close()
            self.claim.release()

    # -- as the loop goes ------------------------------------------------------------------

    def open(self, name: object, epoch: object) -> Block | None:
        """Begin a stage."""
        self._look_for_device()
        return self.stages.open(name, epoch)

    def line(self, line: Line) -> MainThreadSpan:
        """Return the span of a line, the same one each time."""
        span = self._lines.get(line)
        if span is None:
            span = self._lines[line] = MainThreadSpan(self._recorder, line)
        return span

    def note(self, text: str) -> None:
        """Keep a sentence that the report must say."""
        self._recorder.operations.note(text)

    def begin_pass(self, loader: Any, dataloader_idx: object) -> LoopPass:
        """Begin a pass over a loader."""
        block = self.stages.block
        is_training = block is not None and block.stage is Stage.TRAIN
        if is_training and not self._is_loader_described and self.rank.is_zero:
            self._is_loader_described = True
            with self._recorder.span(Line.PROFILER.value):
                self.recording.describe({"environment": {"identity": loop_identity(loader)}})
        number = known_count(dataloader_idx)
        if number is None:
            self.note(
                "record.batches() was given a dataloader_idx that isn't a number from 0 up: such a "
                "loader is counted as the first."
            )
        return LoopPass(self._recorder, self.stages, loader, number or 0)

    # -- what is found around it -----------------------------------------------------------

    def _time_torch(self) -> None:
        """Time what needs torch, where the loop has imported it."""
        if "torch" not in sys.modules:
            return
        from ocr_baseline.recording.collectives import timed_collectives
        from ocr_baseline.recording.loaders import LoaderTiming

        if self.rank.world_size > 1:
            self._instrumentation.time(*timed_collectives(self._recorder))
        LoaderTiming(
            self._recorder,
            self._operations,
            started=lambda loader: self.line(Line.LOADER_STARTUP),
            ended=lambda iterator: self.line(Line.LOADER_STARTUP),
            stage_of=lambda loader: self._stage_that_fetches(),
        ).apply(self._instrumentation)

    def _stage_that_fetches(self) -> Stage | None:
        """Return the stage whose next batch is being fetched: a loader that starts is its own."""
        block = self.stages.block
        leader = None if block is None else block.leader
        return block.stage if block and leader is not None and leader.is_fetching else None

    def _look_for_device(self) -> None:
        if self._device is not None:
            return
        device = self._device = device_in_use(self._asked_device)
        if device is not None:
            follow_device(device, self.recording, self.rank)
            self._lines.clear()  # their spans are the host's alone
