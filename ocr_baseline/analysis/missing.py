"""What the document does not hold, and why: each `null` that a reader may look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.probes import missing_of_probes
from ocr_baseline.analysis.ranks import missing_ranks
from ocr_baseline.model.run import Missing
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase

_NOT_RUN = {
    Stage.TRAIN: "no training batch was recorded in this run",
    Stage.VALIDATION: "no validation batch was recorded in this run",
}


def missing_metrics(measured: Measured) -> list[Missing]:
    """Return an entry for each missing metric, the source's own first, none twice."""
    entries = list(measured.run.missing)
    entries.extend(_absent_phases(measured))
    for phase in measured.whole_phases:
        entries.extend(_absent_in(phase))
    entries.extend(_absent_readings(measured))
    entries.extend(_absent_processor_time(measured))
    entries.extend(_absent_of_workers(measured))
    entries.extend(_absent_sections(measured))
    entries.extend(missing_of_probes(measured.run))
    entries.extend(missing_ranks(measured.run))
    first_of_each: dict[str, Missing] = {}
    for entry in entries:
        first_of_each.setdefault(entry.metric, entry)
    return list(first_of_each.values())


def _absent_phases(measured: Measured) -> Iterator[Missing]:
    for stage, detail in _NOT_RUN.items():
        if not any(phase.name == stage.value for phase in measured.phases):
            yield Missing(metric=f"phases.{stage.value}", reason="not_collected", detail=detail)


def _absent_in(phase: Phase) -> Iterator[Missing]:
    where = f"phases.{phase.name}"
    if phase.total_s is None:
        yield Missing(metric=f"{where}.total_s", reason="not_collected")
    if phase.batch_time_s is None:
        yield Missing(
            metric=f"{where}.batch_time_s",
            reason="not_collected",
            detail="no batch of this phase was timed",
        )
    if phase.samples is None:
        yield Missing(
            metric=f"{where}.samples",
            reason="not_collected",
            detail=(
                "nothing tells for certain how many samples each batch held; "
                "self.log(..., batch_size=...) would"
            ),
        )


def _absent_readings(measured: Measured) -> Iterator[Missing]:
    """Tell once for all phases what the system doesn't count of reading, in recorded runs."""
    phases = [phase for phase in measured.whole_phases if measured.run.info.source == "recorder"]
    if any(phase.disk_read_bytes is None for phase in phases):
        yield Missing(
            metric="disk_read_bytes",
            reason="not_collected",
            detail="the system or its container doesn't tell what a process reads "
            "(/proc/self/io), a pass was cut short, or an earlier version recorded the run",
        )
    if any(phase.disk_wait_s is None for phase in phases):
        yield Missing(
            metric="disk_wait_s",
            reason="not_collected",
            detail="the kernel counts how long threads wait for disks only where "
            "kernel.task_delayacct is 1",
        )


def _absent_processor_time(measured: Measured) -> Iterator[Missing]:
    """Tell once for all phases what isn't known of processor time, in recorded runs."""
    phases = [phase for phase in measured.whole_phases if measured.run.info.source == "recorder"]
    why = "a pass was cut short, or an earlier version recorded the run"
    if any(phase.cpu_s is None for phase in phases):
        yield Missing(metric="cpu_s", reason="not_collected", detail=why)
    if any(phase.thread_s is None for phase in phases):
        yield Missing(
            metric="thread_s",
            reason="not_collected",
            detail=f"only Linux tells how long a thread ran, {why}",
        )
    if any(phase.queued_s is None for phase in phases):
        yield Missing(
            metric="queued_s",
            reason="not_collected",
            detail=f"only Linux tells how long a thread stood ready for a core, {why}",
        )


def _absent_of_workers(measured: Measured) -> Iterator[Missing]:
    for workers in measured.workers:
        if workers.startup_mean_s is None:
            yield Missing(
                metric=f"workers.{workers.phase}.startup_mean_s",
                reason="not_collected",
                detail="another stage started these workers, or their start was lost",
            )
        if not workers.slowest_samples:
            yield Missing(
                metric=f"workers.{workers.phase}.slowest_samples",
                reason="not_collected",
                detail="samples are timed where a loader takes them one by one, by their number: "
                "not from a stream, not where the dataset makes a whole batch (__getitems__)",
            )


def _absent_sections(measured: Measured) -> Iterator[Missing]:
    if measured.train_vs_validation is None:
        yield Missing(
            metric="train_vs_validation",
            reason="not_collected",
            detail="needs times for both training and validation",
        )
    if measured.start is None:
        yield Missing(
            metric="start",
            reason="not_collected",
            detail="only the recorder knows what passed before the first batch",
        )
    if measured.goodput is None:
        yield Missing(
            metric="goodput",
            reason="not_collected",
            detail="needs recorded training batches and the length of the run",
        )
    if measured.environment.cpu_limit_held_s is None and measured.run.info.source == "recorder":
        yield Missing(
            metric="environment.volatile.cpu_limit_held_s",
            reason="not_collected",
            detail="no processor limit of a container was found, or its counters are hidden",
        )
    if measured.memory is None:
        yield Missing(metric="memory", reason="not_collected")
        return
    if measured.memory.process_tree_pss_bytes is None and measured.run.info.source == "recorder":
        yield Missing(
            metric="memory.process_tree_pss_bytes",
            reason="not_collected",
            detail="read only on Linux, and not in the first five seconds of a run",
        )
    if measured.memory.accelerator is None:
        yield Missing(
            metric="memory.accelerator",
            reason="not_collected",
            detail="no CUDA device was in use, or its peaks were not logged",
        )
    elif all(phase.accelerator_utilization is None for phase in measured.phases):
        yield Missing(
            metric="accelerator_utilization",
            reason="not_collected",
            detail="the driver was not asked: pip install 'ocr-baseline[nvml]'",
        )
