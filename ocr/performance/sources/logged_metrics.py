"""The last logged values that a live trainer holds, whoever logged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.sources.logged_run import run_of
from ocr.performance.sources.metric_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr.performance.run import Run, RunInfo

_ONLY_LAST = (
    "Only the last logged value of each key was at hand: statistics are those of the last epoch "
    "that logged them."
)


def load(
    callback_metrics: Mapping[str, object],
    logged_metrics: Mapping[str, object],
    *,
    info: RunInfo,
    epoch: int | None = None,
) -> Run:
    """Return the run that `trainer.callback_metrics` and `trainer.logged_metrics` describe.

    Args:
        callback_metrics: `trainer.callback_metrics`; it holds the base name of each key.
        logged_metrics: `trainer.logged_metrics`; it holds the names that went to the loggers.
        info: Which run it is; `source` should be "logged-metrics".
        epoch: The epoch of the values, where the caller knows it.

    Values may be plain numbers or tensors of one element.
    """
    coordinates = {} if epoch is None else {"epoch": epoch}
    row = {**logged_metrics, **callback_metrics, **coordinates}
    reading = read_rows([row])
    return run_of(info, reading, warnings=[_ONLY_LAST] if reading.stages else [])
