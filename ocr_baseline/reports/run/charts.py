"""Pictures of a run, as plotly figures: what a table makes one search for and a picture shows.

Each function returns None where what it draws was not measured. Nothing is computed here but which
of very many points are drawn.
"""

from __future__ import annotations

import html
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ocr_baseline.reports.run.csv import batch_tables
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import single_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocr_baseline.model.document import Baseline, Phase
    from ocr_baseline.model.run import MemorySamples, Run

MAX_LINES = 9
MAX_POINTS = 4_000
MAX_LABEL_LENGTH = 60
GIBIBYTE = 1024**3
REST = "other lines"
ROW_HEIGHT_PX = 46
FRAME_HEIGHT_PX = 90
LEGEND_HEIGHT_PX = 90
# Okabe and Ito's palette, distinguishable with any color vision; gray for the rest.
COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"),
    *("#8C6BB1", "#999999"),
)


def label(name: str) -> str:
    """Return a name for a chart, in which plotly reads some HTML: escaped, one line, not too long.

    Of a dotted name the end tells more than the beginning.
    """
    text = single_line(name) or "(unnamed)"
    if len(text) > MAX_LABEL_LENGTH:
        text = "…" + text[1 - MAX_LABEL_LENGTH :]
    return html.escape(text, quote=False)


def time_by_line(baseline: Baseline) -> go.Figure | None:
    """Where each phase's time went: a bar for each phase, split over the lines, in percent."""
    phases = [phase for phase in baseline.whole_phases if phase.breakdown and phase.total_s]
    if not phases:
        return None
    names = _heaviest_lines(phases)
    figure = go.Figure()
    for name, color in zip([*names, REST], COLORS, strict=False):
        taken_s = [_line_s(phase, name, names) for phase in phases]
        figure.add_bar(
            orientation="h",
            name=label(name),
            y=[wording.stage_adjective(phase.name) for phase in phases],
            x=[100 * s / (phase.total_s or 1.0) for s, phase in zip(taken_s, phases, strict=True)],
            customdata=[formatting.duration(s) for s in taken_s],
            hovertemplate="%{customdata}, %{x:.1f}%<extra>%{fullData.name}</extra>",
            marker_color=color,
        )
    figure.update_layout(
        barmode="stack",
        height=FRAME_HEIGHT_PX + LEGEND_HEIGHT_PX + ROW_HEIGHT_PX * len(phases),
        legend={"orientation": "h", "yref": "container", "y": 0, "traceorder": "normal"},
    )
    figure.update_xaxes(title="% of the phase's time", range=[0, 100])
    figure.update_yaxes(autorange="reversed")
    return figure


def _heaviest_lines(phases: list[Phase]) -> list[str]:
    """Return the lines that have the largest share of any phase, the largest first."""
    shares: dict[str, float] = {}
    for phase in phases:
        for line in phase.breakdown:
            shares[line.name] = max(shares.get(line.name, 0.0), line.share or 0.0)
    return sorted(shares, key=lambda name: -shares[name])[:MAX_LINES]


def _line_s(phase: Phase, name: str, named: list[str]) -> float:
    lines_s = {line.name: line.total_s for line in phase.breakdown}
    if name != REST or REST in named:
        return lines_s.get(name, 0.0)
    return sum(total_s for line, total_s in lines_s.items() if line not in named)


def waterfall(baseline: Baseline) -> go.Figure | None:
    """What makes a validation sample take longer, or less long, than a training sample."""
    compared = baseline.train_vs_validation
    train = baseline.phase("train")
    if compared is None or not compared.waterfall_s_per_sample or train is None:
        return None
    steps = sorted(compared.waterfall_s_per_sample, key=lambda step: -abs(step.delta_s))
    shown, small = steps[:MAX_LINES], steps[MAX_LINES:]
    names = [label(step.name) for step in shown] + ([f"{len(small)} more lines"] if small else [])
    deltas_s = [step.delta_s for step in shown]
    if small:
        deltas_s.append(sum(step.delta_s for step in small))
    first_s = train.sample_time_s or 0.0
    values_s = [first_s, *deltas_s, first_s + sum(deltas_s)]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            measure=["absolute", *["relative"] * len(deltas_s), "total"],
            y=list(range(len(values_s))),
            x=[1e3 * value_s for value_s in values_s],
            text=[
                formatting.duration(value_s, signed=0 < place < len(values_s) - 1)
                for place, value_s in enumerate(values_s)
            ],
            hovertemplate="%{text}<extra></extra>",
            increasing_marker_color=COLORS[5],
            decreasing_marker_color=COLORS[2],
            totals_marker_color=COLORS[0],
        )
    )
    figure.update_xaxes(title="ms per sample")
    return _with_rows(figure, ["Training sample", *names, "Validation sample"])


