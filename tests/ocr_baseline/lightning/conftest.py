from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator

import pytest

from ocr_baseline.measure import sections
from tests.ocr_baseline.lightning.tiny_runs import simulated_clock

__all__ = ["simulated_clock"]


@pytest.fixture(autouse=True)
def quiet_trainer() -> Iterator[None]:
    """Lightning's advice about workers and tiny datasets is not about these tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    assert not sections.is_listening(), "a run left its listener behind"
    if sys.platform == "linux":
        assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL, "a run left its timer behind"
