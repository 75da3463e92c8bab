"""The metrics of a comparison as intervals on one axis: where each change lies, and its margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text import formatting

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison

LEAST_REACH = 0.1
MOST_REACH = 1.0
"""The axis reaches from 10% to 100% on both sides; what lies beyond stands at its edge."""
CSS = {"regression": "more", "improvement": "less"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row; all places are shares of the axis, whose middle is no change."""

    label: str
    base: str
    new: str
    change: str
    interval: str
    verdict: str
    css: str
    at: float
    low: float
    width: float
    margin_low: float
    margin_width: float


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The rows, and how far the axis reaches on both sides."""

    rows: Sequence[Change]
    reach: str


def changes(comparison: Comparison) -> Changes | None:
    """Return the metrics whose change is a ratio; None where there is none."""
    drawn = [one for one in comparison.metrics if one.change is not None and _is_ratio(one)]
    if not drawn:
        return None
    ends = [abs(end) for one in drawn for end in (one.change, one.low, one.high) if end is not None]
    reach = min(MOST_REACH, max(LEAST_REACH, 1.1 * max(ends)))
    return Changes(rows=[_row(one, reach) for one in drawn], reach=formatting.percent(100 * reach))


def _is_ratio(compared: MetricComparison) -> bool:
    return compared.metric.scale == "log"


def _row(compared: MetricComparison, reach: float) -> Change:
    metric, change = compared.metric, compared.change or 0.0
    low, high = (
        _place(change if end is None else end, reach) for end in (compared.low, compared.high)
    )
    margin = compared.margin or 0.0
    margin_low, margin_high = _place(-margin, reach), _place(margin, reach)
    return Change(
        label=metric.label,
        base=words.value_text(metric, compared.base),
        new=words.value_text(metric, compared.new),
        change=words.change_text(metric, compared.change),
        interval=words.interval_text(compared),
        verdict=words.verdict_text(compared),
        css=CSS.get(compared.verdict, "even"),
        at=_place(change, reach),
        low=low,
        width=max(0.0, high - low),
        margin_low=margin_low,
        margin_width=margin_high - margin_low,
    )


def _place(change: float, reach: float) -> float:
    return 0.5 + 0.5 * min(1.0, max(-1.0, change / reach))
