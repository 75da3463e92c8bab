"""What a report accounts for: the evidence, what is missing, what its words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import single_line
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Finding

MAX_MISSING = 30
MAX_DETAIL = 200


def evidence_table(finding: Finding) -> Table:
    """The numbers that a finding rests on."""
    rows = [
        [Name(item.metric), formatting.quantity(item.value, item.unit)] for item in finding.evidence
    ]
    return Table(headers=["Evidence", "Value"], rows=rows, align="lr")


def missing_table(baseline: Baseline) -> Table:
    """What has no value, and why."""
    rows = [
        [
            Name(entry.metric),
            wording.MISSING_REASONS.get(entry.reason, entry.reason),
            single_line(entry.detail or "", MAX_DETAIL),
        ]
        for entry in baseline.missing[:MAX_MISSING]
    ]
    rest = len(baseline.missing) - MAX_MISSING
    if rest > 0:
        rows.append([f"{rest:,} more", "", "they are in `baseline.json`"])
    return Table(headers=["Metric", "Reason", "Detail"], rows=rows)


def line_table(baseline: Baseline) -> Table | None:
    """What the lines of the breakdowns mean, as far as they appear."""
    names = {line.name for phase in baseline.phases for line in phase.breakdown}
    rows = [[Name(name), text] for name, text in wording.LINE_MEANINGS.items() if name in names]
    return Table(headers=["Line", "Time spent"], rows=rows) if rows else None
