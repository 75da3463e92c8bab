"""Stages as phases of the document: totals from everything, statistics from steady batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.memory import accelerator_utilization, phase_memory
from ocr_baseline.analysis.phases.batch_statistics import rule_applied, steady_mask
from ocr_baseline.analysis.phases.distributions import block_means, distribution
from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.analysis.reading import pass_readings, together
from ocr_baseline.analysis.sums import sum_of
from ocr_baseline.model.document import (
    BreakdownLine,
    DeviceTime,
    Distribution,
    EpochSummary,
    Phase,
    Warmup,
)
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, PHASES, REPORTED_STAGES, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.model.document import BatchTimeScope
    from ocr_baseline.model.run import DeviceBatches, ReportedEpoch, Run, StageRecord
    from ocr_baseline.vocabulary import Stage


FIXED_LINES = frozenset(line.value for line in Line)

MOST_LOADERS = 256
"""The first so many loaders of a stage have a phase of their own, the same ones in each run."""


def phases(run: Run, times: Mapping[Stage, StageTimes]) -> list[Phase]:
    """Return the phases of a run: those of recorded stages, or else those that were logged."""
    found: list[Phase] = []
    for stage in REPORTED_STAGES:
        if stage in times:
            whole, *loaders = _recorded_phases(times[stage], run.measurement.event_cost_s)
            found.extend([whole.model_copy(update=_beside_batches(run, times[stage])), *loaders])
        else:
            found.extend(
                _reported_phase(record)
                for record in run.stages
                if record.stage is stage and record.reported
            )
    return found


def _beside_batches(run: Run, times: StageTimes) -> dict[str, object]:
    """Return the fields of a phase that were not read from its batches."""
    device, set_aside = times.record.device, times.record.set_aside
    timed = None if device is None else _device_time(device, set_aside)
    fields: dict[str, object] = {"device": timed}
    if run.memory is not None:
        fields["memory"] = phase_memory(run.memory, times.stage)
        fields["accelerator_utilization"] = accelerator_utilization(run.memory, times.stage)
    garbage = next((one for one in run.garbage if one.stage is times.stage), None)
    if garbage is not None:
        fields["garbage_collections"] = garbage.collections
        fields["garbage_s"] = garbage.total_s
    readings = pass_readings(times, run.workers)
    whole = together(readings)
    fields["read_bytes"], fields["disk_read_bytes"] = whole.read_bytes, whole.disk_bytes
    fields["disk_wait_s"] = whole.disk_wait_s
    if len(readings) == sum(1 for epoch in times.record.epochs if epoch.batches):
        fields["cpu_s"] = sum_of(epoch.cpu_s for epoch in times.record.epochs)
        fields["thread_s"] = sum_of(epoch.thread_s for epoch in times.record.epochs)
        fields["queued_s"] = sum_of(epoch.queued_s for epoch in times.record.epochs)
    fields["per_epoch"] = [
        epoch.model_copy(
            update={"read_bytes": reading.read_bytes, "disk_read_bytes": reading.disk_bytes}
        )
        for epoch, reading in zip(_epoch_summaries(times), readings, strict=True)
    ]
    return fields


def _recorded_phases(times: StageTimes, event_cost_s: float | None) -> Iterator[Phase]:
    """Yield the phase of a recorded stage, then one for each loader where it has several."""
    yield _whole_phase(times, event_cost_s)
    if len(times.loaders) > 1:
        for loader in times.loaders[:MOST_LOADERS]:
            yield _loader_phase(times, loader)


def _whole_phase(times: StageTimes, event_cost_s: float | None) -> Phase:
    total_s, samples = times.total_s, times.samples
    has_batches = len(times.durations_s) > 0
    return Phase(
        name=PHASES[times.stage],
        epochs=len(times.record.epochs) or None,
        batches=len(times.durations_s),
        samples=samples,
        total_s=total_s,
        warmup=_warmup(times) if has_batches else None,
        batch_time_s=distribution(times.steady_s) if has_batches else None,
        batch_time_scope=_scope(times) if has_batches else None,
        block_means_s=list(block_means(times.steady_s)),
        epoch_time_s=total_s / len(times.record.epochs) if times.record.epochs else None,
        sample_time_s=total_s / samples if samples else None,
        throughput_samples_per_s=samples / total_s if samples and total_s > 0 else None,
        breakdown=_breakdown(
            own_cost_moved(times.lines_s, times.events, event_cost_s),
            total_s=total_s,
            batches=len(times.durations_s),
        ),
    )


def _loader_phase(times: StageTimes, loader: int) -> Phase:
    """Return the batches of one loader; what lies outside batches belongs to no loader."""
    table = times.table
    if table is None:
        raise ValueError("a stage without batches has no loaders")
    mine = table.dataloader_idx == loader
    durations_s = times.durations_s[mine]
    sizes = table.samples[mine]
    samples = None if np.isnan(sizes).any() else int(sizes.sum())
    total_s = float(durations_s.sum())
    lines_s = {
        line: float(column[mine].sum(dtype=np.float64)) for line, column in table.lines_s.items()
    }
    return Phase(
        name=PHASES[times.stage],
        dataloader=loader,
        batches=len(durations_s),
        samples=samples,
        total_s=total_s,
        batch_time_s=distribution(times.durations_s[mine & times.is_steady]),
        batch_time_scope=_scope(times),
        sample_time_s=total_s / samples if samples else None,
        throughput_samples_per_s=samples / total_s if samples and total_s > 0 else None,
        breakdown=_breakdown(lines_s, total_s=total_s, batches=len(durations_s)),
    )


def _scope(times: StageTimes) -> BatchTimeScope:
    return "all batches" if times.is_steady.all() else "steady batches"


def _warmup(times: StageTimes) -> Warmup:
    set_aside = ~times.is_steady
    rule = rule_applied(times.is_steady)
    if times.record.set_aside:
        rule += f", and {len(times.record.set_aside)} that were looked into"
    return Warmup(
        batches=int(set_aside.sum()),
        total_s=float(times.durations_s[set_aside].sum()),
        rule=rule,
    )


def own_cost_moved(
    lines_s: Mapping[str, float], events: int, event_cost_s: float | None
) -> dict[str, float]:
    """Move the cost of the accounting's own events from `other` to `profiler`.

    Each span costs the same wherever it is entered (`event_cost_s`, calibrated); most are entered
    from the trainer's own code, which is `other`. No more is moved than there is.
    """
    moved = dict(lines_s)
    if event_cost_s is not None:
        cost_s = min(events * event_cost_s, moved.get(Line.OTHER.value, 0.0))
        moved[Line.OTHER.value] = moved.get(Line.OTHER.value, 0.0) - cost_s
        moved[Line.PROFILER.value] = moved.get(Line.PROFILER.value, 0.0) + cost_s
    return moved


def line_name(line: str) -> str:
    """Return a line's name in the document: `op:NAME` is NAME, unless a fixed line has it."""
    if not line.startswith(OPERATION_LINE_PREFIX):
        return line
    name = line.removeprefix(OPERATION_LINE_PREFIX)
    return f"operation {name}" if name in FIXED_LINES else name


