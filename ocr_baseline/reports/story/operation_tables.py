"""The named operations, and the loader workers that ran some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.phase_tables import NO_TIMES
from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline, Operation

MAX_OPERATIONS = 10


def operation_table(operations: Sequence[Operation], process: str) -> Table:
    """The slowest operations of the main thread or of the loader workers."""
    is_worker = process == "worker"
    rows = []
    for operation in operations[:MAX_OPERATIONS]:
        times = operation.call_time_s or NO_TIMES
        waited = [formatting.duration(operation.waited_s)] if is_worker else []
        rows.append(
            [
                _operation_name(operation),
                wording.stage_adjective(operation.phase).lower(),
                formatting.count(operation.calls),
                formatting.duration(operation.exclusive_s),
                formatting.duration(operation.total_s),
                *waited,
                formatting.share(operation.share_of_phase),
                formatting.duration(times.median),
                formatting.duration(times.p95),
            ]
        )
    waited_header = ["Main thread waited"] if is_worker else []
    headers = ["Operation", "Phase", "Calls", "Exclusive", "Total", *waited_header]
    whole = "Share of making batches" if is_worker else "Share of phase"
    headers += [whole, "Median call", "P95 call"]
    return Table(headers=headers, rows=rows, align="ll" + "r" * 7)


def workers_table(baseline: Baseline) -> Table | None:
    """What the loader workers of each phase did, all of them together."""
    rows = [
        [
            wording.stage_adjective(workers.phase).lower(),
            formatting.count(workers.count),
            formatting.count(workers.batches),
            formatting.duration(workers.busy_s),
            formatting.duration(workers.unnamed_s),
            formatting.duration(workers.waited_s),
            formatting.duration(workers.startup_mean_s),
            formatting.duration(workers.startup_max_s),
        ]
        for workers in baseline.workers
    ]
    headers = ["Phase", "Workers", "Batches made", "Making batches", "Outside named operations"]
    headers += ["Main thread waited", "Mean startup", "Longest startup"]
    return Table(headers=headers, rows=rows, align="lrrrrrrr") if rows else None


def _operation_name(operation: Operation) -> str:
    """Return the name; an operation of the main process that nothing waited for ran in a thread."""
    if operation.process == "main" and operation.waited_s is None:
        return f"{quoted(operation.name)} (in another thread)"
    return Name(operation.name)
