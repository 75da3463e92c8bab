"""`analyze`: puts the document together from a run's stages, operations, memory and findings."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING

from ocr_baseline.analysis.accelerator_idle import with_accelerator_idle
from ocr_baseline.analysis.findings import find
from ocr_baseline.analysis.functions.sampled_lines import (
    phase_with_functions,
    sampled_lines,
    workers_with_functions,
)
from ocr_baseline.analysis.measured import Measured
from ocr_baseline.analysis.memory import memory
from ocr_baseline.analysis.missing import missing_metrics
from ocr_baseline.analysis.phases.builder import MOST_LOADERS, own_cost_moved, phases
from ocr_baseline.analysis.phases.distributions import distribution
from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.analysis.phases.train_vs_validation import compare_recorded, compare_reported
from ocr_baseline.analysis.probes import profile_window, with_flops
from ocr_baseline.analysis.ranks import rank_sections, rank_spreads, rank_warnings
from ocr_baseline.analysis.replay.receiving import with_receiving
from ocr_baseline.analysis.slowest import with_slowest
from ocr_baseline.analysis.start import goodput, start
from ocr_baseline.analysis.workers import worker_times, workers_section
from ocr_baseline.model.document import (
    Baseline,
    Environment,
    Generator,
    Measurement,
    Operation,
    TrainVsValidation,
    Workload,
    whole_phase,
)
from ocr_baseline.model.privacy import config_hash
from ocr_baseline.model.run import Run
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, PHASES, REPORTED_STAGES, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.workers import WorkerTimes
    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import OperationRecord


DISTRIBUTION_NAME = "ocr-baseline"


def analyze(run: Run) -> Baseline:
    """Return the baseline of a run.

    Raises:
        TypeError: It isn't a run.
    """
    _check_run(run)
    measured = measure(run)
    found = find(measured)
    ranks = rank_sections(run)
    return Baseline(
        generated_at=datetime.now(timezone.utc),
        generator=Generator(name=DISTRIBUTION_NAME, version=metadata.version(DISTRIBUTION_NAME)),
        run=run.info,
        workload=_workload(run),
        environment=_environment(run),
        phases=measured.phases,
        operations=measured.operations,
        workers=[with_receiving(measured, workers) for workers in measured.workers],
        train_vs_validation=measured.train_vs_validation,
        start=measured.start,
        goodput=measured.goodput,
        memory=measured.memory,
        profile_window=measured.profile_window,
        findings=found.findings,
        measurement=measured.measurement.model_copy(
            update={"notes": [*measured.measurement.notes, *found.silent]}
        ),
        missing=missing_metrics(measured),
        world_size=run.world_size,
        ranks=ranks,
        rank_spreads=rank_spreads(ranks),
    )


def _check_run(given: object) -> None:
    if isinstance(given, Run):
        return
    hint = "read_run(place) returns one"
    if isinstance(given, Baseline):
        hint = "a Baseline is what it returns"
    raise TypeError(f"analyze takes a Run, not {type(given).__name__}: {hint}")


def measure(run: Run) -> Measured:
    """Return everything that was measured, before any finding."""
    times = {
        record.stage: StageTimes(record)
        for record in run.stages
        if record.stage in REPORTED_STAGES and (record.batches is not None or record.epochs)
    }
    workers = {
        stage: used
        for stage, stage_times in times.items()
        if (used := worker_times(stage_times, run.workers)) is not None
    }
    sampled = sampled_lines(run.stack_samples)
    found = [
        with_flops(with_accelerator_idle(phase_with_functions(phase, sampled)), run)
        for phase in phases(run, times)
    ]
    return Measured(
        run=run,
        phases=found,
        operations=_operations(run, times, workers),
        workers=[
            with_slowest(
                workers_with_functions(workers_section(times[stage], used), sampled),
                times[stage],
                run,
            )
            for stage, used in workers.items()
        ],
        measurement=_measurement(run, times),
        environment=_environment(run).known,
        train_vs_validation=_train_vs_validation(found, times),
        start=start(run),
        goodput=goodput(run, times),
        memory=None if run.memory is None else memory(run.memory),
        profile_window=profile_window(run),
        times=times,
        worker_times=workers,
        sampled=sampled,
    )


def _train_vs_validation(
    found: list[Phase], times: Mapping[Stage, StageTimes]
) -> TrainVsValidation | None:
    train, validation = whole_phase(found, "train"), whole_phase(found, "validation")
    if train is None or validation is None:
        return None
    if Stage.TRAIN in times and Stage.VALIDATION in times:
        return compare_recorded(times[Stage.TRAIN], times[Stage.VALIDATION], train, validation)
    return compare_reported(train, validation)


def _environment(run: Run) -> Environment:
    return Environment(
        identity=dict(run.environment_identity), volatile=dict(run.environment_volatile)
    )


def _workload(run: Run) -> Workload:
    config = None if run.config is None else dict(run.config)
    return Workload(
        config=config,
        config_hash=run.config_hash if config is None else config_hash(config),
        data_hash=run.data_hash,
    )


def _operations(
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


def _measurement(run: Run, times: Mapping[Stage, StageTimes]) -> Measurement:
    """Return how the numbers were taken, what that cost, and what went wrong."""
    overhead_s = _overhead_s(run, times)
    total_s = sum(stage_times.total_s for stage_times in times.values())
    batches = sum(len(stage_times.durations_s) for stage_times in times.values())
    return Measurement(
        clock=run.measurement.clock,
        overhead_s=overhead_s,
        overhead_share=overhead_s / total_s if overhead_s is not None and total_s > 0 else None,
        per_batch_overhead_s=overhead_s / batches if overhead_s is not None and batches else None,
        background_cpu_s=run.measurement.background_cpu_s,
        warnings=[*run.measurement.warnings, *_warnings(run), *rank_warnings(run)],
        notes=_notes(run, times),
    )


def _overhead_s(run: Run, times: Mapping[Stage, StageTimes]) -> float | None:
    """Return what measuring took the main thread over the stages.

    That is the time in the profiler's own hooks, the calibrated cost of each span, and sampling.
    """
    if not times:
        return None
    sampling_s = sum(
        samples.cost_s
        for samples in run.stack_samples
        if samples.process == "main" and samples.stage in times
    )
    return sampling_s + sum(
        own_cost_moved(stage_times.lines_s, stage_times.events, run.measurement.event_cost_s).get(
            Line.PROFILER.value, 0.0
        )
        for stage_times in times.values()
    )


def _warnings(run: Run) -> list[str]:
    lost = run.measurement.lost_records
    if not lost:
        return []
    return [
        f"{lost} record{'s' if lost > 1 else ''} could not be read (cut off or damaged) and "
        "contributed nothing to this report"
    ]


def _notes(run: Run, times: Mapping[Stage, StageTimes]) -> list[str]:
    notes = [
        f"{PHASES[stage]}: {len(one.loaders):,} dataloaders; the first {MOST_LOADERS} have a phase "
        "of their own, the totals cover all"
        for stage, one in times.items()
        if len(one.loaders) > MOST_LOADERS
    ]
    batches = run.measurement.sanity_check_batches
    if batches:
        counted = "1 batch" if batches == 1 else f"{batches} batches"
        notes.append(f"sanity check: {counted}, not counted in any phase")
    return notes
