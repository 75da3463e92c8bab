"""Where on the timeline each lane lies, in pixels from its top."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from ocr_baseline.reports.page import memory_lane, timeline

if TYPE_CHECKING:
    from ocr_baseline.reports.page.axes import Tick
    from ocr_baseline.reports.page.timeline import Timeline

GAP = 22
AXIS = 24
TOP = 4


class PlacedTick(NamedTuple):
    """A tick of a vertical axis."""

    y: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """The tops and heights of the lanes, the ticks beside them, and what the script reads."""

    bands: int
    band_height: int
    batches: int
    batch_height: int
    batch_units: int
    memory: int
    memory_height: int
    memory_units: int
    height: int
    value_ticks: Sequence[PlacedTick]
    memory_ticks: Sequence[PlacedTick]
    data: Markup


def lanes(chart: Timeline) -> Lanes:
    """Return the lanes of a chart; one that it doesn't have takes no room."""
    batches = TOP + timeline.BAND_HEIGHT + GAP // 2
    batch_height = timeline.BATCH_HEIGHT if chart.series else 0
    memory = batches + batch_height + (GAP if chart.series else 0)
    memory_height = memory_lane.HEIGHT if chart.memory else 0
    last = memory + memory_height if chart.memory else batches + batch_height
    memory_ticks = chart.memory.ticks if chart.memory else ()
    return Lanes(
        bands=TOP,
        band_height=timeline.BAND_HEIGHT,
        batches=batches,
        batch_height=batch_height,
        batch_units=timeline.BATCH_UNITS,
        memory=memory,
        memory_height=memory_height,
        memory_units=memory_lane.UNITS,
        height=last + AXIS,
        value_ticks=_placed(chart.value_ticks, chart.high_s, batches, batch_height),
        memory_ticks=_placed(
            memory_ticks, chart.memory.high if chart.memory else 1.0, memory, memory_height
        ),
        data=_json(chart.hover),
    )


def _placed(ticks: Sequence[Tick], high: float, top: int, height: int) -> list[PlacedTick]:
    return [
        PlacedTick(round(top + (1.0 - tick.value / (high or 1.0)) * height, 1), tick.label)
        for tick in ticks
    ]


def _json(value: object) -> Markup:
    """Return JSON that can't end the element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 - numbers, and names of the vocabulary
