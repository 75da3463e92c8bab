"""Messages of any length: their beginning is told, without a secret that the cut goes through."""

from __future__ import annotations

import pytest

from ocr_baseline.model.privacy import error_text

TOKEN = "gl" + "pat-" + "aB3xY7qLm2" * 2


@pytest.mark.parametrize("before", range(1985, 2505, 13))
def test_a_long_message_is_cut_and_no_part_of_a_secret_is_left_at_the_cut(before: int) -> None:
    message = "w " * (before // 2) + TOKEN + " and so on" * 1_000_000

    told = error_text(ValueError(message))

    assert len(told) <= len("ValueError: ") + 2001
    assert told.startswith("ValueError: w w w")
    assert told.endswith("…")
    assert TOKEN[:8] not in told
