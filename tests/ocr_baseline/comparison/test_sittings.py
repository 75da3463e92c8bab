"""Which runs share a sitting."""

from __future__ import annotations

from dataclasses import replace

from ocr_baseline.comparison.sittings import sittings_of
from ocr_baseline.comparison.summary import RunSummary
from tests.ocr_baseline.comparison.measured_runs import run


def numbers(base: list[RunSummary], new: list[RunSummary]) -> tuple[list[int], list[int]]:
    found = sittings_of(base, new)
    before, after = ([found[run.content] for run in side] for side in (base, new))
    return before, after


def at(number: int, minutes: float, **changes: object) -> RunSummary:
    return run(number, minutes=minutes, **changes)


def test_runs_one_after_the_other_share_a_sitting_and_runs_of_another_day_do_not() -> None:
    (first, second, other), _ = numbers([at(0, 0), at(1, 10), at(2, 24 * 60)], [])
    assert first == second != other


def test_a_pause_is_from_the_end_of_a_run_to_the_start_of_the_next() -> None:
    long = at(0, 0)
    long = replace(long, info=replace(long.info, duration_s=3 * 3600.0))
    (first, second), _ = numbers([long, at(1, 190)], [])
    assert first == second


def test_runs_of_two_machines_at_the_same_time_share_no_sitting() -> None:
    one, other = (at(i, i, volatile={"hostname": f"node-{i}"}) for i in range(2))
    (first, second), _ = numbers([one, other], [])
    assert first != second


def test_sides_that_took_turns_share_their_sitting() -> None:
    before, after = numbers([at(0, 0), at(3, 6)], [at(1, 2), at(2, 4)])
    assert {*before} == {*after}


def test_one_side_after_the_other_is_a_sitting_for_each() -> None:
    before, after = numbers([at(0, 0), at(1, 2)], [at(2, 4), at(3, 6)])
    assert len({*before}) == len({*after}) == 1
    assert {*before}.isdisjoint(after)


def test_one_run_beside_another_is_a_pair() -> None:
    before, after = numbers([at(0, 0)], [at(1, 2)])
    assert before == after


def test_a_run_whose_start_is_not_known_counts_by_itself() -> None:
    unknown = [
        replace(one, info=replace(one.info, started_at=None)) for one in (at(0, 0), at(1, 1))
    ]
    (first, second), _ = numbers(unknown, [])
    assert first != second


def test_a_user_can_say_that_each_run_is_by_itself_or_that_all_share_one() -> None:
    base, new = [at(0, 0), at(1, 2)], [at(2, 4)]
    assert len({*sittings_of(base, new, "run").values()}) == 3
    assert {*sittings_of(base, new, "one").values()} == {0}
