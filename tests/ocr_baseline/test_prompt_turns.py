from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.prompt_turns import TURN_S, prompt_turns

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def interval_s() -> Iterator[float]:
    found_s = sys.getswitchinterval()
    yield found_s
    sys.setswitchinterval(found_s)


def test_threads_take_short_turns_until_the_work_is_done_or_fails(interval_s: float) -> None:
    with suppress(ValueError), prompt_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_S)
        raise ValueError
    assert sys.getswitchinterval() == interval_s


def test_an_interval_that_is_short_already_stays() -> None:
    sys.setswitchinterval(TURN_S / 2)
    with prompt_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_S / 2)
    assert sys.getswitchinterval() == pytest.approx(TURN_S / 2)


def test_an_interval_that_someone_sets_meanwhile_stays() -> None:
    with prompt_turns():
        sys.setswitchinterval(0.02)
    assert sys.getswitchinterval() == pytest.approx(0.02)


def test_one_run_inside_another_leaves_the_turns_short(interval_s: float) -> None:
    with prompt_turns():
        with prompt_turns():
            pass
        assert sys.getswitchinterval() == pytest.approx(TURN_S)
    assert sys.getswitchinterval() == interval_s
