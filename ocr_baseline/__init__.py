"""Performance baselines of training runs: measure, record, read, analyze, compare, report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.hydra.hook import BaselineReportHook
    from ocr_baseline.lightning.profiler import PerformanceProfilerCallback
    from ocr_baseline.lightning.report import BaselineReportCallback
    from ocr_baseline.measure.sections import section

__version__ = "0.1.0"

__all__ = [
    "BaselineReportCallback",
    "BaselineReportHook",
    "PerformanceProfilerCallback",
    "section",
]

_HOMES = {
    "BaselineReportCallback": "ocr_baseline.lightning.report",
    "BaselineReportHook": "ocr_baseline.hydra.hook",
    "PerformanceProfilerCallback": "ocr_baseline.lightning.profiler",
    "section": "ocr_baseline.measure.sections",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
