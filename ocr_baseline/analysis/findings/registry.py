"""The rules in force, and their order in the report: what saves most comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_utilization import accelerator_utilization
from ocr_baseline.analysis.findings.cold_first_pass import cold_first_pass
from ocr_baseline.analysis.findings.costly_step_code import costly_step_code
from ocr_baseline.analysis.findings.cpu_limit import cpu_limit
from ocr_baseline.analysis.findings.device_data_wait import device_data_wait
from ocr_baseline.analysis.findings.dominant_function import dominant_function
from ocr_baseline.analysis.findings.garbage import garbage_collection
from ocr_baseline.analysis.findings.handover import handover
from ocr_baseline.analysis.findings.host_bound import host_bound
from ocr_baseline.analysis.findings.implicit_synchronization import implicit_synchronization
from ocr_baseline.analysis.findings.lines import lines
from ocr_baseline.analysis.findings.low_mfu import low_mfu
from ocr_baseline.analysis.findings.memory import accelerator_memory, fragmentation, memory_growth
from ocr_baseline.analysis.findings.noisy_machine import noisy_machine
from ocr_baseline.analysis.findings.one_cause import one_cause_each
from ocr_baseline.analysis.findings.operations import dominant_operation, worker_operation
from ocr_baseline.analysis.findings.out_of_memory import out_of_memory
from ocr_baseline.analysis.findings.outside_stages import outside_stages
from ocr_baseline.analysis.findings.profiler_cost import profiler_cost
from ocr_baseline.analysis.findings.restarted_workers import restarted_workers
from ocr_baseline.analysis.findings.rule import Rule, Silence
from ocr_baseline.analysis.findings.slow_batches import outlier_batches, tail_latency
from ocr_baseline.analysis.findings.slow_start import slow_start
from ocr_baseline.analysis.findings.slowing_down import slowing_down
from ocr_baseline.analysis.findings.small_batch import small_batch
from ocr_baseline.analysis.findings.straggler import straggler_rank
from ocr_baseline.analysis.findings.synchronizing_calls import synchronizing_calls
from ocr_baseline.analysis.findings.thread_oversubscription import (
    main_thread_oversubscription,
    thread_oversubscription,
)
from ocr_baseline.analysis.findings.validation_slower import validation_slower
from ocr_baseline.analysis.findings.worker_count import too_few_workers, too_many_workers

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Finding

RULES: tuple[Rule, ...] = (
    validation_slower,
    dominant_operation,
    dominant_function,
    costly_step_code,
    lines,
    handover,
    restarted_workers,
    cold_first_pass,
    garbage_collection,
    worker_operation,
    too_few_workers,
    too_many_workers,
    thread_oversubscription,
    main_thread_oversubscription,
    straggler_rank,
    tail_latency,
    outlier_batches,
    slowing_down,
    slow_start,
    outside_stages,
    accelerator_memory,
    out_of_memory,
    fragmentation,
    accelerator_utilization,
    device_data_wait,
    host_bound,
    small_batch,
    synchronizing_calls,
    implicit_synchronization,
    low_mfu,
    memory_growth,
    noisy_machine,
    cpu_limit,
    profiler_cost,
)


@dataclass(frozen=True)
class Found:
    """What the rules found, ranked, and which could not judge, by reason."""

    findings: list[Finding]
    silent: list[str]


def find(measured: Measured) -> Found:
    """Run every rule; rank by what removing the cause would save, then by severity."""
    findings: list[Finding] = []
    silent: dict[str, list[str]] = {}
    for rule in RULES:
        for outcome in rule(measured):
            if isinstance(outcome, Silence):
                silent.setdefault(outcome.reason, []).append(outcome.rule)
            else:
                findings.append(outcome)
    return Found(
        findings=one_cause_each(measured, findings),
        silent=[
            f"not judged: {', '.join(dict.fromkeys(rules))} ({reason})"
            for reason, rules in silent.items()
        ],
    )
