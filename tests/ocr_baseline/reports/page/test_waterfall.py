from __future__ import annotations

import pytest

from ocr_baseline.model.document import WaterfallStep
from ocr_baseline.reports.page.waterfall import MOST_STEPS, waterfall
from ocr_baseline.reports.story.parts import Versus


def versus(*deltas_s: float, train_s: float = 1.0, small: tuple[str, ...] = ()) -> Versus:
    steps = tuple(
        WaterfallStep(name=f"line {place}", delta_s=delta_s)
        for place, delta_s in enumerate(deltas_s)
    )
    return Versus(
        sentence="",
        train_s=train_s,
        validation_s=train_s + sum(deltas_s),
        steps=steps,
        small_steps=small,
    )


def test_each_bar_begins_where_the_one_before_ended() -> None:
    first, rise, fall, last = waterfall(versus(1.0, -0.5))

    assert (first.x, first.width) == (0.0, 0.5)
    assert (rise.kind, rise.x, rise.width) == ("more", 0.5, 0.5)
    assert (fall.kind, fall.x, fall.width) == ("less", 0.75, 0.25)
    assert (last.x, last.width) == (0.0, 0.75)
    assert [step.text for step in (first, rise, fall, last)] == [
        *("1.00 s", "+1.00 s", "-500 ms", "1.50 s")
    ]


def test_what_has_no_row_of_its_own_is_one_row_that_makes_the_bars_meet() -> None:
    steps = waterfall(versus(*[0.01] * (MOST_STEPS + 3), small=("a", "b")))

    assert steps[-2].label == "5 smaller changes"
    assert steps[-2].x + steps[-2].width == pytest.approx(steps[-1].width)


def test_no_bar_leaves_the_axis() -> None:
    for step in waterfall(versus(-3.0, 2.5, train_s=1.0)):
        assert 0.0 <= step.x <= step.x + step.width <= 1.0 + 1e-9


def test_without_steps_there_is_no_waterfall() -> None:
    assert waterfall(Versus(sentence="")) == []
