"""The registry of sources: a name to the function that turns something into a `Run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES: Mapping[str, str] = {
    "recorder": "ocr_baseline.records.reader:load",
    "logged-metrics": "ocr_baseline.sources.logged.metrics:load",
    "csv": "ocr_baseline.sources.csv_logger:load",
    "tensorboard": "ocr_baseline.sources.tensorboard_events:load",
    "mlflow": "ocr_baseline.sources.mlflow.run:load",
    "wandb-offline": "ocr_baseline.sources.wandb.offline:load",
    "wandb-api": "ocr_baseline.sources.wandb.api:load",
}
"""Resolve an entry with `pkgutil.resolve_name`; no source is imported before it is used."""
