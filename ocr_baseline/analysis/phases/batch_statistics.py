"""Which batches are steady, and the statistics of their times.

A training logs these numbers itself and a report computes them again: both use this module, which
needs numpy alone, because a training imports it when it starts.

The first batch of each epoch pays for the loader's start; the first batches of a stage's first
epoch pay for caches, autotuning and compilation. They stay in every total and out of every
statistic, as pyperf and hyperfine keep warm-up runs apart from the values. `torch.compile` and
cuDNN autotuning do their work in the first one or two passes of a shape; three leaves one spare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


WARMUP_BATCHES = 3
RULE = (
    f"the first {WARMUP_BATCHES} batches of the stage and the first batch of each epoch are set "
    "aside"
)
RULE_TOO_FEW = "nothing is set aside: every batch would be (" + RULE + ")"


def steady_mask(
    batch_in_stage: NDArray[np.int64],
    is_first_of_epoch: NDArray[np.bool_],
    set_aside: Collection[int] = (),
) -> NDArray[np.bool_]:
    """Return which batches are steady, shape (batches,).

    Args:
        batch_in_stage: Position of each batch in its stage over the whole run, shape (batches,).
        is_first_of_epoch: Whether each batch is its epoch's first, shape (batches,).
        set_aside: Positions of batches that were looked into, and are slower for it.
    """
    mask: NDArray[np.bool_] = (batch_in_stage >= WARMUP_BATCHES) & ~is_first_of_epoch
    if set_aside:
        mask &= ~np.isin(batch_in_stage, list(set_aside))
    return mask if mask.any() else np.ones_like(mask)


def rule_applied(mask: NDArray[np.bool_]) -> str:
    """Return the rule that led to `mask`, in words."""
    return RULE if not mask.all() else RULE_TOO_FEW


class Statistics(NamedTuple):
    """Statistics in the unit of the values; `std` is the sample deviation, None of one value."""

    mean: float
    median: float
    p95: float
    p99: float
    std: float | None


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Return the statistics of values of shape (n,), at least one."""
    if len(values) == 1:  # NumPy's take 0.15 ms, which an epoch of one batch would pay each time
        only = float(values[0])
        return Statistics(mean=only, median=only, p95=only, p99=only, std=None)
    median, p95, p99 = np.percentile(values, [50, 95, 99])
    return Statistics(
        mean=float(values.mean()),
        median=float(median),
        p95=float(p95),
        p99=float(p99),
        std=float(values.std(ddof=1)),
    )
