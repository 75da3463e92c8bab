"""A door: the callback is `ocr_baseline`'s."""

from ocr_baseline import PerformanceProfilerCallback

__all__ = ["PerformanceProfilerCallback"]
