"""A `Run` put together from logged metrics, with what no such source can give said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.model.run import MeasurementRecord, Missing, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ocr_baseline.model.run import JsonValue, MemorySamples, RunInfo
    from ocr_baseline.sources.logged.rows import MetricReading

_NEVER_LOGGED = {
    "breakdown": "logged metrics hold no times of forward, data wait and the like",
    "operations": "logged metrics hold no times of named operations",
    "series": "logged metrics hold statistics of batches, not the batches",
    "memory.process_tree_rss_bytes": "logged metrics hold no memory of the process tree",
    "memory.workers_rss_bytes": "logged metrics hold no memory of the workers",
}
_NO_ENVIRONMENT = Missing(
    metric="environment",
    reason="unsupported",
    detail="logged metrics don't say on which machine they were taken",
)


@dataclass(frozen=True, kw_only=True)
class NotedEnvironment:
    """What a logger noted of the machine and the software, and in words what it did not."""

    identity: Mapping[str, JsonValue]
    volatile: Mapping[str, JsonValue]
    not_told: str

    @property
    def missing(self) -> Missing:
        """The entry for what was not noted."""
        return Missing(metric="environment", reason="not_collected", detail=self.not_told)


def run_of(
    info: RunInfo,
    reading: MetricReading,
    *,
    config: Mapping[str, JsonValue] | None = None,
    memory: MemorySamples | None = None,
    environment: NotedEnvironment | None = None,
    missing: Iterable[Missing] = (),
    warnings: Iterable[str] = (),
) -> Run:
    """Return the run; `memory` replaces what the rows say of memory where it is given.

    `config` is expected without secrets (`ocr_baseline.model.privacy.redact`).
    """
    unsupported = (
        Missing(metric=metric, reason="unsupported", detail=detail)
        for metric, detail in _NEVER_LOGGED.items()
    )
    unknown = _NO_ENVIRONMENT if environment is None else environment.missing
    return Run(
        info=info,
        stages=reading.stages,
        memory=memory or reading.memory,
        measurement=MeasurementRecord(warnings=(*warnings, *reading.warnings)),
        config=config,
        environment_identity={} if environment is None else environment.identity,
        environment_volatile={} if environment is None else environment.volatile,
        missing=(*reading.missing, *missing, *unsupported, unknown),
    )
