"""The answer in one sentence, with the two numbers that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.causes import headlines
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline, Finding

_MODELS_OWN = (Line.FORWARD.value, Line.BACKWARD.value)
NEARLY_ALL = 0.9
"""A function with so much of what would go is it, within the margins of sampled shares."""


def verdict(baseline: Baseline) -> str:
    """Return what the run comes to; what is in doubt comes behind what is certain."""
    if wording.is_empty(baseline):
        why = wording.reason(baseline, "phases")
        return f"Nothing was measured in this run{f' ({why})' if why else ''}."
    found = headlines(baseline)
    certain = [finding for finding in found if not finding.doubt]
    costly = next((one for one in certain if one.estimated_saving_s is not None), None)
    if costly is not None:
        return f"{_fixing(costly)}."
    doubtful = next((one for one in found if one.doubt), None)
    if doubtful is None:
        return f"{_without_saving(baseline, certain, 'known')}."
    first = _without_saving(baseline, certain, "certain")
    return f"{first}; in doubt: {_fixing(doubtful)}."


def _without_saving(baseline: Baseline, certain: Sequence[Finding], how: str) -> str:
    if certain:
        return f"{certain[0].title.rstrip('.')}; no fix is known to save more than 2% of the run"
    if all(phase.batch_time_scope == "all batches" for phase in baseline.whole_phases):
        return "The run was too short to judge: none of its batches is steady"
    return _nothing(baseline, how)


def _fixing(finding: Finding) -> str:
    if finding.estimated_saving_s is None:
        return finding.title.rstrip(".")
    saved = wording.saving_share_and_time(finding)
    what = "all of it" if _names_a_part(finding) else "it"
    return f"{finding.title.rstrip('.')}; fixing {what} would save {saved}"


def _names_a_part(finding: Finding) -> bool:
    """Whether the title ends in a function that takes a part of what the saving is of.

    The saving is of a whole line or of the workers' work; a sampler's is of its own part.
    """
    cause = finding.cause
    if cause is None or cause.share >= NEARLY_ALL:
        return False
    is_of_more = ".breakdown." in cause.of or cause.of.startswith("workers.")
    return is_of_more and not any(one.metric.endswith(".sampler_share") for one in finding.evidence)


def _nothing(baseline: Baseline, how: str) -> str:
    total_s = baseline.total_s
    lines = [line for phase in baseline.whole_phases for line in phase.breakdown]
    if not lines or not total_s:
        return "No cause can be named: the time of this run isn't split into lines"
    parts_s = {
        "the model's steps and backward pass": sum(
            line.total_s for line in lines if line.name in _MODELS_OWN
        ),
        "before, between and after its stages": total_s - sum(line.total_s for line in lines),
    }
    largest = max(parts_s, key=parts_s.__getitem__)
    share = formatting.share(parts_s[largest] / total_s)
    return f"No fix is {how} to save more than 2% of the run: {share} is {largest}"
