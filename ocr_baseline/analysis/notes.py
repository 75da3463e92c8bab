"""How the numbers were taken and what the taking cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.phases.builder import own_cost_moved
from ocr_baseline.analysis.ranks import rank_warnings
from ocr_baseline.model.document import Measurement
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import Run
    from ocr_baseline.vocabulary import Stage


def measurement(run: Run, times: Mapping[Stage, StageTimes]) -> Measurement:
    """Return the section on the measuring: its cost, its warnings, its rules."""
    overhead_s = _overhead_s(run, times)
    total_s = sum(stage_times.total_s for stage_times in times.values())
    batches = sum(len(stage_times.durations_s) for stage_times in times.values())
    return Measurement(
        clock=run.measurement.clock,
        overhead_s=overhead_s,
        overhead_share=overhead_s / total_s if overhead_s is not None and total_s > 0 else None,
        per_batch_overhead_s=overhead_s / batches if overhead_s is not None and batches else None,
        background_cpu_s=run.measurement.background_cpu_s,
        warnings=[*run.measurement.warnings, *_warnings(run), *rank_warnings(run)],
        notes=_notes(run),
    )


def _overhead_s(run: Run, times: Mapping[Stage, StageTimes]) -> float | None:
    """Time in the profiler's own hooks plus the calibrated cost of each span, over the stages."""
    if not times:
        return None
    return sum(
        own_cost_moved(stage_times.lines_s, stage_times.events, run.measurement.event_cost_s).get(
            Line.PROFILER.value, 0.0
        )
        for stage_times in times.values()
    )


def _warnings(run: Run) -> list[str]:
    lost = run.measurement.lost_records
    if not lost:
        return []
    return [
        f"{lost} record{'s' if lost > 1 else ''} could not be read (cut off or damaged) and "
        "contributed nothing to this report"
    ]


def _notes(run: Run) -> list[str]:
    batches = run.measurement.sanity_check_batches
    return [f"sanity check: {batches} batches, not counted in any phase"] if batches else []
