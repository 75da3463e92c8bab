"""Performance baselines of training runs: measure, record, read, analyze, compare, report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.analysis.analyze import analyze
    from ocr_baseline.api import check, compare, read, read_run
    from ocr_baseline.comparison.check import Check
    from ocr_baseline.comparison.comparison import Comparison
    from ocr_baseline.errors import BaselineError
    from ocr_baseline.hydra.hook import BaselineReportHook
    from ocr_baseline.lightning.profiler import PerformanceProfilerCallback
    from ocr_baseline.lightning.report import BaselineReportCallback
    from ocr_baseline.measure.sections import section
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.recording.loop import record
    from ocr_baseline.reports.registry import render

__version__ = "0.1.0"

__all__ = [
    "Baseline",
    "BaselineError",
    "BaselineReportCallback",
    "BaselineReportHook",
    "Check",
    "Comparison",
    "PerformanceProfilerCallback",
    "Run",
    "analyze",
    "check",
    "compare",
    "read",
    "read_run",
    "record",
    "render",
    "section",
]

_HOMES = {
    "Baseline": "ocr_baseline.model.document",
    "BaselineError": "ocr_baseline.errors",
    "BaselineReportCallback": "ocr_baseline.lightning.report",
    "BaselineReportHook": "ocr_baseline.hydra.hook",
    "Check": "ocr_baseline.comparison.check",
    "Comparison": "ocr_baseline.comparison.comparison",
    "PerformanceProfilerCallback": "ocr_baseline.lightning.profiler",
    "Run": "ocr_baseline.model.run",
    "analyze": "ocr_baseline.analysis.analyze",
    "check": "ocr_baseline.api",
    "compare": "ocr_baseline.api",
    "read": "ocr_baseline.api",
    "read_run": "ocr_baseline.api",
    "record": "ocr_baseline.recording.loop",
    "render": "ocr_baseline.reports.registry",
    "section": "ocr_baseline.measure.sections",
}
"""The promise of the package, name by name, and where each is; none is imported before it is used.

No module or folder of the package may have one of these names: importing it would set it in place
of what is promised.
"""


if not TYPE_CHECKING:  # else a type checker would take any name at all for one of ours

    def __getattr__(name: str) -> object:
        """Import a public name from its module when it is first used (PEP 562).

        Raises:
            ImportError: When it can't be. freezegun asks every module for every name while no
                `datetime` is what it was, and takes no other exception for an answer.
        """
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ocr_baseline.prompt_turns import prompt_turns

        try:
            with prompt_turns():
                module = importlib.import_module(_HOMES[name])
        except ImportError:
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise ImportError(f"{name} can't be imported now ({cause})", name=__name__) from error
        value = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    dunder = (name for name in globals() if name.startswith("__"))
    return sorted({*__all__, *dunder})
