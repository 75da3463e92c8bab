"""Runs of the same code on a screen: what they took, and how much they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ocr_baseline.comparison.repeated import repeated, unlike
from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text.plain_text import counted, name_of, single_line
from ocr_baseline.reports.text.screen import grid, printed
from ocr_baseline.reports.text.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.identity import Difference
    from ocr_baseline.comparison.repeated import Repeated
    from ocr_baseline.comparison.summary import RunSummary

HEADERS = ("Metric", "Mean", "Spread", "Lowest", "Highest", "n")


def render_repeated_terminal(runs: Sequence[RunSummary], *, width: int, color: bool) -> str:
    """Return a row for each metric that the runs measured."""
    labels = words.side_text([run.label for run in runs])
    blocks: list[RenderableType] = [
        Text(single_line(f"{counted(len(runs), 'run')}: {labels}"), style="bold"),
        *(Text(_difference_text(found), style="yellow") for found in unlike(runs)),
    ]
    rows = [_cells(one) for one in repeated(runs)]
    if rows:
        table = Table(headers=HEADERS, rows=rows, align="lrrrrr")
        blocks.append(Padding(grid(table), (1, 0, 0, 0)))
    else:
        blocks.append(Text("No metric was measured."))
    return printed(blocks, width=width, color=color)


def _difference_text(difference: Difference) -> str:
    """Return `a-3 isn't like the first run: num_workers is 4, not 1.`."""
    new, base = words.json_text(difference.new), words.json_text(difference.base)
    return (
        f"{name_of(difference.run or '')} isn't like the first run: "
        f"{name_of(difference.field)} is {new}, not {base}."
    )


def _cells(one: Repeated) -> tuple[str, ...]:
    mean, low, high = (
        words.value_text(one.metric, value)
        for value in (one.mean, min(one.values), max(one.values))
    )
    spread = words.ABSENT if one.spread is None else words.spread_text(one.metric, one.spread)
    return one.metric.label, mean, spread, low, high, str(len(one.values))
