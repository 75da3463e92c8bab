"""A fixed line of the breakdown takes too much of a stage: one rule for each line of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import (
    HIGHLY,
    MODERATELY,
    seconds_evidence,
    severity_of,
    share_evidence,
    too_few_batches,
)
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.replay.main_thread import main_thread_saving
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, Evidence, Phase

NAMED_PART = 0.5
SHOWN_PARTS = 3


@dataclass(frozen=True, kw_only=True)
class HeavyLine:
    """A line, the shares of the stage from which it is a finding, and what to do about it."""

    line: Line
    rule: str
    subject: str
    advice: str
    medium: float = MODERATELY
    high: float = HIGHLY


HEAVY_LINES = (
    HeavyLine(
        line=Line.TRANSFER,
        rule="transfer-bound",
        subject="moving batches to the device",
        advice="Pin the loader's memory (pin_memory=True) so that copies overlap with work, send "
        "smaller types (uint8 images, converted on the device), and leave out what the step does "
        "not use.",
    ),
    HeavyLine(
        line=Line.OPTIMIZER,
        rule="heavy-optimizer",
        subject="the optimizer",
        advice="Use the optimizer's fused or foreach implementation, accumulate gradients over "
        "more batches, or clip them less often.",
        medium=0.20,
        high=0.40,
    ),
    HeavyLine(
        line=Line.METRICS,
        rule="heavy-metrics",
        subject="metrics",
        advice="Collect predictions at each batch and compute the metric once an epoch, on fewer "
        "samples, or with a faster implementation of its slowest part; sections inside it will "
        "name that part.",
    ),
    HeavyLine(
        line=Line.LOGGING,
        rule="heavy-logging",
        subject="logging",
        advice="Log less often (log_every_n_steps, on_epoch instead of on_step), fewer values, and "
        "no images or histograms at every batch.",
    ),
    HeavyLine(
        line=Line.CHECKPOINT,
        rule="heavy-checkpoint",
        subject="writing checkpoints",
        advice="Save less often (every_n_epochs), only the weights (save_weights_only=True), or to "
        "a faster disk.",
    ),
    HeavyLine(
        line=Line.CALLBACKS,
        rule="heavy-callbacks",
        subject="callbacks",
        advice="Let the callback act at fewer batches, or move its work to the epoch's end.",
    ),
    HeavyLine(
        line=Line.MODULE_HOOKS,
        rule="heavy-module-hooks",
        subject="the LightningModule's own hooks",
        advice="This is time in the module's hooks around its steps (on_*_batch_start, on_*_end "
        "and the like); put a section around their parts to see which is slow, and do per epoch "
        "what need not be done per batch.",
    ),
)


def heavy_lines(measured: Measured) -> Iterator[Finding | Silence]:
    """Find lines that take more of a stage than overhead should.

    Moving data, metrics, logging, checkpoints, callbacks and hooks: medium at 5%, high at 20% of
    the stage, as XProf's input-pipeline analyzer judges time in which the model's own work waits.
    The optimizer is part of that work: medium at 20%, high at 40%, this project's choice (it
    touches each parameter a fixed number of times, forward and backward once a sample).
    """
    for phase in measured.whole_phases:
        for kind in HEAVY_LINES:
            line = line_of(phase, kind.line.value)
            if line is None or (line.share or 0.0) < kind.medium:
                continue
            silence = too_few_batches(kind.rule, phase)
            yield silence if silence is not None else _finding(measured, phase, kind, line)


def _finding(measured: Measured, phase: Phase, kind: HeavyLine, line: BreakdownLine) -> Finding:
    share = line.share or 0.0
    where = f"phases.{phase.name}.breakdown.{line.name}"
    evidence = [
        share_evidence(phase, line.name, share),
        seconds_evidence(f"{where}.total_s", line.total_s),
    ]
    if line.per_batch_s is not None:
        evidence.append(seconds_evidence(f"{where}.per_batch_s", line.per_batch_s))
    evidence.extend(_parts(where, line))
    subject = kind.subject
    if line.parts and line.parts[0].total_s >= NAMED_PART * line.total_s:
        subject = f"{kind.subject}, above all {line.parts[0].name}"
    saving_s, basis = main_thread_saving(measured, phase, line.name, line.total_s, "without it")
    return Finding(
        id=f"{kind.rule}:{phase.name}",
        severity=severity_of(share, kind.medium, kind.high),
        title=f"Much of {phase.name} goes into {subject}",
        evidence=evidence,
        estimated_saving_s=saving_s,
        saving_basis=basis,
        advice=kind.advice,
    )


def _parts(where: str, line: BreakdownLine) -> list[Evidence]:
    return [
        seconds_evidence(f"{where}.parts.{part.name}.total_s", part.total_s)
        for part in line.parts[:SHOWN_PARTS]
    ]
