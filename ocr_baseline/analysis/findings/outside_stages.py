"""Much of the run passed between its stages or after the last of them, where no line has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import OUTSIDE_STAGES
from ocr_baseline.analysis.findings.rule import seconds_evidence
from ocr_baseline.model.document import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured


def outside_stages(measured: Measured) -> Iterator[Finding]:
    """Find runs of which much is neither before the first batch nor in a stage.

    No saving: what the time went to wasn't recorded.
    """
    outside_s = _outside_s(measured)
    if outside_s is None or outside_s < OUTSIDE_STAGES["seconds"]:
        return
    if outside_s < OUTSIDE_STAGES["of_run"] * measured.total_s:
        return
    yield Finding(
        id=OUTSIDE_STAGES.id,
        severity="medium",
        title=f"{outside_s:.0f} of the run's {measured.total_s:.0f} s passed between its stages or "
        "after them",
        evidence=[seconds_evidence("outside_stages_s", outside_s)],
        advice="See what the script does between its calls of the trainer, and what ends a fit: a "
        "last checkpoint, a logger's upload, teardown hooks. Nothing there is recorded by line.",
    )


def _outside_s(measured: Measured) -> float | None:
    """Return the time in no stage and after the first batch, None where the start isn't known."""
    start = measured.start
    if start is None:
        return None
    before_s = start.time_to_first_step_s - start.first_batch_s
    stages_s = sum(phase.total_s or 0.0 for phase in measured.whole_phases)
    return measured.total_s - before_s - stages_s
