"""The last logged values that a live trainer holds, whoever logged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.sources.logged.keys import parse_key
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.model.run import Run, RunInfo
    from ocr_baseline.sources.logged.keys import KeyParser
    from ocr_baseline.sources.source import LiveRun

_ONLY_LAST = (
    "Only the last logged value of each key was at hand: statistics are those of the last epoch "
    "that logged them."
)


def load(
    callback_metrics: Mapping[str, object],
    logged_metrics: Mapping[str, object],
    *,
    info: RunInfo,
    parse: KeyParser = parse_key,
) -> Run:
    """Return the run that `trainer.callback_metrics` and `trainer.logged_metrics` describe.

    Args:
        callback_metrics: `trainer.callback_metrics`; it holds the base name of each key.
        logged_metrics: `trainer.logged_metrics`; it holds the names that went to the loggers.
        info: Which run it is; `source` should be "logged-metrics".
        parse: What tells what a logged key means.

    Values may be plain numbers or tensors of one element. They may be of several epochs (the last
    validation's can be older than the last training epoch's), so none is told.
    """
    row = {**logged_metrics, **callback_metrics}
    reading = read_rows([row], parse=parse)
    return run_of(info, reading, warnings=[_ONLY_LAST] if reading.stages else [])


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    trainer, parse = live.trainer, live.options.keys.parse
    yield load(trainer.callback_metrics, trainer.logged_metrics, info=live.info, parse=parse)


SOURCE = Source(
    name="logged-metrics",
    basis="metrics logged by the run",
    of_trainer=_of_trainer,
)
