"""The stage that a loader's workers make batches for, as the training and its workers know it."""

from __future__ import annotations

from multiprocessing.sharedctypes import RawValue

from ocr_baseline.vocabulary import Stage

_STAGES = tuple(Stage)


class StageCell:
    """One number in memory that a training shares with its workers; travels as they start.

    Workers that are kept may be read by another stage in a later pass.
    """

    def __init__(self, stage: Stage) -> None:
        """Begin with the stage that starts the workers."""
        self._number = RawValue("i", _STAGES.index(stage))

    @property
    def stage(self) -> Stage:
        """The stage that reads the loader now."""
        return _STAGES[int(self._number.value)]

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._number.value = _STAGES.index(stage)
