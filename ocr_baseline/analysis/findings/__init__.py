"""The catalogue of findings: one rule a file, listed here; `find` runs them all."""

from ocr_baseline.analysis.findings.registry import RULES, Found, find

__all__ = ["RULES", "Found", "find"]
