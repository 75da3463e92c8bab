"""The registry of sources: a name to the function that turns something into a `Run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES: Mapping[str, str] = {
    "recorder": "ocr.performance.sources.recorder:load",
    "logged-metrics": "ocr.performance.sources.logged_metrics:load",
    "csv": "ocr.performance.sources.csv_logger:load",
    "tensorboard": "ocr.performance.sources.tensorboard_events:load",
    "mlflow": "ocr.performance.sources.mlflow_run:load",
    "wandb-offline": "ocr.performance.sources.wandb_offline:load",
    "wandb-api": "ocr.performance.sources.wandb_api:load",
}
"""Resolve an entry with `pkgutil.resolve_name`; no source is imported before it is used."""
