"""A run that is going on: what it does, how fast, and where its time went so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of, single_line
from ocr_baseline.reports.text.screen import plain_table, printed, styled
from ocr_baseline.vocabulary import PHASE_WORDS, Stage

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from ocr_baseline.model.progress import Progress
    from ocr_baseline.model.run import RankStage

MOST_LINES = 6
"""Lines of the breakdown that are shown; the rest of the time is one line more."""
_BEFORE = {Stage.SETUP: "setting up", Stage.SANITY_CHECK: "sanity check"}


def render_progress(progress: Progress, *, verdict: str, width: int, color: bool) -> str:
    """Return the view of a terminal; `verdict` is what can be said of the run so far."""
    head = Text(name_of(progress.name or "unnamed run"), "bold")
    head.append(f"  {_state(progress)}", "")
    pace = _pace(progress)
    blocks = [head, Text(pace, "dim")] if pace else [head]
    shown = [_breakdown(one) for one in progress.stages if one.total_s > 0]
    return printed(
        [*blocks, *shown, styled(verdict, "bold")], width=width, color=color, is_wrapped=True
    )


def render_progress_line(progress: Progress) -> str:
    """Return the same in one line, for a log."""
    main = max(progress.stages, key=lambda one: one.total_s, default=None)
    parts = [_state(progress), _pace(progress)]
    if main is not None and main.total_s > 0:
        lines = ", ".join(f"{name} {share}" for name, share in _shares(main)[:3])
        parts.append(f"{PHASE_WORDS[main.stage.value]} went to {lines}")
    return "; ".join(part for part in parts if part) + "\n"


def _state(progress: Progress) -> str:
    at = formatting.duration(progress.recorded_until_s)
    if progress.has_ended:
        cause = f" by {single_line(progress.ended_by, 200)}" if progress.ended_by else ""
        return f"{progress.status}{cause} after {at}"
    stage = progress.stage
    if stage is None or stage in _BEFORE:
        return f"{_BEFORE[stage or Stage.SETUP]}, {at}"
    totals = progress.stage_totals(stage)
    count = 0 if totals is None else totals.batches
    batches = f"{count:,} batch" if count == 1 else f"{count:,} batches"
    epoch = "" if progress.epoch is None else f", epoch {progress.epoch}"
    return f"{PHASE_WORDS[stage.value]}{epoch}, {batches}, {at}"


def _pace(progress: Progress) -> str:
    """Return how fast the last seconds were, of what is known; nothing of a run that has ended."""
    if progress.has_ended:
        return ""
    told = []
    if progress.recent_samples_per_s is not None:
        told.append(formatting.samples_per_s(progress.recent_samples_per_s))
    if progress.recent_batch_s is not None:
        told.append(f"{formatting.duration(progress.recent_batch_s)} per batch")
    if progress.memory_bytes is not None:
        told.append(f"{formatting.byte_size(progress.memory_bytes)} in memory")
    return ", ".join(told)


def _shares(stage: RankStage) -> list[tuple[str, str]]:
    """Return the lines that took the most of a stage, and how much all others did."""
    ordered = sorted(stage.lines_s.items(), key=lambda one: -one[1])
    named = [(name_of(name), value) for name, value in ordered[:MOST_LINES] if value > 0]
    rest_s = sum(value for _, value in ordered[MOST_LINES:])
    rows = [*named, ("everything else", rest_s)] if rest_s > 0 else named
    return [(name, formatting.share(value / stage.total_s)) for name, value in rows]


def _breakdown(stage: RankStage) -> RichTable:
    total = f"{PHASE_WORDS[stage.stage.value]}, {formatting.duration(stage.total_s)}"
    table = plain_table(total)
    table.show_header = False
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, share in _shares(stage):
        fraction = stage.lines_s.get(name)
        bar = "" if fraction is None else formatting.block_bar(fraction / stage.total_s)
        table.add_row(Text(name), share, Text(bar))
    return table
