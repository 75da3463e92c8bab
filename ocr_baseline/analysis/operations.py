"""Named operations, with what the main thread waited for those in workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.phases.distributions import distribution
from ocr_baseline.model.document import Operation
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, REPORTED_STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.analysis.workers import WorkerTimes
    from ocr_baseline.model.run import OperationRecord, Run
    from ocr_baseline.vocabulary import Stage


def operations(
    run: Run, times: Mapping[Stage, StageTimes], workers: Mapping[Stage, WorkerTimes]
) -> list[Operation]:
    """Return the operations of the reported stages, the heaviest (exclusive time) first."""
    found = [
        _operation(record, times.get(record.stage), workers.get(record.stage))
        for record in run.operations
        if record.stage in REPORTED_STAGES
    ]
    return sorted(found, key=lambda operation: -operation.exclusive_s)


def _operation(
    record: OperationRecord, times: StageTimes | None, workers: WorkerTimes | None
) -> Operation:
    if record.process == "worker":
        whole_s = None if workers is None else workers.total_busy_s
        line = OPERATION_LINE_PREFIX + record.name
        waited_s = None if workers is None else workers.waited_s.get(line, 0.0)
    else:
        whole_s = None if times is None else times.total_s
        waited_s = record.exclusive_s if record.in_main_thread else None
    return Operation(
        name=record.name,
        phase=record.stage.value,
        process=record.process,
        calls=record.calls,
        total_s=record.total_s,
        exclusive_s=record.exclusive_s,
        waited_s=waited_s,
        share_of_phase=record.exclusive_s / whole_s if whole_s else None,
        call_time_s=None if record.call_time_s is None else distribution(record.call_time_s),
    )
