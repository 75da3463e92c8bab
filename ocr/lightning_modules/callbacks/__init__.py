"""Callbacks that measure a run and report on it; they work in any Lightning project."""

from ocr.lightning_modules.callbacks.baseline_report import BaselineReportCallback
from ocr.lightning_modules.callbacks.performance_profiler import PerformanceProfilerCallback

__all__ = ["BaselineReportCallback", "PerformanceProfilerCallback"]
