"""What limits the answer: how the run ended, its machine, too few batches, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.kind import MIN_STEADY_BATCHES
from ocr_baseline.reports.story.parts import Limit
from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline, Phase

MAX_LIMITS = 3
_ENDINGS = {
    "finished": "The run finished",
    "failed": "The run failed",
    "interrupted": "The run was interrupted",
    "running": "The run hadn't ended when it was read",
}
_COVERS_UNTIL_THEN = " The numbers cover what was recorded until then."
_CUT_SHORT = ("failed", "interrupted", "running")


def ending(baseline: Baseline) -> str:
    """Return how the run ended, when, and by what."""
    run = baseline.run
    words = _ENDINGS.get(run.status, "How the run ended isn't known")
    after = f" after {formatting.duration(run.duration_s)}" if run.duration_s is not None else ""
    by = f" ({quoted(run.ended_by)})" if run.ended_by else ""
    return f"{words}{after}{_since_the_process_began(baseline) if after else ''}{by}."


def _since_the_process_began(baseline: Baseline) -> str:
    """Return the time that shares of the run are of, where it is longer than the run itself."""
    start = baseline.start
    if start is None or not start.process_to_setup_s:
        return ""
    return f", {formatting.duration(baseline.total_s)} after its process began"


def limits(baseline: Baseline) -> list[Limit]:
    """Return the weightiest things that limit the answer, and how many more there are."""
    found = list(_limits(baseline))
    rest = len(found) - MAX_LIMITS
    more = [Limit(kind="warning", text=f"{rest:,} more: see how it was measured.")]
    return found[:MAX_LIMITS] + (more if rest > 0 else [])


def _limits(baseline: Baseline) -> Iterator[Limit]:
    if baseline.run.status in _CUT_SHORT:
        covers = "" if wording.is_empty(baseline) else _COVERS_UNTIL_THEN
        yield Limit(kind="ending", text=f"{ending(baseline)}{covers}")
    for finding in baseline.ranked_findings:
        if finding.limits_trust:
            title = finding.title.rstrip(".")
            yield Limit(kind="machine", text=f"{title}.", advice=finding.advice)
    for phase in baseline.whole_phases:
        text = _too_few_batches(phase)
        if text is not None:
            yield Limit(kind="batches", text=text)
    for warning in baseline.measurement.warnings:
        yield Limit(kind="warning", text=wording.as_sentence(warning))


def _too_few_batches(phase: Phase) -> str | None:
    """Return that a recorded stage has few steady batches or none, None where it has enough."""
    times = phase.batch_time_s
    if times is None or not times.count:
        return None
    stage = wording.stage_adjective(phase.name)
    if phase.batch_time_scope == "all batches":
        return (
            f"{stage} has no steady batch: its times include starting up "
            f"({batches(times.count)} recorded)."
        )
    if phase.batch_time_scope == "steady batches" and times.count < MIN_STEADY_BATCHES:
        few = batches(times.count, "steady ")
        return f"{stage} has only {few}: it takes {MIN_STEADY_BATCHES} to judge."
    return None


def batches(count: int, kind: str = "") -> str:
    """Return `1 steady batch` or `2 steady batches`."""
    return f"{formatting.count(count)} {kind}batch{'' if count == 1 else 'es'}"
