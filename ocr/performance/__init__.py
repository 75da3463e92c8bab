"""The report engine: measure, record, load, analyze, render or compare."""

from ocr.performance.sections import section

__all__ = ["section"]
