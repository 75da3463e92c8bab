"""Golden files. Renew them with `OCR_UPDATE_GOLDEN=1 pytest tests/performance/renderers`, and read
the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def assert_golden() -> Callable[[str, str], None]:
    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("OCR_UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"no golden file {name}: run once with OCR_UPDATE_GOLDEN=1"
        assert text == path.read_bytes().decode("utf-8")

    return check
