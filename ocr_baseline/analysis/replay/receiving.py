"""What the main thread takes to receive a batch that its worker had ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.distributions import distribution
from ocr_baseline.analysis.replay.savings import worker_replay

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Workers

LITTLE = 0.1
"""Of the time to receive batches: so much of it may be the sampler's."""


def with_receiving(measured: Measured, workers: Workers) -> Workers:
    """Return the workers' account with the times in which ready batches were received.

    Without them where the sampler, which is read in the same call, took a considerable part.
    """
    phase = measured.phase(workers.phase)
    replay = None if phase is None else worker_replay(measured, phase)
    if replay is None or any(one.sampler_share > LITTLE for one in replay.passes):
        return workers
    ready_s = np.concatenate([one.receive_ready_s for one in replay.passes])
    if len(ready_s) == 0:
        return workers
    return workers.model_copy(update={"receive_time_s": distribution(ready_s)})
