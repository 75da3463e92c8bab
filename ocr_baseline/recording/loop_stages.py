"""The stages that a loop of the user's own opens, and which loader's batches are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from ocr_baseline.recording.plain_values import known_count
from ocr_baseline.vocabulary import PHASES, Line, PhaseName, Stage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.batches import EpochRow
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.recording.loop_pass import LoopPass

StageName = Literal[PhaseName, "val"]
"""What a loop calls its stages; `val` is short for `validation`."""

_OF_A_STEP = {Line.FORWARD.value, Line.BACKWARD.value}

_STAGES = {name: stage for stage in PHASES for name in (stage.value, stage.metric_prefix)}


class Block:
    """One `with record.stage(...)` block.

    Attributes:
        stage: Whose batches are taken; None in a block whose name is no stage's.
        leader: The pass whose batches are the block's; others inside it are part of its batches.
    """

    def __init__(self, stage: Stage | None, within: AbstractContextManager[Any]) -> None:
        """Begin without a pass; `within` ends with the block."""
        self.stage = stage
        self.within = within
        self.leader: LoopPass | None = None


class LoopStages:
    """The open blocks of one run, innermost last."""

    def __init__(self, recorder: Recorder) -> None:
        """Open and close the stages of `recorder`."""
        self._recorder = recorder
        self._blocks: list[Block] = []
        self._next_epoch = dict.fromkeys(PHASES, 0)

    @property
    def block(self) -> Block | None:
        """The innermost block."""
        return self._blocks[-1] if self._blocks else None

    def is_open(self, block: Block) -> bool:
        """Whether a block has not ended."""
        return block in self._blocks

    def open(self, name: object, epoch: object) -> Block | None:
        """Begin a block; None inside a block of the same stage, whose part it is then."""
        recorder = self._recorder
        stage = _STAGES.get(name) if isinstance(name, str) else None
        if stage is None:
            return self._open_aside(name)
        if recorder.stages.is_open(stage):
            recorder.operations.note(
                f"record.stage({stage.value!r}) was opened inside itself: the inner block counts "
                "as a part of the outer one."
            )
            return None
        number = self._next_epoch[stage] if epoch is None else self._number_of(epoch, stage)
        self._next_epoch[stage] = number + 1
        recorder.open_stage(stage, number)
        # A line around the stage, as when a callback validates, is not what the stage does.
        other = recorder.span(Line.OTHER.value)
        other.__enter__()
        return self._opened(Block(stage, other))

    def _number_of(self, epoch: object, stage: Stage) -> int:
        number = known_count(epoch)
        if number is not None:
            return number
        self._recorder.operations.note(
            f"record.stage({stage.value!r}) was given an epoch that isn't a number from 0 up: such "
            "an epoch is counted as the next one."
        )
        return self._next_epoch[stage]

    def _open_aside(self, name: object) -> Block:
        """Keep a block of no known stage out of every phase, what is inside it included."""
        known = ", ".join(get_args(PhaseName))
        self._recorder.operations.note(
            f"record.stage({name!r}) is in no phase of this report: a stage is one of {known}. "
            "Its time is part of the set-up."
        )
        aside = self._recorder.stages.swapped(Stage.SETUP)
        aside.__enter__()
        return self._opened(Block(None, aside))

    def _opened(self, block: Block) -> Block:
        self._blocks.append(block)
        return block

    def close(self, block: Block, *, by_exception: bool) -> None:
        """End a block, and those inside it that were left open.

        A batch that the loop has left and an exception followed was not done.
        """
        while block in self._blocks:
            innermost = self._blocks.pop()
            innermost.within.__exit__(None, None, None)
            if innermost.stage is not None:
                self._recorder.settle_batch(is_done=not by_exception)
                row = self._recorder.close_stage(innermost.stage)
                if row is not None and not by_exception:
                    self._tell_of_uncounted_steps(innermost.stage, row)

    def _tell_of_uncounted_steps(self, stage: Stage, row: EpochRow) -> None:
        """Note what a loop did to batches that it was given before: nothing asked for them again.

        An optimizer that steps once more after the last batch is no step of its own.
        """
        names = self._recorder.timeline.names
        if any(ns and name in _OF_A_STEP for name, ns in zip(names, row.tail_ns, strict=False)):
            self._recorder.operations.note(
                f"Forward or backward ran in {stage.value} outside of the batches that "
                "record.batches() gave: its figures per batch, per sample and per second hold that "
                "time, and count the batches given alone. record.batches() counts what is around "
                "it no further: put it around itertools.cycle or a list, not inside."
            )
        elif not row.batches:
            self._recorder.operations.note(
                f"A stage of {stage.value} ended without a batch of record.batches(): it counts as "
                "an epoch, and its time is in no batch."
            )

    def tell_samples(self, count: object) -> None:
        """Take the user's word for how many samples the open batch holds."""
        block, state = self.block, self._recorder.stages.current
        if block is not None and state.stage is block.stage and state.has_started_batch:
            state.samples = known_count(count)
