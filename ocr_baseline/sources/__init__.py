"""The registry of sources: each kind of place that a run can be read from, by its name.

The command line, `ocr_baseline.read` and `BaselineReportCallback(sources=...)` share it. Its order
is the one in which a live run's sources are tried and a folder is looked through.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.sources.source import Source
    from ocr_baseline.vocabulary import SourceName

SOURCES: Mapping[SourceName, str] = {
    "recorder": "ocr_baseline.sources.recorder",
    "logged-metrics": "ocr_baseline.sources.logged.metrics",
    "csv": "ocr_baseline.sources.csv_logger",
    "tensorboard": "ocr_baseline.sources.tensorboard_events",
    "mlflow": "ocr_baseline.sources.mlflow.run",
    "wandb-offline": "ocr_baseline.sources.wandb.offline",
    "wandb-api": "ocr_baseline.sources.wandb.api",
}
"""Each source's module, which has it as `SOURCE`; none is imported before it is asked for."""


def find_source(name: SourceName) -> Source:
    """Return the source of a name."""
    found: Source = importlib.import_module(SOURCES[name]).SOURCE
    return found


def all_sources() -> Iterator[Source]:
    """Yield every source, in the registry's order."""
    return map(find_source, SOURCES)
