"""`metrics.csv`: every number of a baseline in long form, one row each, in SI units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.reports.run.phase_facts import batch_times
from ocr_baseline.reports.text import wording
from ocr_baseline.reports.text.csv_text import write_csv
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import (
        Baseline,
        BreakdownLine,
        Distribution,
        MemoryUse,
        Operation,
        Phase,
        Rank,
        Workers,
    )

STATISTICS = ("mean", "median", "p95", "p99", "std", "min", "max")
MEMORY_QUANTITIES = ("process_tree_rss_bytes", "main_rss_bytes", "workers_rss_bytes")
PHASE_MEMORY_QUANTITIES = (
    "process_tree_rss_bytes",
    "accelerator_allocated_bytes",
    "accelerator_reserved_bytes",
)
MEMORY_FIELDS = ("start", "end", "peak", "mean")
GROWTH_FIELDS = (
    "growth_bytes_per_min",
    "growth_low_bytes_per_min",
    "growth_high_bytes_per_min",
)


class MetricRow(NamedTuple):
    """A value of the document; `name` is a line's or an operation's, where it is about one."""

    phase: str
    dataloader: int | None
    process: str
    name: str
    metric: str
    value: float | None
    unit: str
    missing: str


def render_metrics_csv(baseline: Baseline) -> str:
    """Return the table; a value that was not measured is empty and says why in `missing`."""
    return write_csv(MetricRow._fields, metric_rows(baseline))


def metric_rows(baseline: Baseline) -> Iterator[MetricRow]:
    """Yield the rows in the document's order."""
    yield _run_row(baseline, "run.duration_s", baseline.run.duration_s, "s")
    for name in PHASE_NAMES:
        for phase in baseline.phases:
            if phase.name == name:
                yield from _phase_rows(baseline, phase)
    for operation in baseline.operations:
        yield from _operation_rows(operation)
    for workers in baseline.workers:
        yield from _worker_rows(workers)
    yield from _comparison_rows(baseline)
    yield from _memory_rows(baseline)
    for rank in baseline.ranks:
        yield from _rank_rows(rank)
    measurement = baseline.measurement
    yield _run_row(baseline, "measurement.overhead_s", measurement.overhead_s, "s")
    yield _run_row(baseline, "measurement.overhead_share", measurement.overhead_share, "share")
    background_s = measurement.background_cpu_s
    yield _run_row(baseline, "measurement.background_cpu_s", background_s, "s")


def _run_row(baseline: Baseline, metric: str, value: float | None, unit: str) -> MetricRow:
    return MetricRow("", None, "", "", metric, value, unit, _why(baseline, metric, value))


def _why(baseline: Baseline, path: str, value: float | None) -> str:
    return "" if value is not None else wording.reason(baseline, path) or "not measured"


def _phase_rows(baseline: Baseline, phase: Phase) -> Iterator[MetricRow]:
    def row(metric: str, value: float | None, unit: str) -> MetricRow:
        why = _why(baseline, f"phases.{phase.name}.{metric}", value)
        return MetricRow(phase.name, phase.dataloader, "", "", metric, value, unit, why)

    yield row("total_s", phase.total_s, "s")
    yield row("epochs", phase.epochs, "count")
    yield row("batches", phase.batches, "count")
    yield row("samples", phase.samples, "count")
    times = batch_times(phase)
    yield row("batch_time_s.count", times.count if phase.batch_time_s else None, "count")
    for statistic, value in _statistics(times):
        yield row(f"batch_time_s.{statistic}", value, "s")
    yield row("epoch_time_s", phase.epoch_time_s, "s")
    yield row("sample_time_s", phase.sample_time_s, "s")
    yield row("throughput_samples_per_s", phase.throughput_samples_per_s, "samples/s")
    if phase.warmup is not None:
        yield row("warmup.batches", phase.warmup.batches, "count")
        yield row("warmup.total_s", phase.warmup.total_s, "s")
    if phase.accelerator_utilization is not None:
        for field in ("mean_percent", "min_percent", "max_percent"):
            value = getattr(phase.accelerator_utilization, field)
            yield row(f"accelerator_utilization.{field}", value, "percent")
    for kind, line in _lines(phase):
        yield row(f"{kind}.total_s", line.total_s, "s")._replace(name=line.name)
        yield row(f"{kind}.share", line.share, "share")._replace(name=line.name)
        yield row(f"{kind}.per_batch_s", line.per_batch_s, "s")._replace(name=line.name)


def _lines(phase: Phase) -> Iterator[tuple[str, BreakdownLine]]:
    for line in phase.breakdown:
        yield "line", line
        for part in line.parts:
            yield f"line_part.{line.name}", part