def _breakdown(
    lines_s: Mapping[str, float], *, total_s: float, batches: int
) -> list[BreakdownLine]:
    """Return the lines, the heaviest first; `callbacks:NAME` lines are parts of `callbacks`."""
    totals: dict[str, float] = {}
    parts: dict[str, float] = {}
    for line, value in lines_s.items():
        group, separator, part = line.partition(":")
        if separator and group == Line.CALLBACKS.value:
            parts[part] = parts.get(part, 0.0) + value
            totals[group] = totals.get(group, 0.0) + value
        else:
            name = line_name(line)
            totals[name] = totals.get(name, 0.0) + value

    def shown(name: str, value: float, shown_parts: list[BreakdownLine]) -> BreakdownLine:
        return BreakdownLine(
            name=name,
            total_s=value,
            share=value / total_s if total_s > 0 else None,
            per_batch_s=value / batches if batches else None,
            parts=shown_parts,
        )

    ranked = sorted(totals.items(), key=lambda item: -item[1])
    ranked_parts = sorted(parts.items(), key=lambda item: -item[1])
    return [
        shown(
            name,
            value,
            [shown(part, part_s, []) for part, part_s in ranked_parts]
            if name == Line.CALLBACKS.value
            else [],
        )
        for name, value in ranked
    ]


