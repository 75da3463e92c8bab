"""A `Run` put together from logged metrics, with what no such source can give said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.performance.run import MeasurementRecord, Missing, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ocr.performance.run import JsonValue, MemorySamples, RunInfo
    from ocr.performance.sources.metric_rows import MetricReading

_NEVER_LOGGED = {
    "breakdown": "logged metrics hold no times of forward, data wait and the like",
    "operations": "logged metrics hold no times of named operations",
    "series": "logged metrics hold statistics of batches, not the batches",
    "memory.process_tree_rss_bytes": "logged metrics hold no memory of the process tree",
    "memory.workers_rss_bytes": "logged metrics hold no memory of the workers",
    "environment": "logged metrics don't say on which machine they were taken",
}


def run_of(
    info: RunInfo,
    reading: MetricReading,
    *,
    config: Mapping[str, JsonValue] | None = None,
    memory: MemorySamples | None = None,
    missing: Iterable[Missing] = (),
    warnings: Iterable[str] = (),
) -> Run:
    """Return the run; `memory` replaces what the rows say of memory where it is given.

    `config` is expected without secrets (`ocr.performance.redaction.redact`).
    """
    unsupported = (
        Missing(metric=metric, reason="unsupported", detail=detail)
        for metric, detail in _NEVER_LOGGED.items()
    )
    return Run(
        info=info,
        stages=reading.stages,
        memory=memory or reading.memory,
        measurement=MeasurementRecord(warnings=(*warnings, *reading.warnings)),
        config=config,
        missing=(*reading.missing, *missing, *unsupported),
    )
