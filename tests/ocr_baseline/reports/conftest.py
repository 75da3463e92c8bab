"""Golden files. Renew them with `OCR_UPDATE_GOLDEN=1 pytest tests/ocr_baseline/reports`, and read
the difference before committing it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
_NUMBER_IN_FULL = re.compile(r"-?\d+\.\d{10,}(?:e[-+]?\d+)?")
"""Versions of scipy and numpy differ in the last of its digits."""


@pytest.fixture
def assert_golden() -> Callable[[str, str], None]:
    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("OCR_UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"no golden file {name}: run once with OCR_UPDATE_GOLDEN=1"
        assert _rounded(text) == _rounded(path.read_bytes().decode("utf-8"))

    return check


def _rounded(text: str) -> str:
    return _NUMBER_IN_FULL.sub(lambda found: f"{float(found.group()):.10g}", text)
