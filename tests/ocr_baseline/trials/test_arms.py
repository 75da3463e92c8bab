"""The order of trials."""

from __future__ import annotations

import pytest

from ocr_baseline.errors import TrialsError
from ocr_baseline.trials.arms import Arm, turns

A, B, C = (Arm(name, ["true"]) for name in "abc")


def test_two_commands_take_turns_after_the_warm_up() -> None:
    names = [turn.name for turn in turns([A, B], 3)]
    assert names == ["warmup-0", "a-0", "b-0", "b-1", "a-1", "a-2", "b-2"]


def test_one_command_is_repeated_and_three_swing_back_and_forth() -> None:
    assert [turn.name for turn in turns([A], 2, warm_ups=0)] == ["a-0", "a-1"]
    names = [turn.name for turn in turns([A, B, C], 2, warm_ups=0)]
    assert names == ["a-0", "b-0", "c-0", "c-1", "b-1", "a-1"]


@pytest.mark.parametrize(("runs", "warm_ups"), [(0, 1), (3, -1)])
def test_nothing_to_run_is_refused(runs: int, warm_ups: int) -> None:
    with pytest.raises(TrialsError, match="nothing to repeat"):
        turns([A], runs, warm_ups)


@pytest.mark.parametrize("names", [["../a"], ["warmup"], ["a", "a"], [""]])
def test_names_that_cannot_be_those_of_folders_are_refused(names: list[str]) -> None:
    with pytest.raises(TrialsError, match="can't name the folders"):
        turns([Arm(name, ["true"]) for name in names], 1)
