"""Where a live run's numbers are, in the order in which they are looked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger

from ocr.lightning_modules.callbacks import run_description
from ocr.performance.errors import SourceError
from ocr.performance.run import MeasurementRecord, Missing, Run, RunInfo
from ocr.performance.sources import csv_logger, logged_metrics, recorder, wandb_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lightning.pytorch import LightningModule, Trainer

    from ocr.performance.run import RunStatus, SourceName

    Reading = tuple[SourceName, Callable[[], Run]]


def load_run(
    trainer: Trainer,
    module: LightningModule,
    *,
    records_folder: Path | None,
    status: RunStatus,
    wandb_timeout_s: float,
) -> Run:
    """Return the run from the first source that holds any times of it.

    Looked for in this order: the profiler's records, the metrics that the trainer holds, the
    files of its CSV and TensorBoard loggers, the W&B run as the client holds it, the W&B API. A
    source that fails is named in the run's `missing`, and the next is tried; when none holds
    anything, the run is empty and says so.
    """
    info = _info(trainer, status)
    failures: list[Missing] = []
    empty = Run(info=info, measurement=MeasurementRecord())
    for name, read in _readings(trainer, info, records_folder, wandb_timeout_s):
        try:
            run = read()
        except SourceError as error:
            failures.append(Missing(metric=f"source {name}", reason="failed", detail=str(error)))
            continue
        if run.stages:
            return _completed(run, info, trainer, module, failures)
        if run.info.source == "recorder":
            empty = run
    nothing = Missing(
        metric="phases",
        reason="not_collected",
        detail="the run ended before its first batch"
        if empty.info.source == "recorder"
        else "no source on the spot held performance metrics: add PerformanceProfilerCallback to "
        "the trainer's callbacks",
    )
    return _completed(
        replace(empty, missing=(*empty.missing, nothing)), info, trainer, module, failures
    )


def _readings(
    trainer: Trainer, info: RunInfo, records_folder: Path | None, wandb_timeout_s: float
) -> Iterator[Reading]:
    if records_folder is not None:
        yield "recorder", lambda: recorder.load(records_folder)
    yield (
        "logged-metrics",
        lambda: logged_metrics.load(
            trainer.callback_metrics, trainer.logged_metrics, info=info, epoch=trainer.current_epoch
        ),
    )
    for logger in trainer.loggers:
        if isinstance(logger, CSVLogger):
            logger.save()
            yield "csv", lambda folder=Path(logger.log_dir): csv_logger.load(folder)  # type: ignore[misc]  # mypy infers no default in a lambda
        elif isinstance(logger, TensorBoardLogger):
            logger.save()
            yield "tensorboard", lambda folder=Path(logger.log_dir): _tensorboard(folder)  # type: ignore[misc]  # as above
        elif isinstance(logger, WandbLogger):
            summary = dict(logger.experiment.summary)
            yield "logged-metrics", lambda row=summary: logged_metrics.load(row, {}, info=info)  # type: ignore[misc]  # as above
            if not logger.experiment.offline:
                yield "wandb-api", lambda: _wandb_run(info, wandb_timeout_s)


def _tensorboard(folder: Path) -> Run:
    from ocr.performance.sources import tensorboard_events

    return tensorboard_events.load(folder)


def _wandb_run(info: RunInfo, timeout_s: float) -> Run:
    run = wandb_api.load(
        info.id or "", project=info.project, entity=info.entity, timeout_s=timeout_s
    )
    incomplete = "the run was still uploading when its report was made: rows may be missing"
    measurement = replace(run.measurement, warnings=(*run.measurement.warnings, incomplete))
    return replace(run, measurement=measurement)


def _info(trainer: Trainer, status: RunStatus) -> RunInfo:
    identity = run_description.run_identity(trainer)
    return RunInfo(source="logged-metrics", status=status, **identity)


def _completed(
    run: Run,
    info: RunInfo,
    trainer: Trainer,
    module: LightningModule,
    failures: list[Missing],
) -> Run:
    """Add to what the source read what the live trainer knows better."""
    if run.info.source == "recorder":
        return replace(run, missing=(*failures, *run.missing))
    return replace(
        run,
        info=replace(info, source=run.info.source),
        config=run_description.run_config(trainer, module),
        environment_identity=run_description.environment_identity(trainer),
        missing=(*failures, *run.missing),
    )
