"""`RankRun`: what one rank of a distributed run recorded, and where it is on rank 0's axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.model.run import Run


@dataclass(frozen=True, kw_only=True)
class RankRun:
    """One rank's own records as a `Run`: instants in it count from that rank's recorder.

    `offset_s` is how much later than rank 0's that recorder began: by the clock that both share
    where `is_same_clock`, else by the dates of two machines.
    """

    rank: int
    run: Run
    offset_s: float = 0.0
    is_same_clock: bool = True
