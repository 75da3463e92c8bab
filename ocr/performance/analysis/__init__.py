"""Analysis: a `Run` becomes a `Baseline`; arithmetic only, no formatting, no files."""

from ocr.performance.analysis.document import analyze

__all__ = ["analyze"]
