"""The causes worth a headline, and the small things beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.named_cause import percent_words, place_of
from ocr_baseline.reports.story.parts import Cause, Certainty, Saving
from ocr_baseline.reports.text import wording
from ocr_baseline.vocabulary import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline, Finding, NamedCause

MOST_CAUSES = 3
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z`])")
_MATTERS_WITHOUT_SAVING = ("high", "medium")


def causes(baseline: Baseline) -> Iterator[Cause]:
    """Yield the causes that lead the report, the most worthwhile first."""
    for finding in headlines(baseline)[:MOST_CAUSES]:
        yield _cause(baseline, finding)


def headlines(baseline: Baseline) -> list[Finding]:
    """Return the findings that are causes: neither small, nor about the machine, nor mere notes."""
    return [finding for finding in _findings(baseline) if _is_headline(finding)]


def further_sentences(baseline: Baseline) -> Iterator[str]:
    """Yield a sentence for each cause beyond those that lead the report."""
    for finding in headlines(baseline)[MOST_CAUSES:]:
        yield finding_sentence(finding)


def small_sentences(baseline: Baseline) -> Iterator[str]:
    """Yield a sentence for each finding that is no cause: it saves little, or nothing."""
    for finding in _findings(baseline):
        if not _is_headline(finding):
            yield finding_sentence(finding)


def finding_sentence(finding: Finding) -> str:
    """Return a finding as what it is, what it would save, what it may be instead, what to do."""
    saves = "" if finding.estimated_saving_s is None else f" ({wording.saving(finding)})"
    doubt = f" In doubt: {finding.doubt.rstrip('.')}." if finding.doubt else ""
    return f"{finding.title.rstrip('.')}{saves}.{doubt} {finding.advice}"


def _findings(baseline: Baseline) -> list[Finding]:
    return [finding for finding in baseline.leading_findings if not finding.limits_trust]


def _is_headline(finding: Finding) -> bool:
    if finding.estimated_saving_s is None:
        return finding.severity in _MATTERS_WITHOUT_SAVING
    return not finding.is_small


def _cause(baseline: Baseline, finding: Finding) -> Cause:
    certainty, proof = _proof(finding)
    return Cause(
        finding=finding,
        title=finding.title.rstrip("."),
        severity=finding.severity,
        saving=_saving(finding),
        remedy=_SENTENCE_END.split(finding.advice, maxsplit=1)[0],
        advice=finding.advice,
        certainty=certainty,
        proof=proof,
        same_time=tuple(finding_sentence(one) for one in baseline.shared_findings(finding)),
    )


def _saving(finding: Finding) -> Saving | None:
    seconds = finding.estimated_saving_s
    if seconds is None:
        return None
    share = finding.share_of_run
    of_run = share / seconds if share is not None and seconds else None
    low_s, high_s = finding.estimated_saving_low_s, finding.estimated_saving_high_s
    return Saving(
        seconds=seconds,
        low_s=low_s,
        high_s=high_s,
        share_of_run=share,
        low_share=None if low_s is None or of_run is None else low_s * of_run,
        high_share=None if high_s is None or of_run is None else high_s * of_run,
        is_the_most=finding.saving_is_the_most,
        basis=finding.saving_basis,
    )


def _proof(finding: Finding) -> tuple[Certainty, str]:
    """Return how a cause is known, and the sentence that says so."""
    if finding.doubt:
        return "in doubt", f"In doubt: {finding.doubt.rstrip('.')}."
    basis = f" The saving assumes: {finding.saving_basis.rstrip('.')}." if (
        finding.saving_basis
    ) else ""  # fmt: skip
    cause = finding.cause
    if cause is None:
        return "timed", f"Measured in this run.{basis}"
    share = percent_words(cause.share, cause.low, cause.high)
    return "sampled", f"Sampled: {place_of(cause)} is in {share} of {_whole(cause)}.{basis}"


def _whole(cause: NamedCause) -> str:
    """Return what the share of a sampled function is a share of."""
    where, *names = cause.of.split(".", 2)
    if where == "workers":
        return "the workers' time"
    if where == "phases" and len(names) == 1:
        return PHASE_WORDS.get(names[0], "its phase")
    return "its line"
