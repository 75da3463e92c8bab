"""The flag between two threads."""

from __future__ import annotations

import sys
import threading
from types import FrameType

from ocr_baseline.measure.flag import Flag


def test_a_handler_may_raise_the_flag_that_it_interrupted() -> None:
    flag = Flag()

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is not Flag.up.__code__:
            sys.setprofile(None)
            flag.up()

    def interrupted() -> None:
        sys.setprofile(profile)
        flag.up()
        sys.setprofile(None)

    raising = threading.Thread(target=interrupted, daemon=True)
    raising.start()
    raising.join(timeout=60.0)

    assert not raising.is_alive()
    assert flag.is_up()


def test_a_flag_wakes_who_waits_for_it_and_stays_up() -> None:
    flag = Flag()
    waiting = threading.Thread(target=flag.wait, daemon=True)
    waiting.start()
    assert not flag.wait(0.05)
    flag.up()
    flag.up()
    waiting.join(timeout=60.0)

    assert not waiting.is_alive()
    assert flag.wait()
    flag.down()
    flag.down()
    assert not flag.is_up()
