"""What passed before the first training batch, and which part of the run trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.sampled_functions import sampled_share, where
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.tables import Name, Table
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Goodput, Start, StartPart

LEAST_SHARE = 0.01
_SINCE = {
    "process": "the process began",
    "fit": "the trainer's fit began",
    "setup": "the callback's setup",
}
_MEANINGS = {
    "script": "imports and the script's own code, until the callback was made",
    "trainer": "from there until the trainer's fit began",
    "prepare_data": "the hook prepare_data",
    "datamodule_setup": "the datamodule's setup",
    "before_setup": "loggers and processes of the trainer, before any callback's setup",
    Line.LOADER_STARTUP.value: "making and starting the loaders",
    Line.CHECKPOINT.value: "checkpoint hooks",
    Line.PROFILER.value: "the profiler itself",
    Line.OTHER.value: "everything else: the strategy, the model on its device, start hooks",
    "sanity_check": "the validation batches that Lightning tries first",
    "first_fetch": "waiting for the first batch",
    "first_step": "the rest of the first batch",
}


def start_sentences(baseline: Baseline) -> list[str]:
    """Return the time to the first step and the share that trained, or why there is none."""
    start, goodput = baseline.start, baseline.goodput
    sentences = [
        f"The time to the first step: {wording.not_measured(baseline, 'start')}."
        if start is None
        else f"{first_step(start)}."
    ]
    if start is not None and start.process_to_setup_s is None:
        why = wording.not_measured(baseline, "start.process_to_setup_s")
        sentences.append(f"What the process did before: {why}.")
    sentences.append(
        f"The share of the run that trained: {wording.not_measured(baseline, 'goodput')}."
        if goodput is None
        else f"{trained(goodput)}: training batches without waiting for data and without "
        "checkpoints."
    )
    return sentences


def first_step(start: Start) -> str:
    """Return when the first training batch ended."""
    after = formatting.duration(start.time_to_first_step_s)
    return f"The first training batch ended {after} after {_SINCE[start.since]}"


def trained(goodput: Goodput) -> str:
    """Return which part of the run trained."""
    share, wall = formatting.share(goodput.share), formatting.duration(goodput.wall_s)
    return f"Of {wall}, {share} went into training"


def largest_part(start: Start) -> StartPart | None:
    """Return the longest part, None where there is none."""
    return max(start.breakdown, key=lambda part: part.total_s, default=None)


def start_table(baseline: Baseline) -> Table | None:
    """Return the parts that matter, in the order in which they passed."""
    start = baseline.start
    if start is None:
        return None
    rows = [
        [
            Name(part.name),
            formatting.duration(part.total_s),
            formatting.share(part.share),
            _what(part),
        ]
        for part in start.breakdown
        if (part.share or 0.0) >= LEAST_SHARE
    ]
    headers = ["Part", "Time", "Share", "What it is"]
    return Table(headers=headers, rows=rows, align="lrrl") if rows else None


def _what(part: StartPart) -> str:
    meaning = _MEANINGS.get(part.name, "")
    group, separator, hook = part.name.partition(":")
    if separator and group == Line.MODULE_HOOKS.value:
        meaning = f"the module's {hook}"
    elif separator and group == Line.CALLBACKS.value:
        meaning = "hooks of this callback"
    if part.cause is None:
        return meaning
    cause = f"{part.cause.name} ({where(part.cause)}): {sampled_share(part.cause)} of it"
    return f"{meaning}; {cause}" if meaning else cause
