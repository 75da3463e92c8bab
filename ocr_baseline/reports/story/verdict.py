"""The answer in one sentence, with the two numbers that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.causes import headlines
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Finding

_MODELS_OWN = (Line.FORWARD.value, Line.BACKWARD.value)


def verdict(baseline: Baseline) -> str:
    """Return what the run comes to."""
    if wording.is_empty(baseline):
        why = wording.reason(baseline, "phases")
        return f"Nothing was measured in this run{f' ({why})' if why else ''}."
    found = headlines(baseline)
    costly = next((one for one in found if one.estimated_saving_s is not None), None)
    if costly is not None:
        return _fixing(costly)
    if found:
        title = found[0].title.rstrip(".")
        return f"{title}; no time above 2% of the run is to be saved."
    if all(phase.batch_time_scope == "all batches" for phase in baseline.whole_phases):
        return "The run was too short to judge: none of its batches is steady."
    return _nothing_to_fix(baseline)


def run_seconds(baseline: Baseline) -> float:
    """Return the time that shares of the run are of.

    It counts from where the time to the first step does, where that is known, as `share_of_run`
    of a finding does.
    """
    phases_s = sum(phase.total_s or 0.0 for phase in baseline.whole_phases)
    start = baseline.start
    before_s = 0.0 if start is None else start.process_to_setup_s or start.fit_to_setup_s or 0.0
    return before_s + max(baseline.run.duration_s or 0.0, phases_s)


def _fixing(finding: Finding) -> str:
    seconds = formatting.duration(finding.estimated_saving_s)
    share = finding.share_of_run
    saved = f"{formatting.share(share)} of the run ({seconds})" if share is not None else seconds
    doubt = f", if it isn't that {finding.doubt.rstrip('.')}" if finding.doubt else ""
    return f"{finding.title.rstrip('.')}; fixing it would save {saved}{doubt}."


def _nothing_to_fix(baseline: Baseline) -> str:
    total_s = run_seconds(baseline)
    lines = [line for phase in baseline.whole_phases for line in phase.breakdown]
    if not lines or not total_s:
        return "No cause can be named: the time of this run isn't split into lines."
    parts_s = {
        "the model's steps and backward pass": sum(
            line.total_s for line in lines if line.name in _MODELS_OWN
        ),
        "before, between and after its stages": total_s - sum(line.total_s for line in lines),
    }
    largest = max(parts_s, key=parts_s.__getitem__)
    share = formatting.share(parts_s[largest] / total_s)
    return f"Nothing above 2% of the run to fix: {share} is {largest}."
