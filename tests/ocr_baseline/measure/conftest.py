"""A listener to sections, for the tests of sections and of code that torch compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ocr_baseline.measure.sections import listen
from tests.ocr_baseline.measure.noted_blocks import Blocks

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def blocks() -> Iterator[Blocks]:
    blocks = Blocks()
    listen(blocks)
    yield blocks
    listen(None)
