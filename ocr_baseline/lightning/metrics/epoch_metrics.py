"""The `performance/*` metrics of one finished epoch, as the profiler logs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.statistics import statistics
from ocr_baseline.analysis.phases.steady import steady_mask
from ocr_baseline.lightning.run import accelerator_memory
from ocr_baseline.measure.container_limits import own_limits
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ocr_baseline.measure.batches import EpochRow, StageState


def epoch_metrics(state: StageState, row: EpochRow) -> dict[str, float]:
    """Return the seed's keys for the epoch that `row` closed; times in seconds.

    Batch statistics leave warm-up out by the rule of `analysis.phases.steady`; the epoch's time
    holds everything.
    """
    durations_s = np.asarray(state.epoch_durations_ns, dtype=np.float64) * SECONDS_PER_NS
    prefix = f"performance/{state.stage.metric_prefix}"
    metrics = {
        f"{prefix}_epoch_time": float(durations_s.sum()) + sum(row.tail_ns) * SECONDS_PER_NS,
        f"{prefix}_num_batches": float(row.batches),
    }
    if state.epoch_samples:
        metrics[f"{prefix}_num_samples"] = float(state.epoch_samples)
    if row.batches:
        first = state.batches_before_epoch - row.batches
        named = statistics(_steady(durations_s, first))._asdict()
        metrics |= {f"{prefix}_batch_{name}": x for name, x in named.items() if x is not None}
    return metrics


def _steady(durations_s: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    positions = np.arange(first, first + len(durations_s))
    steady: NDArray[np.float64] = durations_s[steady_mask(positions, positions == first)]
    return steady


def memory_metrics(device: torch.device) -> dict[str, float]:
    """Return the accelerator's peaks in GiB, where it is CUDA, and the system's use in percent."""
    metrics = {"performance/cpu_memory_percent": own_limits().memory_percent()}
    peaks = accelerator_memory.peaks(device)
    if peaks is not None:
        gibibyte = accelerator_memory.GIBIBYTE
        metrics["performance/gpu_memory_gb"] = peaks["allocated_peak_bytes"] / gibibyte
        metrics["performance/gpu_memory_reserved_gb"] = peaks["reserved_peak_bytes"] / gibibyte
    return metrics
