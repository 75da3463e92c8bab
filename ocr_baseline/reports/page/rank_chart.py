"""The ranks of a distributed run side by side: each one's own work per batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.reports.page import axes, paths
from ocr_baseline.reports.page.lanes import PlacedTick
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.wording import stage_adjective
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline

HEIGHT = 120
UNITS = 960
TOP = 10
AXIS = 24
TICKS = 3


@dataclass(frozen=True, kw_only=True)
class RankSeries:
    """A phase: a dot for each rank."""

    words: str
    css: str
    dots: str


@dataclass(frozen=True, kw_only=True)
class RankChart:
    """Ranks from left to right, seconds per batch from the bottom."""

    series: Sequence[RankSeries]
    ticks: Sequence[PlacedTick]
    top: int
    lane: int
    units: int
    height: int
    first: str
    last: str
    alternative: str


def rank_chart(baseline: Baseline) -> RankChart | None:
    """Return the chart, None where fewer than two ranks recorded anything."""
    by_phase = {name: list(_own_s(baseline, name)) for name in PHASE_NAMES}
    by_phase = {name: points for name, points in by_phase.items() if len(points) > 1}
    if not by_phase:
        return None
    every = [point for points in by_phase.values() for point in points]
    high_s = 1.1 * max(own_s for _, own_s in every)
    last = max(rank for rank, _ in every)
    return RankChart(
        series=[_series(name, points, last, high_s) for name, points in by_phase.items()],
        ticks=[
            PlacedTick(round(TOP + (1 - tick.value / (high_s or 1.0)) * HEIGHT, 1), tick.label)
            for tick in axes.ticks(high_s, TICKS, formatting.duration)
        ],
        top=TOP,
        lane=HEIGHT,
        units=UNITS,
        height=TOP + HEIGHT + AXIS,
        first="rank 0",
        last=f"rank {last}",
        alternative="; ".join(_words(name, points) for name, points in by_phase.items()),
    )


def _own_s(baseline: Baseline, name: str) -> Iterator[tuple[int, float]]:
    """Yield each rank and its own work per batch of a phase."""
    for rank in baseline.ranks:
        for phase in rank.phases:
            if phase.phase == name and phase.batches:
                yield rank.rank, phase.own_s / phase.batches


def _series(name: str, points: Sequence[tuple[int, float]], last: int, high_s: float) -> RankSeries:
    ranks, own_s = (np.asarray(column, dtype=np.float64) for column in zip(*points, strict=True))
    x = paths.x_units(ranks, float(last))
    y = paths.y_units(own_s, high_s, UNITS)
    return RankSeries(
        words=stage_adjective(name).lower(), css=f"stage-{name}", dots=paths.dots(x, y)
    )


def _words(name: str, points: Sequence[tuple[int, float]]) -> str:
    """Return which rank works least and which most."""
    least, most = (find(points, key=lambda point: point[1]) for find in (min, max))
    return (
        f"{stage_adjective(name)}: own work per batch from {formatting.duration(least[1])} "
        f"(rank {least[0]}) to {formatting.duration(most[1])} (rank {most[0]})"
    )
