"""The run on one axis of time: passes and checkpoints, every batch, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.reports.page import axes, paths
from ocr_baseline.reports.page.memory_lane import MemoryLane, memory_lane
from ocr_baseline.reports.page.palette import STAGES
from ocr_baseline.reports.page.passes import Pass, checkpoints, end_of, passes
from ocr_baseline.reports.page.series import MAX_POINTS, Columns, in_columns
from ocr_baseline.reports.page.standouts import Standout, standouts
from ocr_baseline.reports.run.csv import batch_tables
from ocr_baseline.reports.text import formatting
from ocr_baseline.vocabulary import PHASE_WORDS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import BatchTable, Run

BAND_HEIGHT = 24
BATCH_HEIGHT = 180
BATCH_UNITS = 720
"""Four to a pixel, for screens that have as many."""
TIME_TICKS = 8
VALUE_TICKS = 4
MAX_LABELS = 40
LEAST_LABEL_SHARE = 0.022
USUAL_PERCENTILE = 98
"""The axis of batch times is made for all but two batches in a hundred; see `_axis_end_s`."""
MAX_PASSES = 400
"""So many passes can be looked at one by one; of more, the page tells the whole run only."""


class Band(NamedTuple):
    """The passes of one stage."""

    words: str
    css: str
    path: str


class Label(NamedTuple):
    """A pass that is wide enough for its number; `x` and `width` are shares of the axis."""

    text: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class BatchSeries:
    """The batches of a stage as drawn: dots, or the range and the middle of each column."""

    stage: str
    words: str
    css: str
    dots: str = ""
    ranges: str = ""
    middle: str = ""
    hover: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything that the chart shows; `alternative` is what it shows in words."""

    end_s: float
    high_s: float
    bands: Sequence[Band]
    start_width: int
    checkpoints: str
    labels: Sequence[Label]
    series: Sequence[BatchSeries]
    standouts: Sequence[Standout]
    memory: MemoryLane | None
    time_ticks: Sequence[axes.Tick]
    value_ticks: Sequence[axes.Tick]
    alternative: str
    passes: Sequence[Pass]

    @property
    def is_thinned(self) -> bool:
        """Whether columns are drawn instead of single batches."""
        return any(one.ranges for one in self.series)

    @property
    def hover(self) -> dict[str, object]:
        """What the page's script needs: times in ms, memory in bytes."""
        few = self.passes if len(self.passes) <= MAX_PASSES else ()
        return {
            "end": round(self.end_s * 1e3, 1),
            "high": self.high_s * 1e3,
            "series": [one.hover for one in self.series],
            "passes": [
                [one.stage, one.epoch, round(one.start_s * 1e3), round(one.end_s * 1e3)]
                for one in few
            ],
            "memory": self.memory.hover if self.memory else None,
        }


def timeline(baseline: Baseline, run: Run | None) -> Timeline | None:
    """Return the chart, None where neither batches nor memory were recorded over time."""
    if run is None:
        return None
    tables = [(stage, table) for stage, table in batch_tables(run) if len(table.duration_s)]
    found = passes(run)
    end_s = end_of(run, found)
    memory = memory_lane(run.memory, end_s)
    if not (tables or memory) or end_s <= 0:
        return None
    high_s = _axis_end_s(tables)
    series = list(_series(tables, end_s, high_s))
    return Timeline(
        end_s=end_s,
        high_s=high_s,
        bands=list(_bands(found, end_s)),
        start_width=_start_width(found, end_s),
        checkpoints=_checkpoints(run, found, end_s),
        labels=_labels(found, end_s),
        series=series,
        standouts=standouts(baseline, tables, end_s, high_s),
        memory=memory,
        time_ticks=axes.time_ticks(end_s, TIME_TICKS, formatting.duration),
        value_ticks=axes.ticks(high_s, VALUE_TICKS, formatting.duration) if tables else [],
        alternative=_alternative(tables, memory, end_s),
        passes=found,
    )


def _axis_end_s(tables: Sequence[tuple[str, BatchTable]]) -> float:
    """Return where the axis of batch times ends; a few batches far above the others don't say."""
    if not tables:
        return 0.0
    durations_s = np.concatenate([table.duration_s for _, table in tables])
    highest_s = float(durations_s.max())
    usual_s = float(np.percentile(durations_s, USUAL_PERCENTILE))
    return 1.05 * (highest_s if highest_s <= 3 * usual_s else 1.6 * usual_s)


