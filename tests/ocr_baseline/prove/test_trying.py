"""The trials of a plan, with a runner in place of processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ocr_baseline.errors import BaselineError
from ocr_baseline.prove.candidates import Candidate
from ocr_baseline.prove.judging import Tried
from ocr_baseline.prove.trying import Plan, Trying
from ocr_baseline.trials.arms import Arm, Trial, Turn
from ocr_baseline.trials.in_turns import StoppedError
from ocr_baseline.unchanged_script.settings import Limits, LoaderSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_a_setting_with_which_the_training_hangs_does_not_hold_up_the_others() -> None:
    settings = Settings(train=LoaderSettings(num_workers=2))
    one = Candidate(name="workers", settings=settings, phase="train", why="", predicted=None)
    plan = Plan(command=["train"], candidates=[one], shapes={}, limits=Limits(), turns=2)
    limits_s: dict[str, float | None] = {}

    def runner(arms: Sequence[Arm], turns: int, into: Path, **options: Any) -> list[Trial]:
        before = [Trial(arm="warmup", number=0, folder=into, took_s=40.0, canary_s=1.0)]
        for arm in arms:
            limits_s[arm.name] = options["limit"](Turn(arm=arm, number=0), before)
        return []

    with pytest.raises(BaselineError, match="too few of its trials count"):
        Trying(plan, Path("trials"), runner).run()
    assert limits_s == {"as-it-is": None, "workers": 200.0}


@pytest.mark.parametrize("trials", [1, 2])
def test_ctrl_c_leaves_what_was_measured_and_is_an_end_where_that_tells_nothing(
    trials: int,
) -> None:
    settings = Settings(train=LoaderSettings(num_workers=2))
    one = Candidate(name="workers", settings=settings, phase="train", why="", predicted=None)
    plan = Plan(command=["train"], candidates=[one], shapes={}, limits=Limits(), turns=3)
    before = {
        "as-it-is": Tried(None, phases_s=[{"train": 9.0}] * 2),
        "workers": Tried(one, phases_s=[{"train": 5.0}] * trials),
    }

    def stopped(*_: Any, **__: Any) -> list[Trial]:
        raise StoppedError([])

    trying = Trying(plan, Path("trials"), stopped, tried=before)
    if trials == 1:
        with pytest.raises(KeyboardInterrupt):
            trying.run()
    else:
        assert trying.run() == list(before.values())
    assert trying.is_stopped
