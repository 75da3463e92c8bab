"""A calibration in a few lines: how much runs of the same code differ here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.comparison.metrics import BY_KEY
from ocr_baseline.reports.text import formatting

if TYPE_CHECKING:
    from ocr_baseline.comparison.calibration import Calibration


def spread_lines(calibration: Calibration) -> list[str]:
    """Return a line for all of it, then one for each metric."""
    lines = [f"{calibration.runs} runs of environment {calibration.fingerprint}"]
    for key, found in calibration.metrics.items():
        metric = BY_KEY[key]
        spread = (
            formatting.percent(100 * found.spread)
            if metric.scale == "log"
            else formatting.quantity(found.spread, metric.unit)
        )
        lines.append(f"{metric.label}: runs spread by {spread} (standard deviation)")
    return lines
