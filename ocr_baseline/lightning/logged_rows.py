"""How rows of ours reach a trainer's loggers, and W&B without taking a step of its own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.framework import loaded_classes
from ocr_baseline.sources.logged.values import epoch_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning.pytorch.loggers import Logger

    from ocr_baseline.vocabulary import Stage

_COUNTS = ("_local_step", "_step")
"""Where a W&B run counts its rows: in today's client, and in older ones."""


class LoggedRows:
    """Logs rows of metrics.

    W&B numbers rows by the calls that commit one, and drops what a program logs under a `step` that
    is behind. Ours commit none: they are kept with the program's next row, or as the W&B run
    finishes. Only where the program has committed none since the same stage's last epoch is that
    one committed first, as it would be overwritten.
    """

    def __init__(self) -> None:
        self._uncommitted: dict[tuple[int, Stage], int] = {}

    def log_epoch(
        self,
        run_logger: Logger,
        metrics: Mapping[str, float],
        *,
        stage: Stage,
        epoch: int,
        step: int,
    ) -> None:
        """Log what was measured of an epoch.

        Args:
            run_logger: The logger.
            metrics: Values by key.
            stage: The stage.
            epoch: The epoch's number.
            step: The optimizer steps so far.
        """
        committed = _rows_committed(run_logger)
        if committed is None:
            run_logger.log_metrics(metrics={**metrics, "epoch": float(epoch)}, step=step)
            return
        place = id(run_logger), stage
        if self._uncommitted.get(place) == committed:
            _commit(run_logger)
            committed += 1
        self._uncommitted[place] = committed
        # The row may hold an `epoch` of the program's, and of another stage's last epoch.
        _log_uncommitted(run_logger, {**metrics, epoch_key(stage): float(epoch)})

    def log_passing(self, run_logger: Logger, metrics: Mapping[str, float], *, step: int) -> None:
        """Log values that W&B may keep or not: those of a later call can take their place."""
        if _rows_committed(run_logger) is None:
            run_logger.log_metrics(metrics=dict(metrics), step=step)
        else:
            _log_uncommitted(run_logger, metrics)


def _rows_committed(run_logger: Any) -> int | None:
    """Return how often a row was committed in a W&B run; None with another logger.

    None too where W&B is off, on a rank that doesn't log, and where a class of the user's own logs
    in its own way.
    """
    own = inspect.getattr_static(type(run_logger), "log_metrics", None)
    for kind in loaded_classes("loggers.wandb", "WandbLogger"):
        if issubclass(type(run_logger), kind) and own is vars(kind).get("log_metrics"):
            # Asking for `step` instead waits for W&B's service.
            counts = (getattr(run_logger.experiment, name, None) for name in _COUNTS)
            return next((count for count in counts if isinstance(count, int)), None)
    return None


def _commit(run_logger: Any) -> None:
    run_logger.experiment.log({}, commit=True)


def _log_uncommitted(run_logger: Any, metrics: Mapping[str, float]) -> None:
    prefix = getattr(run_logger, "_prefix", "")
    start = f"{prefix}{run_logger.LOGGER_JOIN_CHAR}" if prefix else ""
    row = {f"{start}{name}": value for name, value in metrics.items()}
    run_logger.experiment.log(row, commit=False)