def _series(
    tables: Sequence[tuple[str, BatchTable]], end_s: float, high_s: float
) -> Iterator[BatchSeries]:
    is_few = sum(len(table.duration_s) for _, table in tables) <= MAX_POINTS
    for stage, table in tables:
        name = {"stage": stage, "words": PHASE_WORDS.get(stage, stage), "css": STAGES[stage]}
        if is_few:
            x = paths.x_units(table.start_s, end_s)
            y = paths.y_units(table.duration_s, high_s, BATCH_UNITS)
            yield BatchSeries(**name, dots=paths.dots(x, y), hover=_single(name["words"], table))
            continue
        columns = in_columns(table.start_s, table.duration_s, end_s)
        x = paths.x_units(columns.at_s, end_s)
        low, middle, high = (
            paths.y_units(values, high_s, BATCH_UNITS)
            for values in (columns.low, columns.middle, columns.high)
        )
        yield BatchSeries(
            **name,
            ranges=paths.bars(x, high, low),
            middle=paths.dots(x, middle),
            hover=_by_column(name["words"], columns),
        )


def _single(words: str, table: BatchTable) -> dict[str, object]:
    return {"name": words, "t": _steps_ms(table.start_s), "d": _ms(table.duration_s)}


def _by_column(words: str, columns: Columns) -> dict[str, object]:
    return {
        "name": words,
        "t": _steps_ms(columns.at_s),
        "d": _ms(columns.middle),
        "low": _ms(columns.low),
        "high": _ms(columns.high),
        "n": columns.count.tolist(),
    }


def _steps_ms(at_s: NDArray[np.float64]) -> list[int]:
    """Return instants in ms, each as the step from the one before."""
    steps: list[int] = np.diff(np.rint(at_s * 1e3).astype(np.int64), prepend=0).tolist()
    return steps


def _ms(values_s: NDArray[np.float64]) -> list[float]:
    return [float(f"{value_s * 1e3:.3g}") for value_s in values_s.tolist()]


def _bands(found: Sequence[Pass], end_s: float) -> Iterator[Band]:
    for stage, css in STAGES.items():
        spans = [_span(one.start_s, one.end_s, end_s) for one in found if one.stage == stage]
        if spans:
            yield Band(PHASE_WORDS.get(stage, stage), css, paths.blocks(spans, 0, BAND_HEIGHT))


def _checkpoints(run: Run, found: list[Pass], end_s: float) -> str:
    spans = [_span(one.start_s, one.end_s, end_s) for one in checkpoints(run, found)]
    return paths.blocks(spans, 0, BAND_HEIGHT)


def _span(start_s: float, stop_s: float, end_s: float) -> tuple[int, int]:
    """Return start and width in units of the axis, a width that can be seen."""
    first, last = (round(one_s / end_s * paths.WIDTH) for one_s in (start_s, stop_s))
    return first, max(last - first, 1)


def _start_width(found: Sequence[Pass], end_s: float) -> int:
    """Return the width of what passed before the first pass."""
    return _span(0.0, found[0].start_s, end_s)[1] if found else 0


def _labels(found: Sequence[Pass], end_s: float) -> list[Label]:
    labels = [
        Label(str(one.epoch), one.start_s / end_s, (one.end_s - one.start_s) / end_s)
        for one in found
        if one.stage == Stage.TRAIN.value
    ]
    wide = [label for label in labels if label.width >= LEAST_LABEL_SHARE]
    return wide if len(wide) <= MAX_LABELS else []


def _alternative(
    tables: Sequence[tuple[str, BatchTable]], memory: MemoryLane | None, end_s: float
) -> str:
    parts = [
        f"{formatting.count(len(table.duration_s))} {PHASE_WORDS.get(stage, stage)} batches of "
        f"{formatting.duration(float(table.duration_s.min()))} to "
        f"{formatting.duration(float(table.duration_s.max()))}"
        for stage, table in tables
    ]
    if memory is not None:
        parts += [f"{one.name} at most {formatting.byte_size(one.peak)}" for one in memory.lines]
    return f"{formatting.duration(end_s)} on one axis of time: {'; '.join(parts)}."
