from __future__ import annotations

from collections.abc import Iterator

import pytest

from ocr_baseline.measure import sections
from tests.ocr_baseline.lightning.tiny_runs import simulated_clock

__all__ = ["simulated_clock"]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    assert not sections.is_listening(), "a run left its listener behind"
