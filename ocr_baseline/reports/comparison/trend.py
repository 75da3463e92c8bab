"""The history of metrics: a table of levels with change points, and a chart of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ocr_baseline.model.json_text import json_text
from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import fenced
from ocr_baseline.reports.text.plain_text import counted
from ocr_baseline.reports.text.screen import grid, printed
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ocr_baseline.comparison.drift import Segment, Trend

CHART_HEIGHT = 8
MAX_CHART_WIDTH = 100
POINT = "o"
CHANGE = "|"
EMPTY = " "


def render_trend_terminal(
    trends: Sequence[Trend], labels: Sequence[str], *, width: int, color: bool
) -> str:
    """Return each metric's levels and chart; `labels` name the runs, oldest first."""
    blocks: list[RenderableType] = []
    for trend in trends:
        blocks.append(Text(_heading(trend), style="bold"))
        chart_width = min(width - 14, MAX_CHART_WIDTH)
        levels = grid(_levels(trend, labels))
        blocks.append(Group(levels, Padding(Text(chart(trend, chart_width)), (1, 0))))
    return printed(blocks or [Text("No metric has a history.")], width=width, color=color)


def render_trend_markdown(trends: Sequence[Trend], labels: Sequence[str]) -> str:
    """Return the same for a page or a pull request."""
    blocks = ["## History"]
    for trend in trends:
        blocks.append(f"### {_heading(trend)}")
        blocks.append(_levels(trend, labels).markdown())
        blocks.append(fenced(chart(trend, MAX_CHART_WIDTH), "text"))
    return "\n\n".join(blocks) + "\n"


def render_trend_json(trends: Sequence[Trend], labels: Sequence[str]) -> str:
    """Return every value and level in SI units."""
    document: list[JsonValue] = [
        {
            "metric": trend.metric.key,
            "unit": trend.metric.unit,
            "runs": [labels[position] for position in trend.positions],
            "values": list(trend.values),
            "drift": None if trend.drift is None else trend.drift.change,
            "segments": [
                {
                    "since": labels[trend.positions[segment.start]],
                    "runs": segment.end - segment.start,
                    "level": segment.level,
                    "change": segment.change,
                    "worse": segment.is_worse,
                }
                for segment in trend.segments
            ],
        }
        for trend in trends
    ]
    return json_text(document)


def chart(trend: Trend, width: int) -> str:
    """Return the values over the runs as a chart of characters, change points as upright lines.

    Of more runs than columns, as many as there are columns are drawn, evenly spaced. Values that
    are all equal make one row.
    """
    columns = _columns(trend.values, max(10, width))
    low, high = min(columns), max(columns)
    span = (high - low) or 1.0
    height = CHART_HEIGHT if high > low else 1
    marks = {
        round(segment.start * (len(columns) - 1) / max(1, len(trend.values) - 1))
        for segment in trend.segments[1:]
    }
    rows = []
    for row in range(height):
        cells = [
            POINT
            if round((height - 1) * (high - value) / span) == row
            else (CHANGE if index in marks else EMPTY)
            for index, value in enumerate(columns)
        ]
        shown = {height - 1: low, 0: high}.get(row)
        label = "" if shown is None else words.value_text(trend.metric, shown)
        rows.append(f"{label:>12} {''.join(cells)}".rstrip())
    return "\n".join(rows)


def _heading(trend: Trend) -> str:
    heading = f"{trend.metric.label}, {counted(len(trend.values), 'run')}"
    if trend.drift is None:
        return heading
    change = words.change_text(trend.metric, trend.drift.change)
    direction = "worse" if trend.drift.is_worse else "better"
    return f"{heading}: a slow drift of {change} ({direction}) from the first to the last"


def _columns(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    last = len(values) - 1
    return [values[round(column * last / (width - 1))] for column in range(width)]


def _levels(trend: Trend, labels: Sequence[str]) -> Table:
    rows = [
        (
            Name(labels[trend.positions[segment.start]]),
            formatting.count(segment.end - segment.start),
            words.value_text(trend.metric, segment.level),
            _change(trend, segment),
        )
        for segment in trend.segments
    ]
    return Table(headers=("Since", "Runs", "Level", "Change"), rows=rows, align="lrrr")


def _change(trend: Trend, segment: Segment) -> str:
    if segment.change is None:
        return words.ABSENT
    text = words.change_text(trend.metric, segment.change)
    return f"{text} ({'worse' if segment.is_worse else 'better'})"
