"""Words that every report shares: stages, lines, sources, reasons for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.run import missing_entry
from ocr_baseline.reports.text import formatting
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Finding, Phase

MISSING_REASONS = {
    "not_collected": "not collected",
    "unsupported": "not supported here",
    "failed": "failed",
    "skipped": "skipped",
}

LINE_MEANINGS = {
    Line.LOADER_STARTUP.value: "waiting for the first batch of each epoch while workers start",
    Line.DATA_WAIT.value: "waiting for the next batch",
    Line.TRANSFER.value: "moving the batch to the device",
    Line.FORWARD.value: "the step, excluding named operations inside it",
    Line.BACKWARD.value: "the backward pass",
    Line.OPTIMIZER.value: "the optimizer's step and clearing gradients",
    Line.METRICS.value: "updating and computing metrics",
    Line.COLLECTIVES.value: "communicating with other ranks outside the backward pass",
    Line.LOGGING.value: "passing values to the loggers",
    Line.CHECKPOINT.value: "writing checkpoints",
    Line.CALLBACKS.value: "hooks of other callbacks",
    Line.MODULE_HOOKS.value: "hooks of the module other than its step",
    Line.PROFILER.value: "the profiler itself",
    Line.OTHER.value: "everything that no other line covers",
}

NOTHING_MEASURED = "Nothing was measured in this run, so there are no findings."
NO_FINDING = "No findings: nothing measured crossed a threshold."
TOO_EARLY = "No findings: no batch is steady, so there is nothing to judge by."
NOT_SPLIT = "No findings: the time of this run isn't split into lines, so there is little to judge."
NO_LARGE_FINDING = "No fix is known to save more than 2% of the run."


def stage_adjective(phase_name: str) -> str:
    """Return the word that stands before "Performance" and "Time" for a phase."""
    return PHASE_WORDS.get(phase_name, phase_name).capitalize()


def reason(baseline: Baseline, metric: str) -> str | None:
    """Return why `metric` has no value, or None when the document does not say."""
    entry = missing_entry(baseline.missing, metric)
    if entry is None:
        return None
    words = MISSING_REASONS.get(entry.reason, entry.reason)
    return f"{words}: {entry.detail}" if entry.detail else words


def not_measured(baseline: Baseline, metric: str) -> str:
    """Return `not measured`, with the reason in brackets when the document gives one."""
    why = reason(baseline, metric)
    return f"{formatting.NOT_MEASURED} ({why})" if why else formatting.NOT_MEASURED


def absence(baseline: Baseline, phase_name: str) -> str:
    """Return the sentence for a phase in which nothing was measured."""
    return f"{stage_adjective(phase_name)} was {not_measured(baseline, f'phases.{phase_name}')}."


def has_measurements(phase: Phase | None) -> bool:
    """Whether the phase holds any time at all."""
    if phase is None:
        return False
    batch_mean_s = phase.batch_time_s.mean if phase.batch_time_s else None
    return any(
        formatting.is_measured(value)
        for value in (phase.total_s, phase.sample_time_s, batch_mean_s)
    ) or bool(phase.breakdown)


def dataloader_phases(baseline: Baseline, name: str) -> list[Phase]:
    """Return the phases of single dataloaders, where they are not the whole phase already."""
    whole = baseline.phase(name)
    return [phase for phase in baseline.phases if phase.name == name and phase is not whole]


def is_empty(baseline: Baseline) -> bool:
    """Whether the document holds no measured phase, no operation and no rank."""
    held = baseline.operations or baseline.ranks
    return not held and not any(map(has_measurements, baseline.phases))


def no_findings(baseline: Baseline) -> str:
    """Return why the list of findings is empty: nothing was measured, or judged, or stood out."""
    if is_empty(baseline):
        return NOTHING_MEASURED
    if all(phase.batch_time_scope == "all batches" for phase in baseline.whole_phases):
        return TOO_EARLY
    if not any(phase.breakdown for phase in baseline.whole_phases):
        return NOT_SPLIT
    return NO_LARGE_FINDING if baseline.findings else NO_FINDING


def saving(finding: Finding) -> str:
    """Return `3.75 s (3.50 s to 4.00 s), 12.0% of the run`, as far as it is known.

    Where that is the most that can be saved, `at most` stands before it.
    """
    amount = formatting.duration(finding.estimated_saving_s)
    if finding.saving_is_the_most:
        amount = f"at most {amount}"
    low_s, high_s = finding.estimated_saving_low_s, finding.estimated_saving_high_s
    if low_s is not None and high_s is not None:
        amount += f" ({formatting.duration(low_s)} to {formatting.duration(high_s)})"
    if finding.share_of_run is not None:
        amount += f", {formatting.share(finding.share_of_run)} of the run"
    return amount


def saving_share(finding: Finding) -> str | None:
    """Return `12.0% of the run`, or the time where its share isn't known; None without a saving.

    Where that is the most that can be saved, `at most` stands before it.
    """
    if finding.estimated_saving_s is None:
        return None
    if finding.share_of_run is None:
        amount = formatting.duration(finding.estimated_saving_s)
    else:
        amount = f"{formatting.share(finding.share_of_run)} of the run"
    return f"at most {amount}" if finding.saving_is_the_most else amount


def saving_share_and_time(finding: Finding) -> str | None:
    """Return `12.0% of the run (3.75 s)`, in all else as `saving_share` does."""
    share = saving_share(finding)
    if finding.estimated_saving_s is None or finding.share_of_run is None:
        return share
    return f"{share} ({formatting.duration(finding.estimated_saving_s)})"


def as_sentence(text: str) -> str:
    """Return a note with a capital before it and a full stop behind."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
