"""`analyze`: puts the document together from a run's stages, operations, memory and findings."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings import find
from ocr_baseline.analysis.measured import Measured
from ocr_baseline.analysis.memory import accelerator_utilization, memory, phase_memory
from ocr_baseline.analysis.missing import missing_metrics
from ocr_baseline.analysis.notes import measurement
from ocr_baseline.analysis.operations import operations
from ocr_baseline.analysis.phases.builder import recorded_phases, reported_phase
from ocr_baseline.analysis.phases.device import device_time
from ocr_baseline.analysis.phases.stage_times import StageTimes
from ocr_baseline.analysis.phases.train_vs_validation import compare_recorded, compare_reported
from ocr_baseline.analysis.ranks import rank_sections, rank_spreads
from ocr_baseline.analysis.workers import worker_times, workers_section
from ocr_baseline.model.document import (
    Baseline,
    Environment,
    Generator,
    TrainVsValidation,
    Workload,
    whole_phase,
)
from ocr_baseline.model.privacy import config_hash
from ocr_baseline.vocabulary import REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import Run

DISTRIBUTION_NAME = "ocr-baseline"


def analyze(run: Run) -> Baseline:
    """Return the baseline of a run."""
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
        workers=measured.workers,
        train_vs_validation=measured.train_vs_validation,
        memory=measured.memory,
        findings=found.findings,
        measurement=measured.measurement.model_copy(
            update={"notes": [*measured.measurement.notes, *found.silent]}
        ),
        missing=missing_metrics(measured),
        world_size=run.world_size,
        ranks=ranks,
        rank_spreads=rank_spreads(ranks),
    )


def measure(run: Run) -> Measured:
    """Return everything that was measured, before any finding."""
    times = {
        record.stage: StageTimes(record)
        for record in run.stages
        if record.stage in REPORTED_STAGES and (record.batches is not None or record.epochs)
    }
    workers = {
        stage: found
        for stage, stage_times in times.items()
        if (found := worker_times(stage_times, run.workers)) is not None
    }
    phases = _phases(run, times)
    return Measured(
        run=run,
        phases=phases,
        operations=operations(run, times, workers),
        workers=[workers_section(times[stage], found) for stage, found in workers.items()],
        measurement=measurement(run, times),
        environment=_environment(run).known,
        train_vs_validation=_train_vs_validation(phases, times),
        memory=None if run.memory is None else memory(run.memory),
        times=times,
        worker_times=workers,
    )


def _phases(run: Run, times: Mapping[Stage, StageTimes]) -> list[Phase]:
    phases: list[Phase] = []
    for stage in REPORTED_STAGES:
        if stage in times:
            whole, *loaders = recorded_phases(times[stage], run.measurement.event_cost_s)
            added = {
                "memory": None if run.memory is None else phase_memory(run.memory, stage),
                "accelerator_utilization": None
                if run.memory is None
                else accelerator_utilization(run.memory, stage),
                "device": None
                if (timed := times[stage].record.device) is None
                else device_time(timed),
            }
            phases.extend([whole.model_copy(update=added), *loaders])
            continue
        phases.extend(
            reported_phase(record)
            for record in run.stages
            if record.stage is stage and record.reported
        )
    return phases


def _train_vs_validation(
    phases: list[Phase], times: Mapping[Stage, StageTimes]
) -> TrainVsValidation | None:
    train, validation = whole_phase(phases, "train"), whole_phase(phases, "validation")
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
