"""A comparison's page: the answer, every change with its interval, and the lines behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.page.changes import changes
from ocr_baseline.reports.page.frame import LOADS_NOTHING, filled
from ocr_baseline.reports.page.view import ShownTable, shown_table
from ocr_baseline.reports.text.wording import as_sentence, stage_adjective

if TYPE_CHECKING:
    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison

MAX_LINES = 40
MAX_DIFFERENCES = 100


@dataclass(frozen=True, kw_only=True)
class ShownPhase:
    """What moved in a phase: a sentence, and its lines."""

    title: str
    sentence: str
    table: ShownTable


def render_comparison_page(comparison: Comparison) -> str:
    """Return the page; equal comparisons give equal texts."""
    return filled("comparison.html.j2", _view(comparison))


def _view(comparison: Comparison) -> dict[str, object]:
    base, new = (words.side_text(side.labels) for side in (comparison.base, comparison.new))
    metrics = words.metric_table(comparison.metrics) if comparison.metrics else None
    differences = (
        words.difference_table(comparison, MAX_DIFFERENCES) if comparison.differences else None
    )
    return {
        "title": f"{new} against {base}",
        "base": base,
        "new": new,
        "design": words.DESIGN_WORDS[comparison.design],
        "headline": words.headline(comparison),
        "is_forbidden": bool(comparison.obstacles),
        "changes": changes(comparison),
        "metrics": metrics and shown_table(metrics, "All metrics"),
        "reasons": words.reason_sentences(comparison),
        "phases": [_phase(phase) for phase in comparison.breakdowns],
        "differences": differences and shown_table(differences, "What differs"),
        "notes": _notes(comparison),
        "footer": LOADS_NOTHING,
    }


def _phase(phase: PhaseChange) -> ShownPhase:
    title = stage_adjective(phase.phase)
    return ShownPhase(
        title=title,
        sentence=words.phase_sentence(phase),
        table=shown_table(words.line_table(phase, MAX_LINES), title),
    )


def _notes(comparison: Comparison) -> Sequence[str]:
    notes = [as_sentence(note) for note in (*words.method_notes(comparison), *comparison.notes)]
    if comparison.not_measured:
        notes.append(f"Not measured on either side: {words.not_measured_text(comparison)}.")
    return notes
