"""From no loader workers to some: what handing batches over costs, which such a run can't measure.

A worker has to be started in each pass, and the main thread takes each batch from it: it unpickles
a handle for each tensor, maps its memory and faults its pages in. The saving therefore has a range,
from the dearest handover that was seen to none, and is an estimate.
"""

from __future__ import annotations

from typing import NamedTuple


class Handover(NamedTuple):
    """What a worker takes to be ready in each pass, and the main thread to take each batch."""

    startup_s: float
    receive_s: float


DEAREST = Handover(startup_s=1.1, receive_s=0.007)
USUAL = Handover(startup_s=0.4, receive_s=0.0013)
FREE = Handover(startup_s=0.0, receive_s=0.0)
"""Measured with PyTorch's `DataLoader` and one forked worker on two busy cores, the least of 60
times each: to take a batch of one small tensor 1.3 ms (usual), of twenty 7 ms (dearest). The first
batch was there after 0.36 to 1.1 s. That it costs nothing is the bound that needs no measuring."""
