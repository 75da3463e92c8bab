"""Memory that ran short, lay unused in the allocator's cache, or keeps growing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import (
    ACCELERATOR_MEMORY,
    FRAGMENTATION,
    MEMORY_GROWTH,
)
from ocr_baseline.analysis.findings.rule import Silence, bytes_evidence, count_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import AcceleratorMemory, Memory, MemoryUse

MINUTES_PER_HOUR = 60.0
SECONDS_PER_MINUTE = 60.0
_ADVICE = {
    "the main process": "Look for what the main process keeps from batch to batch: outputs or "
    "losses in lists (detach them, or their graphs stay too), metrics that are never reset, "
    "growing caches.",
    "the loader workers": "In forked workers, touching the dataset's Python objects copies their "
    "memory page by page: keep annotations in NumPy arrays or tensors instead of lists of objects, "
    "and look for caches in the dataset.",
}


def accelerator_memory(measured: Measured) -> Iterator[Finding]:
    """Find peaks near the accelerator's memory, and allocations that had to be retried.

    A retry is urgent: the allocator freed its whole cache first, which stops the device. Memory
    that was only reserved is less so: without a tensor in it, it can still go to the next one.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None:
        return
    allocated = _share(memory.allocated_peak_bytes, memory.total_bytes)
    reserved = _share(memory.reserved_peak_bytes, memory.total_bytes)
    retries = memory.alloc_retries or 0
    if max(allocated, reserved) < ACCELERATOR_MEMORY["full"] and retries == 0:
        return
    is_urgent = allocated >= ACCELERATOR_MEMORY["full"] or retries > 0
    yield Finding(
        id=ACCELERATOR_MEMORY.id,
        severity="high" if is_urgent else "medium",
        title="The accelerator's memory ran short"
        if retries
        else "The accelerator's memory was nearly full",
        evidence=list(_accelerator_evidence(memory, max(allocated, reserved))),
        advice=(
            "Use a smaller batch with gradient accumulation, lower precision or activation "
            "checkpointing before adding to the model."
            if is_urgent
            else "The allocator reserved nearly all memory, though tensors used less. A larger "
            "peak may still fit, or fail because no single block is large enough: keep the number "
            "of different batch shapes low."
        ),
    )


def _share(peak_bytes: float | None, total_bytes: float | None) -> float:
    return (peak_bytes or 0.0) / total_bytes if total_bytes else 0.0


def _accelerator_evidence(memory: AcceleratorMemory, peak_share: float) -> Iterator[Evidence]:
    where = "memory.accelerator"
    if memory.total_bytes:
        yield Evidence(metric=f"{where}.peak_share", value=peak_share, unit="share")
        yield bytes_evidence(f"{where}.total_bytes", memory.total_bytes)
    if memory.allocated_peak_bytes is not None:
        yield bytes_evidence(f"{where}.allocated_peak_bytes", memory.allocated_peak_bytes)
    if memory.reserved_peak_bytes is not None:
        yield bytes_evidence(f"{where}.reserved_peak_bytes", memory.reserved_peak_bytes)
    if memory.alloc_retries:
        yield count_evidence(f"{where}.alloc_retries", memory.alloc_retries)


def fragmentation(measured: Measured) -> Iterator[Finding]:
    """Find a reserved peak much of which held no tensor.

    The allocated peak may fall at another moment than the reserved one, so their difference is the
    least that lay unused at the latter. Caching some memory is the allocator's purpose, so while
    there is memory to spare the finding is low.
    """
    memory = None if measured.memory is None else measured.memory.accelerator
    if memory is None or not memory.reserved_peak_bytes or memory.allocated_peak_bytes is None:
        return
    reserved = memory.reserved_peak_bytes
    unused_share = 1 - memory.allocated_peak_bytes / reserved
    if unused_share < FRAGMENTATION["unused"]:
        return
    is_short = reserved >= FRAGMENTATION["full"] * (memory.total_bytes or float("inf"))
    where = "memory.accelerator"
    yield Finding(
        id=FRAGMENTATION.id,
        severity="medium" if is_short else "low",
        title="Much of the reserved accelerator memory held no tensor",
        evidence=[
            Evidence(metric=f"{where}.unused_reserved_share", value=unused_share, unit="share"),
            bytes_evidence(f"{where}.reserved_peak_bytes", reserved),
            bytes_evidence(f"{where}.allocated_peak_bytes", memory.allocated_peak_bytes),
        ],
        advice="Use few batch shapes (pad to fixed sizes), and try PyTorch's expandable segments: "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.",
    )


