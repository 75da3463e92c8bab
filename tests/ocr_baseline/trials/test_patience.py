"""Waiting for a free machine, with looks and a clock that the test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from ocr_baseline.trials.patience import Patience, share_in_use


def patience(limit_s: float, shares: Iterable[float]) -> tuple[Patience, Callable[[], float]]:
    """Return patience with a machine of which each look takes a second, and its clock."""
    now = [0.0]
    looks: Iterator[float] = iter(shares)

    def look() -> float:
        now[0] += 1
        return next(looks)

    def clock() -> float:
        return now[0]

    return Patience(limit_s, look=look, clock=clock), clock


def test_a_free_machine_is_not_waited_for() -> None:
    told: list[str] = []
    patient, clock = patience(60, [0.02])
    patient.wait(told.append)
    assert (told, clock()) == ([], 1)


def test_a_busy_machine_is_waited_for_and_told_once() -> None:
    told: list[str] = []
    patient, clock = patience(60, [0.9, 0.9, 0.8, 0.05])
    patient.wait(told.append)
    assert clock() == 4
    assert told == [
        "Waiting for other programs, which use 90% of the processors (at most 60 s more, all "
        "pauses together)"
    ]


def test_the_pauses_of_all_runs_together_are_limited() -> None:
    told: list[str] = []
    patient, clock = patience(5, [0.9, 0.9, 0.9, 0.0, *[0.7] * 9])
    patient.wait(told.append)
    patient.wait(told.append)
    ended = clock()
    assert told[-1] == "Going on, though other programs still use 70% of the processors"
    patient.wait(told.append)
    assert clock() == ended


def test_no_patience_does_not_even_look() -> None:
    patient, clock = patience(0, [])
    patient.wait(pytest.fail)
    assert clock() == 0


def test_the_share_in_use_is_one() -> None:
    assert 0 <= share_in_use() <= 1