def _operation_rows(operation: Operation) -> Iterator[MetricRow]:
    def row(metric: str, value: float | None, unit: str) -> MetricRow:
        why = "" if value is not None else "not measured"
        return MetricRow(
            operation.phase, None, operation.process, operation.name, metric, value, unit, why
        )

    yield row("operation.calls", operation.calls, "count")
    yield row("operation.total_s", operation.total_s, "s")
    yield row("operation.exclusive_s", operation.exclusive_s, "s")
    yield row("operation.waited_s", operation.waited_s, "s")
    yield row("operation.share_of_phase", operation.share_of_phase, "share")
    if operation.call_time_s is not None:
        for statistic, value in _statistics(operation.call_time_s):
            yield row(f"operation.call_time_s.{statistic}", value, "s")


def _worker_rows(workers: Workers) -> Iterator[MetricRow]:
    for metric, value, unit in (
        ("workers.count", workers.count, "count"),
        ("workers.processes", workers.processes, "count"),
        ("workers.batches", workers.batches, "count"),
        ("workers.startup_mean_s", workers.startup_mean_s, "s"),
        ("workers.startup_max_s", workers.startup_max_s, "s"),
        ("workers.busy_s", workers.busy_s, "s"),
        ("workers.unnamed_s", workers.unnamed_s, "s"),
        ("workers.waited_s", workers.waited_s, "s"),
    ):
        why = "" if value is not None else "not measured"
        yield MetricRow(workers.phase, None, "worker", "", metric, value, unit, why)


def _rank_rows(rank: Rank) -> Iterator[MetricRow]:
    for phase in rank.phases:
        for metric, value, unit in (
            ("rank.batches", phase.batches, "count"),
            ("rank.samples", phase.samples, "count"),
            ("rank.total_s", phase.total_s, "s"),
            ("rank.batch_mean_s", phase.batch_mean_s, "s"),
            ("rank.data_wait_s", phase.data_wait_s, "s"),
            ("rank.backward_s", phase.backward_s, "s"),
            ("rank.gradient_wait_mean_s", phase.gradient_wait_mean_s, "s"),
            ("rank.collectives_s", phase.collectives_s, "s"),
            ("rank.own_s", phase.own_s, "s"),
        ):
            why = "" if value is not None else "not measured"
            name = f"rank {rank.rank}"
            yield MetricRow(phase.phase, None, "main", name, metric, value, unit, why)


def _comparison_rows(baseline: Baseline) -> Iterator[MetricRow]:
    compared = baseline.train_vs_validation
    for field in ("sample_ratio", "batch_ratio", "epoch_ratio"):
        path = f"train_vs_validation.{field}"
        ratio = getattr(compared, field) if compared else None
        yield _run_row(baseline, f"{path}.value", ratio.value if ratio else None, "ratio")
        if ratio is not None and ratio.low is not None and ratio.high is not None:
            yield _run_row(baseline, f"{path}.low", ratio.low, "ratio")
            yield _run_row(baseline, f"{path}.high", ratio.high, "ratio")
    for step in compared.waterfall_s_per_sample if compared else []:
        path = "train_vs_validation.waterfall.delta_s"
        yield _run_row(baseline, path, step.delta_s, "s")._replace(name=step.name)


def _memory_rows(baseline: Baseline) -> Iterator[MetricRow]:
    memory = baseline.memory
    for quantity in MEMORY_QUANTITIES:
        use = getattr(memory, quantity) if memory else None
        yield from _memory_use_rows(baseline, f"memory.{quantity}", use)
    if memory and memory.process_tree_pss_bytes:
        path = "memory.process_tree_pss_bytes"
        yield from _memory_use_rows(baseline, path, memory.process_tree_pss_bytes)
    accelerator = memory.accelerator if memory else None
    for field in ("allocated_peak_bytes", "reserved_peak_bytes", "total_bytes"):
        value = getattr(accelerator, field) if accelerator else None
        yield _run_row(baseline, f"memory.accelerator.{field}", value, "bytes")
    percent = memory.system_memory_percent if memory else None
    yield _run_row(baseline, "memory.system_memory_percent", percent, "percent")
    yield from _phase_memory_rows(baseline)


def _memory_use_rows(baseline: Baseline, path: str, use: MemoryUse | None) -> Iterator[MetricRow]:
    for fields, unit in ((MEMORY_FIELDS, "bytes"), (GROWTH_FIELDS, "bytes/min")):
        for field in fields:
            value = getattr(use, field) if use else None
            yield _run_row(baseline, f"{path}.{field}", value, unit)


def _phase_memory_rows(baseline: Baseline) -> Iterator[MetricRow]:
    for phase in baseline.phases:
        if phase.memory is None:
            continue
        for quantity in PHASE_MEMORY_QUANTITIES:
            use = getattr(phase.memory, quantity)
            if use is not None:
                for row in _memory_use_rows(baseline, f"memory.{quantity}", use):
                    yield row._replace(phase=phase.name)


def _statistics(times: Distribution) -> Iterator[tuple[str, float | None]]:
    for statistic in STATISTICS:
        yield statistic, getattr(times, statistic)
