"""Memory over the run: start, end, peak, mean, and growth where there are enough samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.functions.margin import Z_95
from ocr_baseline.analysis.theil_sen import theil_sen
from ocr_baseline.model.document import (
    AcceleratorMemory,
    Memory,
    MemoryUse,
    PhaseMemory,
    Utilization,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.model.run import MemorySamples
    from ocr_baseline.vocabulary import Stage

MIN_SAMPLES_FOR_GROWTH = 10
MIN_SECONDS_FOR_GROWTH = 30.0
MAX_SAMPLES_FOR_GROWTH = 500
SECONDS_A_MINUTE = 60.0


def memory(samples: MemorySamples) -> Memory:
    """Return the document's memory section."""
    return Memory(
        process_tree_rss_bytes=memory_use(samples.at_s, samples.tree_rss_bytes),
        process_tree_pss_bytes=_optional_use(samples.at_s, samples.tree_pss_bytes),
        main_rss_bytes=memory_use(samples.at_s, samples.main_rss_bytes),
        workers_rss_bytes=memory_use(samples.at_s, samples.workers_rss_bytes),
        accelerator=_accelerator(samples),
        system_memory_percent=_mean(samples.system_memory_percent),
    )


def phase_memory(samples: MemorySamples, stage: Stage) -> PhaseMemory | None:
    """Return the memory while a stage was open, None when no sample was taken in it."""
    inside = _during(samples, stage)
    if not inside.any():
        return None
    at_s = samples.at_s[inside]
    allocated = _inside(samples.accelerator_allocated_bytes, inside)
    reserved = _inside(samples.accelerator_reserved_bytes, inside)
    unused = None if allocated is None or reserved is None else reserved - allocated
    return PhaseMemory(
        samples=int(inside.sum()),
        process_tree_rss_bytes=memory_use(at_s, samples.tree_rss_bytes[inside]),
        accelerator_allocated_bytes=_with_peak(
            _optional_use(at_s, allocated), samples.accelerator_stage_peak_bytes.get(stage.value)
        ),
        accelerator_reserved_bytes=_optional_use(at_s, reserved),
        accelerator_unused_bytes=_optional_use(at_s, unused),
    )


def _with_peak(use: MemoryUse | None, peak_bytes: float | None) -> MemoryUse | None:
    """Return a use with the allocator's own peak, where that is known; no sample is above it."""
    if use is None or peak_bytes is None:
        return use
    return use.model_copy(update={"peak": max(peak_bytes, use.peak or 0.0)})


def accelerator_utilization(samples: MemorySamples, stage: Stage) -> Utilization | None:
    """Return how busy the accelerator was while a stage was open, None where nothing tells."""
    percent = _inside(samples.accelerator_utilization_percent, _during(samples, stage))
    read = np.empty(0) if percent is None else percent[np.isfinite(percent)]
    if len(read) == 0:
        return None
    mean = float(read.mean())
    margin = Z_95 * float(read.std(ddof=1)) / math.sqrt(len(read)) if len(read) > 1 else None
    p5, p95 = np.percentile(read, [5, 95])
    return Utilization(
        samples=len(read),
        mean_percent=mean,
        min_percent=float(read.min()),
        max_percent=float(read.max()),
        p5_percent=float(p5),
        p95_percent=float(p95),
        mean_low_percent=None if margin is None else max(mean - margin, 0.0),
        mean_high_percent=None if margin is None else min(mean + margin, 100.0),
    )


def _during(samples: MemorySamples, stage: Stage) -> NDArray[np.bool_]:
    return np.asarray([name == stage.value for name in samples.stages], dtype=np.bool_)


def _inside(
    values: NDArray[np.float64] | None, inside: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    return None if values is None else values[inside]


def _optional_use(
    at_s: NDArray[np.float64], used_bytes: NDArray[np.float64] | None
) -> MemoryUse | None:
    return None if used_bytes is None else memory_use(at_s, used_bytes)


def memory_use(at_s: NDArray[np.float64], used_bytes: NDArray[np.float64]) -> MemoryUse | None:
    """Return the use over time, None when nothing was read.

    Growth is the Theil-Sen slope (Sen, 1968), which single spikes don't move, over the second
    half of the samples: what a run allocates as it starts isn't growth. Its interval is at 95%.
    """
    is_read = np.isfinite(used_bytes)
    at_s, used_bytes = at_s[is_read], used_bytes[is_read]
    if len(used_bytes) == 0:
        return None
    slope, low, high = _growth_per_min(at_s, used_bytes)
    return MemoryUse(
        start=float(used_bytes[0]),
        end=float(used_bytes[-1]),
        peak=float(used_bytes.max()),
        mean=float(used_bytes.mean()),
        growth_bytes_per_min=slope,
        growth_low_bytes_per_min=low,
        growth_high_bytes_per_min=high,
    )


def _growth_per_min(
    at_s: NDArray[np.float64], used_bytes: NDArray[np.float64]
) -> tuple[float | None, float | None, float | None]:
    half = len(at_s) // 2
    at_s, used_bytes = at_s[half:], used_bytes[half:]
    too_few = len(at_s) < MIN_SAMPLES_FOR_GROWTH
    if too_few or at_s[-1] - at_s[0] < MIN_SECONDS_FOR_GROWTH:
        return None, None, None
    step = -(-len(at_s) // MAX_SAMPLES_FOR_GROWTH)
    fit = theil_sen(used_bytes[::step], at_s[::step] / SECONDS_A_MINUTE)
    return float(fit.slope), float(fit.low_slope), float(fit.high_slope)


def _mean(values: NDArray[np.float64]) -> float | None:
    read = values[np.isfinite(values)]
    return float(read.mean()) if len(read) else None


def _accelerator(samples: MemorySamples) -> AcceleratorMemory | None:
    peaks = (samples.accelerator_allocated_peak_bytes, samples.accelerator_reserved_peak_bytes)
    if all(peak is None for peak in peaks):
        return None
    return AcceleratorMemory(
        allocated_peak_bytes=peaks[0],
        reserved_peak_bytes=peaks[1],
        total_bytes=samples.accelerator_total_bytes,
        alloc_retries=samples.accelerator_alloc_retries,
        ooms=samples.accelerator_ooms,
    )
