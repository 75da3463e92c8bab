"""What can be read of a run that is live, by the name of each source."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lightning.pytorch.loggers import (
    CSVLogger,
    Logger,
    MLFlowLogger,
    TensorBoardLogger,
    WandbLogger,
)

from ocr_baseline.lightning.run.description import ConfigPolicy
from ocr_baseline.records import reader
from ocr_baseline.sources import csv_logger
from ocr_baseline.sources.logged import metrics as logged_metrics
from ocr_baseline.sources.wandb.values import plain_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lightning.pytorch import Trainer

    from ocr_baseline.model.run import Run, RunInfo
    from ocr_baseline.vocabulary import SourceName

Kind = TypeVar("Kind", bound=Logger)


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """A run whose trainer is at hand; a server is asked for at most `server_timeout_s` seconds."""

    trainer: Trainer
    info: RunInfo
    records_folder: Path | None
    server_timeout_s: float
    metric_names: Mapping[str, str] = field(default_factory=dict)
    config_policy: ConfigPolicy = field(default_factory=ConfigPolicy)


def _recorder(live: LiveRun) -> Iterator[Run]:
    if live.records_folder is not None:
        yield reader.load(live.records_folder)


def _logged_metrics(live: LiveRun) -> Iterator[Run]:
    trainer = live.trainer
    yield logged_metrics.load(
        trainer.callback_metrics,
        trainer.logged_metrics,
        info=live.info,
        metric_names=live.metric_names,
    )


def _csv(live: LiveRun) -> Iterator[Run]:
    for logger in _loggers(live, CSVLogger):
        logger.save()
        yield csv_logger.load(Path(logger.log_dir), metric_names=live.metric_names)


def _tensorboard(live: LiveRun) -> Iterator[Run]:
    for logger in _loggers(live, TensorBoardLogger):
        from ocr_baseline.sources import tensorboard_events

        logger.save()
        yield tensorboard_events.load(Path(logger.log_dir), metric_names=live.metric_names)


def _mlflow(live: LiveRun) -> Iterator[Run]:
    for logger in _loggers(live, MLFlowLogger):
        from ocr_baseline.sources.mlflow import run as mlflow_run

        yield mlflow_run.load(
            str(logger.run_id),
            tracking_uri=logger.experiment.tracking_uri,
            timeout_s=live.server_timeout_s,
            limit_s=live.server_timeout_s,
            metric_names=live.metric_names,
        )


def _wandb_offline(live: LiveRun) -> Iterator[Run]:
    """Yield what the client's own file holds, of an online run too, and its summary beyond that."""
    for logger in _loggers(live, WandbLogger):
        from ocr_baseline.sources.wandb import offline as wandb_offline

        if not logger.experiment.disabled:
            yield wandb_offline.load_live(
                Path(logger.experiment.dir).parent,
                plain_summary(logger.experiment.summary),
                timeout_s=live.server_timeout_s,
                metric_names=live.metric_names,
            )


def _wandb_api(live: LiveRun) -> Iterator[Run]:
    for logger in _loggers(live, WandbLogger):
        if logger.experiment.disabled or logger.experiment.offline:
            continue
        from ocr_baseline.sources.wandb import api as wandb_api

        yield wandb_api.load_live(
            live.info.id or "",
            plain_summary(logger.experiment.summary),
            project=live.info.project,
            entity=live.info.entity,
            timeout_s=live.server_timeout_s,
            metric_names=live.metric_names,
        )


READERS: Mapping[SourceName, Callable[[LiveRun], Iterator[Run]]] = {
    "recorder": _recorder,
    "logged-metrics": _logged_metrics,
    "csv": _csv,
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
    "wandb-offline": _wandb_offline,
    "wandb-api": _wandb_api,
}
"""Each source of a live run, in the order in which they are tried unless another is asked for.

A reader yields nothing where the trainer has no such source, else one run for each logger.
"""

ASKS_A_SERVER: frozenset[SourceName] = frozenset({"mlflow", "wandb-api"})
"""Sources that can cost their whole time limit, and do so once in a run at most."""


def _loggers(live: LiveRun, kind: type[Kind]) -> Iterator[Kind]:
    return (logger for logger in live.trainer.loggers if isinstance(logger, kind))
