"""From the moment a worker has made a batch until the main thread has it: whose time that is.

A worker hands a batch to a thread of its own, which copies the tensors into shared memory while
the worker makes the next batch; the main thread then only unpacks a handle. The records hold when
a batch was made, asked for and there. A batch that was asked for before it was made shows both
parts together; one that had long been made when it was asked for shows the main thread's alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """For each batch: delivery, in parallel with its worker, and receipt in the main thread.

    Both have shape (batches,). A worker delivers one batch after the other. `ready_s` is what
    receiving took of the batches that had been delivered when they were asked for, measured and not
    split, shape (such batches,).
    """

    deliver_s: NDArray[np.float64]
    receive_s: NDArray[np.float64]
    ready_s: NDArray[np.float64]


def split_delivery(
    *,
    asked_s: NDArray[np.float64],
    made_s: NDArray[np.float64],
    there_s: NDArray[np.float64],
    workers: int,
) -> Delivery:
    """Split what passed between each batch's being made and its being there.

    The main thread's part is the minimum seen for batches made so long before they were
    asked for that the usual delivery was over, and nothing where there was none: tensors, which
    batches mostly are, wait in shared memory. Delivering what the main thread did not wait for
    is taken to last as long as usual, if there was time for that.

    Args:
        asked_s: When the main thread asked for each batch, shape (batches,).
        made_s: When its worker had made it, shape (batches,).
        there_s: When the main thread had it, shape (batches,); never before the other two.
        workers: How many workers made the batches in turn.
    """
    late_s = asked_s - made_s
    seen_s = there_s - np.maximum(asked_s, made_s)
    is_early = late_s <= 0
    usual_s = float(np.median(seen_s[is_early])) if is_early.any() else 0.0
    is_over = late_s >= usual_s
    ready_s = seen_s[is_over & ~is_early]
    own_s = min(float(ready_s.min(initial=np.inf)), usual_s) if len(ready_s) else 0.0
    unhidden_s = np.maximum(seen_s - own_s, 0.0)
    delivered_s = made_s + np.where(
        is_early, unhidden_s, np.minimum(late_s + unhidden_s, usual_s - own_s)
    )
    return Delivery(
        deliver_s=_one_after_the_other(made_s, delivered_s, workers),
        receive_s=there_s - np.maximum(asked_s, delivered_s),
        ready_s=ready_s,
    )


def _one_after_the_other(
    made_s: NDArray[np.float64], delivered_s: NDArray[np.float64], workers: int
) -> NDArray[np.float64]:
    """Return what each delivery took after the one before it, of the same worker, was over."""
    before_s = np.full_like(delivered_s, -np.inf)
    before_s[workers:] = delivered_s[:-workers]
    return np.maximum(delivered_s - np.maximum(made_s, before_s), 0.0)