def savings(baseline: Baseline) -> go.Figure | None:
    """What each finding would save at most, in seconds of the run."""
    found = [one for one in baseline.leading_findings if one.estimated_saving_s]
    if not found:
        return None
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=list(range(len(found))),
            x=[one.estimated_saving_s for one in found],
            text=[formatting.duration(one.estimated_saving_s) for one in found],
            hovertemplate="%{text}<extra></extra>",
            marker_color=COLORS[2],
        )
    )
    figure.update_xaxes(title="estimated saving (s)")
    return _with_rows(figure, [label(one.title) for one in found])


def _with_rows(figure: go.Figure, labels: list[str]) -> go.Figure:
    """Name the rows from the top; by number, because two names may look alike."""
    figure.update_layout(height=FRAME_HEIGHT_PX + ROW_HEIGHT_PX * len(labels))
    figure.update_yaxes(autorange="reversed", tickvals=list(range(len(labels))), ticktext=labels)
    return figure


def batch_times(run: Run) -> go.Figure | None:
    """Each batch at the moment of its start; of very many the shortest and longest of each few."""
    figure = go.Figure()
    tables = [(stage, table) for stage, table in batch_tables(run) if len(table.duration_s)]
    for color, (stage, table) in zip(COLORS, tables, strict=False):
        drawn = drawn_rows(table.duration_s)
        figure.add_scatter(
            mode="markers",
            name=stage,
            x=table.start_s[drawn],
            y=table.duration_s[drawn],
            customdata=np.stack([table.epoch[drawn], table.batch_idx[drawn]], axis=1),
            hovertemplate="epoch %{customdata[0]}, batch %{customdata[1]}: %{y:.4g} s"
            "<extra>%{fullData.name}</extra>",
            marker={"color": color, "size": 5, "opacity": 0.7},
        )
    if not figure.data:
        return None
    figure.update_xaxes(title="seconds since the start of the run")
    figure.update_yaxes(title="s per batch", rangemode="tozero")
    return figure


def drawn_rows(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows to draw, in order: all, or the lowest and highest of each of equal parts."""
    if len(values) <= MAX_POINTS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), MAX_POINTS // 2 + 1).astype(np.intp)
    parts = [(a, values[a:b]) for a, b in pairwise(edges)]
    rows = [a + int(find(part)) for a, part in parts for find in (np.argmin, np.argmax)]
    return np.unique(np.asarray(rows, dtype=np.intp))


def memory_over_time(samples: MemorySamples | None) -> go.Figure | None:
    """Resident memory of the main process and its workers, the accelerator's where there is one."""
    if samples is None:
        return None
    columns = {
        "main process": samples.main_rss_bytes,
        "loader workers": samples.workers_rss_bytes,
        "accelerator, allocated": samples.accelerator_allocated_bytes,
        "accelerator, reserved": samples.accelerator_reserved_bytes,
    }
    figure = go.Figure()
    for color, (name, column) in zip(COLORS, columns.items(), strict=False):
        if column is not None and np.isfinite(column).any():
            drawn = drawn_rows(np.nan_to_num(column))
            figure.add_scatter(
                mode="lines",
                name=name,
                x=samples.at_s[drawn],
                y=column[drawn] / GIBIBYTE,
                hovertemplate="%{y:.3g} GiB<extra>%{fullData.name}</extra>",
                line_color=color,
            )
    if not figure.data:
        return None
    figure.update_xaxes(title="seconds since the start of the run")
    figure.update_yaxes(title="GiB", rangemode="tozero")
    return figure
