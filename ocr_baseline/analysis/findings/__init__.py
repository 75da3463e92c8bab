"""Findings: a file for each subject, with its rules; `find` runs them all."""

from ocr_baseline.analysis.findings.registry import RULES, Found, find

__all__ = ["RULES", "Found", "find"]
