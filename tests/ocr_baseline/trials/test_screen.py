"""What is shown of trials on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.trials.arms import Trial
from ocr_baseline.trials.screen import LINE_LENGTH, Screen


def test_of_a_failed_run_with_a_large_log_the_end_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "output.log").write_text("x" * 5_000_000 + "\n\nthe cause\n", encoding="utf-8")
    with Screen() as screen:
        failed = Trial(
            arm="a", number=0, folder=tmp_path, took_s=1.0, canary_s=0.1, failure="failed"
        )
        screen.ended(failed, 1, 2, None)
    shown = capsys.readouterr().err
    assert "  the cause\n" in shown
    assert len(shown) < 2 * LINE_LENGTH
