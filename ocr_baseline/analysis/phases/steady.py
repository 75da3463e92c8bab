"""Which batches count as steady: one rule, used where metrics are logged and where they are read.

The first batch of each epoch pays for the loader's start; the first batches of a stage's first
epoch pay for caches, autotuning and compilation. They stay in every total and out of every
statistic, as pyperf and hyperfine keep warm-up runs apart from the values. `torch.compile` and
cuDNN autotuning do their work in the first one or two passes of a shape; three leaves one spare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WARMUP_BATCHES = 3
RULE = (
    f"the first {WARMUP_BATCHES} batches of the stage and the first batch of each epoch are set "
    "aside"
)
RULE_TOO_FEW = "nothing is set aside: every batch would be (" + RULE + ")"


def steady_mask(
    batch_in_stage: NDArray[np.int64], is_first_of_epoch: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which batches are steady, shape (batches,).

    Args:
        batch_in_stage: Position of each batch in its stage over the whole run, shape (batches,).
        is_first_of_epoch: Whether each batch is its epoch's first, shape (batches,).
    """
    mask: NDArray[np.bool_] = (batch_in_stage >= WARMUP_BATCHES) & ~is_first_of_epoch
    return mask if mask.any() else np.ones_like(mask)


def rule_applied(mask: NDArray[np.bool_]) -> str:
    """Return the rule that led to `mask`, in words."""
    return RULE if not mask.all() else RULE_TOO_FEW
