"""The batch is small for the accelerator: most of its memory is unused, and it is not busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.accelerator_idle import queueing_lines, too_few_samples
from ocr_baseline.analysis.findings.catalogue import SMALL_BATCH
from ocr_baseline.analysis.findings.rule import bytes_evidence, share_of
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import AcceleratorMemory, Phase, Utilization


def small_batch(measured: Measured) -> Iterator[Finding | Silence]:
    """Find a training that could take larger batches and doesn't wait for data."""
    phase = measured.phase("train")
    memory = None if measured.memory is None else measured.memory.accelerator
    use = None if phase is None else phase.accelerator_utilization
    if phase is None or memory is None or use is None or use.p95_percent is None:
        return
    used = _used_share(memory)
    is_small = use.p95_percent < SMALL_BATCH["busy"] and (used or 1.0) < SMALL_BATCH["memory"]
    if used is None or not is_small or share_of(phase, _wait_s(phase)) >= SMALL_BATCH["wait"]:
        return
    yield too_few_samples(SMALL_BATCH, phase, use) or _finding(measured, phase, use, memory)


def _used_share(memory: AcceleratorMemory) -> float | None:
    if memory.reserved_peak_bytes is None or not memory.total_bytes:
        return None
    return memory.reserved_peak_bytes / memory.total_bytes


def _wait_s(phase: Phase) -> float:
    lines = (line_of(phase, name.value) for name in (Line.DATA_WAIT, Line.LOADER_STARTUP))
    return sum(line.total_s for line in lines if line is not None)


def _finding(
    measured: Measured, phase: Phase, use: Utilization, memory: AcceleratorMemory
) -> Finding:
    used = _used_share(memory) or 0.0
    where = "memory.accelerator"
    size = measured.environment.batch_size
    return Finding(
        id=SMALL_BATCH.id,
        severity="low",
        title=f"The batch is small for the accelerator: training uses {used:.0%} of its memory "
        f"and keeps it busy {use.mean_percent:.0f}% of the time",
        evidence=[
            Evidence(
                metric="phases.train.accelerator_utilization.p95_percent",
                value=use.p95_percent or 0.0,
                unit="percent",
            ),
            bytes_evidence(f"{where}.reserved_peak_bytes", memory.reserved_peak_bytes or 0.0),
            bytes_evidence(f"{where}.total_bytes", memory.total_bytes or 0.0),
            *(
                []
                if size is None
                else [
                    Evidence(metric="environment.identity.batch_size", value=size, unit="samples")
                ]
            ),
        ],
        advice="Try a larger batch size, with a learning rate that fits it: its steps do more for "
        "the same calls. It changes the training, so compare what the model learns too.",
        lines=queueing_lines(phase),
    )
