"""Analysis: a `Run` becomes a `Baseline`; arithmetic only, no formatting, no files."""

from ocr_baseline.analysis.analyze import analyze

__all__ = ["analyze"]
