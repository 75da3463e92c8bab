"""What torch's DDP itself times of the exchange of gradients in the backward pass.

DDP times its first ten backward passes and every hundredth, on the host's clock on a CPU and with
events on CUDA, whether anybody reads the times or not (`torch/csrc/distributed/c10d/logger.cpp`);
reading them waits for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.parallel import DistributedDataParallel

from ocr_baseline.signal_errors import let_through
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def gradient_wait_s(trainer: Trainer) -> float | None:
    """Return how long a backward pass waits for the other ranks' gradients, the mean in seconds.

    That is the time of the exchange without what the backward pass computed meanwhile. None where
    the model is not wrapped in DDP, or none of its passes has been timed.
    """
    model = trainer.strategy.model
    if not isinstance(model, DistributedDataParallel):
        return None
    try:
        times_ns = model._get_ddp_logging_data()  # type: ignore[no-untyped-call]  # torch's own gap
        exchange_ns = int(times_ns["avg_backward_comm_time"])
        overlap_ns = int(times_ns["avg_backward_compute_comm_overlap_time"])
    except Exception as error:  # noqa: BLE001 - a torch that keeps no such times: they are not measured
        let_through(error)
        return None
    if exchange_ns <= 0:
        return None
    return max(exchange_ns - overlap_ns, 0) * SECONDS_PER_NS
