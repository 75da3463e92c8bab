"""The memory of the run's processes keeps growing: in the main process, in the workers, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import MEMORY_GROWTH
from ocr_baseline.analysis.findings.rule import bytes_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Memory, MemoryUse

MINUTES_PER_HOUR = 60.0

_ADVICE = {
    "the main process": "Look for what the main process keeps from batch to batch: outputs or "
    "losses in lists (detach them, or their graphs stay too), metrics that are never reset, "
    "growing caches.",
    "the loader workers": "In forked workers, touching the dataset's Python objects copies their "
    "memory page by page: keep annotations in NumPy arrays or tensors instead of lists of objects, "
    "and look for caches in the dataset.",
}


def memory_growth(measured: Measured) -> Iterator[Finding]:
    """Find process trees that keep growing, with an interval of the growth above zero.

    The growth is the slope of the second half of the run; without ten samples over half a minute
    there is none. At 5% per hour a run doubles its memory within a day. Main process and workers
    are named when their own intervals lie above zero.
    """
    memory = measured.memory
    tree = None if memory is None else memory.process_tree_rss_bytes
    if memory is None or tree is None or not _grows(tree) or not tree.mean:
        return
    per_hour = (tree.growth_bytes_per_min or 0.0) * MINUTES_PER_HOUR
    if per_hour < MEMORY_GROWTH["per_hour"] * tree.mean:
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
        evidence=list(_evidence(memory, hours_left)),
        advice=advice,
    )


def _grows(use: MemoryUse | None) -> bool:
    return use is not None and (use.growth_low_bytes_per_min or 0.0) > 0


def _places(memory: Memory) -> list[str]:
    uses = (memory.main_rss_bytes, memory.workers_rss_bytes)
    return [place for place, use in zip(_ADVICE, uses, strict=True) if _grows(use)]


def _hours_left(measured: Measured, tree: MemoryUse, per_hour: float) -> float | None:
    """Return when the machine's memory would be full of this run alone, None when unknown."""
    size_bytes = measured.environment.memory_bytes
    if size_bytes is None or tree.end is None:
        return None
    return max(size_bytes - tree.end, 0.0) / per_hour


def _evidence(memory: Memory, hours_left: float | None) -> Iterator[Evidence]:
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
