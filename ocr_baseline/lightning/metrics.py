"""The `performance/*` metrics of finished epochs, and how they reach the trainer's loggers."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.batch_statistics import statistics, steady_mask
from ocr_baseline.clocks import monotonic
from ocr_baseline.lightning.attach.framework import DISTRIBUTIONS
from ocr_baseline.lightning.logged_rows import LoggedRows
from ocr_baseline.measure.container_limits import own_limits
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.recording import accelerator_memory
from ocr_baseline.signal_errors import let_through
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import Logger
    from numpy.typing import NDArray

    from ocr_baseline.measure.batches import EpochRow, StageState


logger = OutwardLogger(__name__)

MIN_SECONDS_BETWEEN_BATCH_ROWS = 1.0
_FRAMEWORKS = tuple(f"{package}." for package in DISTRIBUTIONS)


class MetricLogger:
    """Logs single batches now and then, and every epoch; a logger that raises is asked no more."""

    def __init__(self, *, log_interval: int, with_memory: bool, verbose: bool) -> None:
        """Take the profiler's arguments of the same names."""
        self._log_interval = log_interval
        self._with_memory = with_memory
        self._verbose = verbose
        self._batch_logged_at_s = float("-inf")
        self._can_log = True
        self._rows = LoggedRows()

    def log_batch(self, trainer: Trainer, state: StageState, batch_idx: int) -> None:
        """Log the last batch's time at every `log_interval`-th batch, at most once a second."""
        if not self._log_interval or not batch_idx or batch_idx % self._log_interval:
            return
        durations_ns = state.epoch_durations_ns
        now_s = monotonic()
        if not durations_ns or now_s - self._batch_logged_at_s < MIN_SECONDS_BETWEEN_BATCH_ROWS:
            return
        self._batch_logged_at_s = now_s
        name = f"performance/{state.stage.metric_prefix}_batch_time"
        self._log(
            trainer, lambda: {name: durations_ns[-1] * SECONDS_PER_NS}, self._rows.log_passing
        )

    def log_epoch(self, trainer: Trainer, state: StageState, row: EpochRow) -> None:
        """Log the statistics of the epoch that `row` closed."""

        def metrics() -> dict[str, float]:
            values = epoch_metrics(state, row)
            if self._with_memory:
                values |= memory_metrics(trainer.strategy.root_device)
            if self._verbose:
                logger.info("%s epoch %d: %s", state.stage.value, row.epoch, values)
            return values

        log_epoch = functools.partial(self._rows.log_epoch, stage=state.stage, epoch=row.epoch)
        self._log(trainer, metrics, log_epoch)

    def _log(
        self,
        trainer: Trainer,
        make_metrics: Callable[[], dict[str, float]],
        log: Callable[..., None],
    ) -> None:
        if not self._can_log or not (trainer.loggers or self._verbose):
            return
        try:
            metrics = make_metrics()
            for run_logger in trainer.loggers:
                with _draws_put_back(run_logger):
                    log(run_logger, metrics, step=trainer.global_step)
        except Exception as error:  # noqa: BLE001 - a logger's trouble is not the training's
            let_through(error)
            self._can_log = False
            logger.warning(
                "Performance metrics can't be logged (%s: %s) and won't be in this run; the "
                "records on disk have them.",
                type(error).__name__,
                error,
            )


def _draws_put_back(run_logger: Logger) -> AbstractContextManager[None]:
    """Return what a row of ours is logged inside: a logger may draw, as for the name of a file.

    Lightning's own loggers don't. While they wait for a disk or a server, a thread of the user's
    may draw, whose numbers must not be put back.
    """
    is_lightnings = type(run_logger).__module__.startswith(_FRAMEWORKS)
    return nullcontext() if is_lightnings else unchanged_random_state()


def epoch_metrics(state: StageState, row: EpochRow) -> dict[str, float]:
    """Return the metrics of the epoch that `row` closed; times in seconds.

    Batch statistics leave warm-up out, as those of the report do; the epoch's time includes it.
    """
    durations_s = np.asarray(state.epoch_durations_ns, dtype=np.float64) * SECONDS_PER_NS
    prefix = f"performance/{state.stage.metric_prefix}"
    metrics = {
        f"{prefix}_epoch_time": float(durations_s.sum()) + sum(row.tail_ns) * SECONDS_PER_NS,
        f"{prefix}_num_batches": float(row.batches),
    }
    if state.epoch_samples:
        metrics[f"{prefix}_num_samples"] = float(state.epoch_samples)
    if row.batches:
        first = state.batches_before_epoch - row.batches
        named = statistics(_steady(durations_s, first, state))._asdict()
        metrics |= {f"{prefix}_batch_{name}": x for name, x in named.items() if x is not None}
    return metrics


def _steady(durations_s: NDArray[np.float64], first: int, state: StageState) -> NDArray[np.float64]:
    positions = np.arange(first, first + len(durations_s))
    mask = steady_mask(positions, positions == first, state.set_aside)
    steady: NDArray[np.float64] = durations_s[mask]
    return steady


def memory_metrics(device: torch.device) -> dict[str, float]:
    """Return the accelerator's peaks in GiB, where it is CUDA, and the system's use in percent."""
    metrics = {"performance/cpu_memory_percent": own_limits().memory_percent()}
    peaks = accelerator_memory.peaks(device)
    if peaks is not None:
        gibibyte = accelerator_memory.GIBIBYTE
        metrics["performance/gpu_memory_gb"] = peaks["allocated_peak_bytes"] / gibibyte
        metrics["performance/gpu_memory_reserved_gb"] = peaks["reserved_peak_bytes"] / gibibyte
    return metrics
