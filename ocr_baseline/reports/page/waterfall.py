"""From a training sample to a validation sample: what each line adds or takes, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.reports.page.words import shortened
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import counted, name_of

if TYPE_CHECKING:
    from ocr_baseline.reports.story.parts import Versus

MOST_STEPS = 10
LEAST_WIDTH = 0.002
"""A bar that is there can be seen."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A row: `x` and `width` are shares of the bar's axis."""

    label: str
    name: str
    kind: str
    text: str
    x: float
    width: float


def waterfall(versus: Versus) -> list[Step]:
    """Return the rows, from a training sample to a validation sample; none without steps."""
    if versus.train_s is None or versus.validation_s is None or not versus.steps:
        return []
    changes = [(name_of(step.name), step.delta_s) for step in versus.steps[:MOST_STEPS]]
    shown_s = sum(delta_s for _, delta_s in changes)
    rest_s = versus.validation_s - versus.train_s - shown_s
    left_out = len(versus.steps) - len(changes) + len(versus.small_steps)
    if left_out:
        changes.append((counted(left_out, "smaller change"), rest_s))
    whole_s = _highest_s(versus.train_s, versus.validation_s, changes)
    steps = [_whole("Training sample", versus.train_s, whole_s)]
    level_s = versus.train_s
    for name, delta_s in changes:
        steps.append(_change(name, level_s, delta_s, whole_s))
        level_s += delta_s
    return [*steps, _whole("Validation sample", versus.validation_s, whole_s)]


def _highest_s(train_s: float, validation_s: float, changes: Sequence[tuple[str, float]]) -> float:
    level_s, highest_s = train_s, max(train_s, validation_s)
    for _, delta_s in changes:
        level_s += delta_s
        highest_s = max(highest_s, level_s)
    return highest_s or 1.0


def _whole(label: str, seconds: float, whole_s: float) -> Step:
    return Step(
        label=label,
        name=label,
        kind="whole",
        text=formatting.duration(seconds),
        x=0.0,
        width=min(1.0, max(LEAST_WIDTH, seconds / whole_s)),
    )


def _change(name: str, level_s: float, delta_s: float, whole_s: float) -> Step:
    low_s, high_s = sorted((level_s, level_s + delta_s))
    x = min(1.0 - LEAST_WIDTH, max(0.0, low_s / whole_s))
    return Step(
        label=shortened(name),
        name=name,
        kind="more" if delta_s > 0 else "less",
        text=formatting.duration(delta_s, signed=True),
        x=x,
        width=min(1.0 - x, max(LEAST_WIDTH, (high_s - low_s) / whole_s)),
    )
