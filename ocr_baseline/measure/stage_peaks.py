"""The most accelerator memory that each stage took, from a counter that only ever grows.

The allocator keeps one peak since the process began, and it isn't reset: user code may read it. A
stage that raised it has that peak; of the others it is only known that they took no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.vocabulary import Stage


class StagePeaks:
    """Peaks in bytes, by the stage that raised the counter last.

    Attributes:
        read_bytes: Returns the counter, None while no accelerator is in use.
        of_stages: By stage; those that never raised it are left out.
    """

    def __init__(self) -> None:
        """Begin without an accelerator."""
        self.read_bytes: Callable[[], int | None] = lambda: None
        self.of_stages: dict[Stage, int] = {}
        self._highest = 0

    def charge(self, stage: Stage) -> None:
        """A stage ends, or another begins inside it: what was raised since the last call is its."""
        peak = self.read_bytes()
        if peak is not None and peak > self._highest:
            self._highest = self.of_stages[stage] = peak