def _epoch_summaries(times: StageTimes) -> list[EpochSummary]:
    """Pair the passes with their epoch records, in order; a pass cut short has no record."""
    summaries = []
    passes = list(times.passes())
    records = [epoch for epoch in times.record.epochs if epoch.batches]
    for position, rows in enumerate(passes):
        durations_s = times.durations_s[rows]
        record = records[position] if position < len(records) else None
        steady = times.is_steady[rows]
        summaries.append(
            EpochSummary(
                epoch=int(times.table.epoch[rows.start]) if times.table is not None else None,
                batches=len(durations_s),
                total_s=(
                    None
                    if record is None
                    else float(durations_s.sum()) + sum(record.tail_s.values())
                ),
                batch_time_s=distribution(durations_s[steady] if steady.any() else durations_s),
            )
        )
    return summaries


def _reported_phase(record: StageRecord) -> Phase:
    """Return the phase of a stage known by logged statistics only.

    Totals are sums over the logged epochs; batch statistics are those of the last one, because
    percentiles of several epochs don't add up to percentiles of all.
    """
    last = record.reported[-1]
    samples = sum_of(epoch.num_samples for epoch in record.reported)
    total_s = sum_of(epoch.epoch_time_s for epoch in record.reported)
    batches = sum_of(epoch.num_batches for epoch in record.reported)
    return Phase(
        name=PHASES[record.stage],
        dataloader=record.dataloader_idx,
        epochs=len(record.reported),
        batches=None if batches is None else int(batches),
        samples=None if samples is None else int(samples),
        total_s=total_s,
        batch_time_s=_reported_distribution(last),
        batch_time_scope="last logged epoch",
        epoch_time_s=None if total_s is None else total_s / len(record.reported),
        sample_time_s=total_s / samples if samples and total_s is not None else None,
        throughput_samples_per_s=samples / total_s if samples and total_s else None,
        per_epoch=[
            EpochSummary(
                epoch=epoch.epoch,
                batches=epoch.num_batches,
                total_s=epoch.epoch_time_s,
                batch_time_s=_reported_distribution(epoch),
            )
            for epoch in record.reported
        ],
    )


def _reported_distribution(epoch: ReportedEpoch) -> Distribution | None:
    values = (epoch.batch_mean_s, epoch.batch_median_s, epoch.batch_p95_s, epoch.batch_p99_s)
    if all(value is None for value in values):
        return None
    return Distribution(
        count=epoch.num_batches,
        mean=epoch.batch_mean_s,
        median=epoch.batch_median_s,
        p95=epoch.batch_p95_s,
        p99=epoch.batch_p99_s,
        std=epoch.batch_std_s,
    )


def _device_time(batches: DeviceBatches, set_aside: frozenset[int]) -> DeviceTime:
    """Return the document's account of the timed steady batches."""
    steady = steady_mask(batches.position, batches.is_first_of_epoch, set_aside)
    lines_s = {line: column[steady] for line, column in batches.lines_s.items()}
    durations_s = sum(lines_s.values(), np.zeros(int(steady.sum())))
    return DeviceTime(
        clock=batches.clock,
        batches=len(durations_s),
        batch_time_s=distribution(durations_s),
        breakdown=_breakdown(
            {line: float(column.sum()) for line, column in lines_s.items()},
            total_s=float(durations_s.sum()),
            batches=len(durations_s),
        ),
    )
