"""One pass over a loader in a loop of the user's own: which batches it gives to which stage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.measure.sections import section
from ocr_baseline.recording.fabric_lines import loader_inside
from ocr_baseline.signal_errors import suppress_failures
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.recording.loop_stages import Block, LoopStages
    from ocr_baseline.recording.samples import LoaderSamples

SECOND_LOADER = "record.batches (second loader)"
"""The section of a loader that is read while the batches of another are worked on."""


class LoopPass:
    """Tells the recorder of the fetches and batches of one pass.

    The first pass that is read in a stage gives the stage its batches. Another one that is read
    meanwhile (`zip` of two loaders, a loader in a loader) is a section inside those batches.

    Attributes:
        is_fetching: Whether the loader is being asked for a batch of the open stage, or for its
            iterator there, so that a loader which starts now is that stage's.
    """

    def __init__(
        self, recorder: Recorder, stages: LoopStages, loader: Any, dataloader_idx: int
    ) -> None:
        """Take the loader, of which nothing is read yet; nothing is told yet."""
        self._recorder = recorder
        self._stages = stages
        self._dataloader_idx = dataloader_idx
        self._unread: Any = loader
        self._samples: LoaderSamples | None = None
        self._second = section(SECOND_LOADER)
        self._own = recorder.span(Line.PROFILER.value)
        self._is_in_own = False
        self._block: Block | None = None
        self._starts_in: Block | None = None
        self._batch_idx = -1
        self._is_second = False
        self.is_fetching = False

    def starts(self) -> None:
        """The loader is asked for its iterator: for the open stage, unless that reads another."""
        block = self._stages.block
        if block is not None and block.leader is None:
            self._starts_in, block.leader = block, self
            self.is_fetching = True

    def started(self) -> None:
        """It is there; whose batches the stage has is told by the first that is asked for one."""
        block, self._starts_in = self._starts_in, None
        if block is not None:
            block.leader = None
            self.is_fetching = False

    def asks(self) -> None:
        """The next batch is asked for."""
        before, block = self._block, self._stages.block
        self._block = block
        if before is not None and before is not block and self._stages.is_open(before):
            self._recorder.operations.note(
                "Two stages were open at once, and their batches read in turns: the batches of the "
                "outer one are more than this report counts."
            )
        if block is None or block.stage is None:
            self._recorder.operations.note(
                "record.batches() was read outside of record.stage(): those batches are in no "
                "phase of this report."
            )
            self._block = None
            return
        if block.leader is None:
            block.leader = self
            self._recorder.stages.current.is_fetching_first = True
        self._is_second = block.leader is not self
        if self._is_second:
            self._recorder.operations.note(
                "Two loaders were read at once: the stage's batches are those of the first, and "
                f"the time to wait for the second is {SECOND_LOADER!r}, without its workers."
            )
            self._second.__enter__()
        else:
            self.is_fetching = True
            self._enter_own()
            self._recorder.finish_batch()
            self._recorder.begin_fetch()

    def answered(self) -> None:
        """It is there, or there is no more."""
        if self._block is None:
            return
        if self._is_second:
            self._second.__exit__(None, None, None)
        else:
            self.is_fetching = False
            self._recorder.end_fetch()

    def begins(self, batch: Any) -> None:
        """The loop begins to work on the batch."""
        self._batch_idx += 1
        if self._block is None or self._is_second:
            return
        samples = None
        with suppress_failures():  # loaders are the user's and may raise anything
            samples = self._samples_of_batch(batch)
        self._recorder.begin_batch(self._batch_idx, self._dataloader_idx, samples)
        self._leave_own()

    def _enter_own(self) -> None:
        """What follows is our own time, but for the fetch, until the loop has its batch."""
        self._leave_own()
        self._is_in_own = True
        self._own.__enter__()

    def _leave_own(self) -> None:
        if self._is_in_own:
            self._is_in_own = False
            self._own.__exit__(None, None, None)

    def _samples_of_batch(self, batch: Any) -> int | None:
        """Return the samples of a batch; the first one of a stage has the loader read.

        Not before: a sampler tells its length by the dataset's, which is asked after the loader's
        workers have been forked or sent their dataset, as by the loader itself.
        """
        loader, self._unread = self._unread, None
        if loader is not None:
            self._samples = _samples_of(loader)
        return None if self._samples is None else self._samples.of_batch(batch, self._batch_idx)

    def ends(self) -> None:
        """The pass is over, or the loop has left it."""
        self._leave_own()
        block = self._block
        if block is None or block.leader is not self:
            return
        block.leader = None
        if self._stages.block is block:
            self._recorder.leave_batches()


def _samples_of(loader: Any) -> LoaderSamples | None:
    if "torch" not in sys.modules:
        return None
    from ocr_baseline.recording.samples import LoaderSamples

    with unchanged_random_state():  # a sampler's length may draw
        return LoaderSamples(loader_inside(loader))
