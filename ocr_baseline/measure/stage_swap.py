"""Charging a block to a stage that may not be the open one, as the start of its loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.recorder import Recorder


class StageSwap:
    """Charges a block to another stage's cells, whether that stage is open or not."""

    def __init__(self, recorder: Recorder, state: StageState) -> None:
        """Swap to `state` while the block runs."""
        self._recorder = recorder
        self._state = state
        self._is_swapped = False

    def __enter__(self) -> None:
        if self._recorder.stage is not self._state.stage:
            self._recorder.enter_state(self._state)
            self._is_swapped = True

    def __exit__(self, *exc_info: object) -> None:
        if self._is_swapped:
            self._recorder.leave_state()
            self._is_swapped = False
