"""Which single training batches are to be looked into; by default none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.lightning.attach.batch_probes import BatchProbes
    from ocr_baseline.measure.recorder import Recorder

MOST_WINDOW_BATCHES = 100
"""torch.profiler keeps some megabytes of each batch, and takes seconds to read them."""


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """The callback's arguments `profile_window` and `count_flops`."""

    profile_window: int
    count_flops: bool

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not 0 <= self.profile_window <= MOST_WINDOW_BATCHES:
            raise ValueError(
                f"profile_window must be 0 to {MOST_WINDOW_BATCHES} batches, "
                f"not {self.profile_window}"
            )

    def of(
        self, trainer: Trainer, module: LightningModule, recorder: Recorder
    ) -> BatchProbes | None:
        """Return what looks into the batches of a trainer's run; rank 0 alone is looked into."""
        if not (self.profile_window or self.count_flops) or not trainer.is_global_zero:
            return None
        from ocr_baseline.lightning.attach.batch_probes import batch_probes

        return batch_probes(
            trainer, module, recorder, window=self.profile_window, counts_flops=self.count_flops
        )