def memory_growth(measured: Measured) -> Iterator[Finding | Silence]:
    """Find process trees that keep growing, with an interval of the growth above zero.

    The growth is the slope of the second half of the run. A run shorter than the catalogue's limit
    is still filling its caches, and one whose phases don't grow within themselves only began
    another phase. At 5% per hour a run doubles its memory within a day. Main process and workers
    are named when their own intervals lie above zero.
    """
    memory = measured.memory
    tree = None if memory is None else memory.process_tree_rss_bytes
    if memory is None or tree is None or not _grows(tree) or not tree.mean:
        return
    per_hour = (tree.growth_bytes_per_min or 0.0) * MINUTES_PER_HOUR
    if per_hour < MEMORY_GROWTH["per_hour"] * tree.mean or not _grows_within_a_phase(measured):
        return
    minutes = _minutes_sampled(measured)
    if minutes < MEMORY_GROWTH["minutes"]:
        yield Silence(
            MEMORY_GROWTH.id,
            f"memory was sampled for {minutes:.0f} min, {MEMORY_GROWTH['minutes']:.0f} needed",
        )
        return
    hours_left = _hours_left(measured, tree, per_hour)
    places = _places(memory)
    advice = " ".join(_ADVICE[place] for place in places) or (
        "Neither the main process nor the workers clearly grow on their own: measure for longer."
    )
    is_soon = hours_left is not None and hours_left <= MEMORY_GROWTH["hours"]
    yield Finding(
        id=MEMORY_GROWTH.id,
        severity="high" if is_soon else "medium",
        title="Memory keeps growing" + (f", in {' and '.join(places)}" if places else ""),
        evidence=list(_growth_evidence(memory, hours_left)),
        advice=advice,
    )


def _grows(use: MemoryUse | None) -> bool:
    return use is not None and (use.growth_low_bytes_per_min or 0.0) > 0


def _grows_within_a_phase(measured: Measured) -> bool:
    """Whether memory grows while some phase runs, as far as the phases have an interval."""
    uses = [phase.memory.process_tree_rss_bytes for phase in measured.whole_phases if phase.memory]
    known = [use for use in uses if use is not None and use.growth_low_bytes_per_min is not None]
    return not known or any(map(_grows, known))


def _minutes_sampled(measured: Measured) -> float:
    samples = measured.run.memory
    if samples is None or len(samples.at_s) == 0:
        return 0.0
    return float(samples.at_s[-1] - samples.at_s[0]) / SECONDS_PER_MINUTE


def _places(memory: Memory) -> list[str]:
    uses = (memory.main_rss_bytes, memory.workers_rss_bytes)
    return [place for place, use in zip(_ADVICE, uses, strict=True) if _grows(use)]


def _hours_left(measured: Measured, tree: MemoryUse, per_hour: float) -> float | None:
    """Return when the machine's memory would be full of this run alone, None when unknown."""
    size_bytes = measured.environment.memory_bytes
    if size_bytes is None or tree.end is None:
        return None
    return max(size_bytes - tree.end, 0.0) / per_hour


def _growth_evidence(memory: Memory, hours_left: float | None) -> Iterator[Evidence]:
    uses = {
        "process_tree_rss_bytes": memory.process_tree_rss_bytes,
        "main_rss_bytes": memory.main_rss_bytes,
        "workers_rss_bytes": memory.workers_rss_bytes,
    }
    for name, use in uses.items():
        if use is not None and use.growth_bytes_per_min is not None:
            yield Evidence(
                metric=f"memory.{name}.growth_bytes_per_min",
                value=use.growth_bytes_per_min,
                unit="bytes/min",
            )
    if memory.process_tree_rss_bytes is not None and memory.process_tree_rss_bytes.end is not None:
        yield bytes_evidence("memory.process_tree_rss_bytes.end", memory.process_tree_rss_bytes.end)
    if hours_left is not None:
        yield Evidence(metric="memory.hours_until_full", value=hours_left, unit="h")
