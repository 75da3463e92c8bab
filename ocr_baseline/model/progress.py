"""`Progress`: how far a run is that is being recorded, as its records tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.model.run import RankStage
    from ocr_baseline.vocabulary import RunStatus, Stage


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What the records of rank 0 hold so far.

    `stage` is what was recorded last and `epoch` that of its last batch; `recent_samples_per_s` and
    `recent_batch_s` are of the stage's batches of the last seconds, validation in between not
    counted. What isn't known is None.
    """

    name: str | None = None
    status: RunStatus = "unknown"
    ended_by: str | None = None
    stage: Stage | None = None
    epoch: int | None = None
    recorded_until_s: float = 0.0
    recent_samples_per_s: float | None = None
    recent_batch_s: float | None = None
    memory_bytes: float | None = None
    stages: tuple[RankStage, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether the run said how it ended."""
        return self.status in {"finished", "failed", "interrupted"}

    def stage_totals(self, stage: Stage) -> RankStage | None:
        """Return the totals of a stage so far, None where it has none."""
        return next((one for one in self.stages if one.stage is stage), None)
