"""The last logged values that a live trainer holds, whoever logged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.sources.logged.keys import key_parser
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.model.run import Run, RunInfo

_ONLY_LAST = (
    "Only the last logged value of each key was at hand: statistics are those of the last epoch "
    "that logged them."
)


def load(
    callback_metrics: Mapping[str, object],
    logged_metrics: Mapping[str, object],
    *,
    info: RunInfo,
    metric_names: Mapping[str, str] | None = None,
) -> Run:
    """Return the run that `trainer.callback_metrics` and `trainer.logged_metrics` describe.

    Args:
        callback_metrics: `trainer.callback_metrics`; it holds the base name of each key.
        logged_metrics: `trainer.logged_metrics`; it holds the names that went to the loggers.
        info: Which run it is; `source` should be "logged-metrics".
        metric_names: A user's own keys, as `key_parser` takes them.

    Values may be plain numbers or tensors of one element. They may be of several epochs (the last
    validation's can be older than the last training epoch's), so none is told.
    """
    row = {**logged_metrics, **callback_metrics}
    reading = read_rows([row], parse=key_parser(metric_names))
    return run_of(info, reading, warnings=[_ONLY_LAST] if reading.stages else [])
