"""Memory: its peaks, and how it went over the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import AcceleratorMemory, Memory, MemoryUse
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.tables import Strong, Table

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


def memory_table(baseline: Baseline) -> Table | None:
    """Peaks of the accelerator and of the processes, and the use of the whole machine.

    None where nothing of it was measured.
    """
    memory = baseline.memory or Memory()
    accelerator = memory.accelerator or AcceleratorMemory()
    tree = memory.process_tree_rss_bytes or MemoryUse()
    values = [
        (
            "GPU Memory",
            "memory.accelerator.allocated_peak_bytes",
            formatting.byte_size(accelerator.allocated_peak_bytes),
            "peak allocated",
        ),
        (
            "GPU Memory Reserved",
            "memory.accelerator.reserved_peak_bytes",
            formatting.byte_size(accelerator.reserved_peak_bytes),
            "peak reserved",
        ),
        (
            "CPU Memory",
            "memory.process_tree_rss_bytes.peak",
            formatting.byte_size(tree.peak),
            "peak resident, main process and workers",
        ),
        (
            "System Memory",
            "memory.system_memory_percent",
            formatting.percent(memory.system_memory_percent),
            "whole machine, including other programs",
        ),
    ]
    if all(text == formatting.NOT_MEASURED for *_, text, _ in values):
        return None
    if values[0][2] == values[1][2] == formatting.NOT_MEASURED:
        del values[1]  # what isn't known of one is for the same reason not known of the other
    rows = [
        [Strong(label), wording.not_measured(baseline, path), ""]
        if text == formatting.NOT_MEASURED
        else [Strong(label), text, scope]
        for label, path, text, scope in values
    ]
    return Table(headers=["Resource", "Usage", "Scope"], rows=rows, align="lr")


def memory_over_time_table(baseline: Baseline) -> Table | None:
    """Memory from the run's start to its end, and within each phase."""
    memory = baseline.memory or Memory()
    uses = [
        ("Process tree", memory.process_tree_rss_bytes),
        ("Process tree, shared pages split (PSS)", memory.process_tree_pss_bytes),
        ("Main process", memory.main_rss_bytes),
        ("Loader workers", memory.workers_rss_bytes),
        *_phase_memory_uses(baseline),
    ]
    rows = [
        [
            label,
            formatting.byte_size(use.start),
            formatting.byte_size(use.end),
            formatting.byte_size(use.peak),
            formatting.byte_size(use.mean),
            _growth(use),
        ]
        for label, use in uses
        if use is not None
    ]
    headers = ["Memory", "Start", "End", "Peak", "Mean", "Growth"]
    return Table(headers=headers, rows=rows, align="lrrrrr") if rows else None


def _phase_memory_uses(baseline: Baseline) -> list[tuple[str, MemoryUse | None]]:
    """Label and use for each phase in which memory was sampled."""
    uses: list[tuple[str, MemoryUse | None]] = []
    for phase in baseline.phases:
        if phase.memory is None or phase.dataloader is not None:
            continue
        during = f"during {wording.stage_adjective(phase.name).lower()}"
        uses += [
            (f"Process tree {during}", phase.memory.process_tree_rss_bytes),
            (f"Accelerator allocated {during}", phase.memory.accelerator_allocated_bytes),
            (f"Accelerator reserved {during}", phase.memory.accelerator_reserved_bytes),
            (f"Of it, without a tensor {during}", phase.memory.accelerator_unused_bytes),
        ]
    return uses


def _growth(use: MemoryUse) -> str:
    growth = formatting.bytes_per_min(use.growth_bytes_per_min)
    low, high = use.growth_low_bytes_per_min, use.growth_high_bytes_per_min
    if low is None or high is None:
        return growth
    lowest, highest = (formatting.byte_size(value, signed=True) for value in (low, high))
    return f"{growth} ({lowest} to {highest})"
