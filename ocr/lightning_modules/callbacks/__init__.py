"""The callbacks that measure a run and report on it, where the pipeline's users look for them."""

from ocr.lightning_modules.callbacks.baseline_report import BaselineReportCallback
from ocr.lightning_modules.callbacks.performance_profiler import PerformanceProfilerCallback

__all__ = ["BaselineReportCallback", "PerformanceProfilerCallback"]
