"""Hands the profiler's `performance/*` metrics to the trainer's loggers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ocr_baseline.lightning.metrics.epoch_metrics import epoch_metrics, memory_metrics
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning.pytorch import Trainer

    from ocr_baseline.measure.batches import EpochRow, StageState

logger = OutwardLogger(__name__)

MIN_SECONDS_BETWEEN_BATCH_ROWS = 1.0


class MetricLogger:
    """Logs single batches now and then, and every epoch; a logger that raises is asked no more."""

    def __init__(self, *, log_interval: int, with_memory: bool, verbose: bool) -> None:
        """Take the profiler's arguments of the same names."""
        self._log_interval = log_interval
        self._with_memory = with_memory
        self._verbose = verbose
        self._batch_logged_at_s = float("-inf")
        self._can_log = True

    def log_batch(self, trainer: Trainer, state: StageState, batch_idx: int) -> None:
        """Log the last batch's time at every `log_interval`-th batch, at most once a second."""
        if not self._log_interval or not batch_idx or batch_idx % self._log_interval:
            return
        durations_ns = state.epoch_durations_ns
        now_s = time.monotonic()
        if not durations_ns or now_s - self._batch_logged_at_s < MIN_SECONDS_BETWEEN_BATCH_ROWS:
            return
        self._batch_logged_at_s = now_s
        name = f"performance/{state.stage.metric_prefix}_batch_time"
        self._log(trainer, lambda: {name: durations_ns[-1] * SECONDS_PER_NS})

    def log_epoch(self, trainer: Trainer, state: StageState, row: EpochRow) -> None:
        """Log the statistics of the epoch that `row` closed."""

        def metrics() -> dict[str, float]:
            values = epoch_metrics(state, row)
            if self._with_memory:
                values |= memory_metrics(trainer.strategy.root_device)
            if self._verbose:
                logger.info("%s epoch %d: %s", state.stage.value, row.epoch, values)
            return values | {"epoch": float(row.epoch)}

        self._log(trainer, metrics)

    def _log(self, trainer: Trainer, make_metrics: Callable[[], dict[str, float]]) -> None:
        if not self._can_log:
            return
        try:
            metrics = make_metrics()
            for run_logger in trainer.loggers:
                run_logger.log_metrics(metrics, step=trainer.global_step)
        except Exception as error:  # noqa: BLE001 - a logger's trouble is not the training's
            self._can_log = False
            logger.warning(
                "Performance metrics can't be logged (%s: %s) and won't be in this run; the "
                "records on disk have them.",
                type(error).__name__,
                error,
            )
