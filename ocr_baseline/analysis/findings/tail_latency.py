"""Some batches in twenty take much longer than the usual one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.findings.excess import line_behind
from ocr_baseline.analysis.findings.rule import seconds_evidence, severity_of, too_few_batches
from ocr_baseline.analysis.phases.steady_loaders import steady_loaders
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.steady_loaders import SteadyLoader

RULE = "tail-latency"
MIN_BATCHES = 20
SLOW = 1.5


def tail_latency(measured: Measured) -> Iterator[Finding | Silence]:
    """Find loaders whose 95th percentile is 1.5 times their median or more.

    Half as much again is the distance from the centre at which pyperf calls a value unstable.
    Below 20 batches the 95th percentile lies between the two slowest. Removing the tail means that
    the batches beyond that limit take the median; severity follows what that saves of the stage
    (medium at 5%, high at 20%, as in all shares of time). A line is named where it makes up 80% of
    what the slow batches take longer.
    """
    for loader in steady_loaders(measured):
        durations_s = loader.durations_s
        silence = too_few_batches(RULE, loader.phase, MIN_BATCHES, len(durations_s))
        if silence is not None:
            yield silence
            continue
        median_s, p95_s = (float(value) for value in np.percentile(durations_s, [50, 95]))
        if p95_s >= SLOW * median_s:
            yield _finding(loader, median_s, p95_s)


def _finding(loader: SteadyLoader, median_s: float, p95_s: float) -> Finding:
    slow = loader.rows & (loader.table.duration_s >= SLOW * median_s)
    saving_s = float((loader.table.duration_s[slow] - median_s).sum())
    cause = line_behind(loader.table, slow, loader.rows & ~slow)
    where = f"phases.{loader.label}.batch_time_s"
    evidence = [
        seconds_evidence(f"{where}.p95", p95_s),
        seconds_evidence(f"{where}.median", median_s),
        Evidence(
            metric=f"{where}.slow_share", value=float(slow.sum() / loader.rows.sum()), unit="share"
        ),
    ]
    advice = (
        "No line of the breakdown makes up most of the difference: look at what else ran on the "
        "machine, and at the size of the batches."
    )
    if cause is not None:
        evidence.append(seconds_evidence(f"{where}.slow_excess.{cause.line}", cause.excess_s))
        advice = (
            f"In the slow batches the extra time is in {cause.line}: find what makes it vary, such "
            "as the size of the samples, work that is done at some batches only, or other work on "
            "the machine."
        )
    return Finding(
        id=f"{RULE}:{loader.label}",
        severity=severity_of(saving_s / loader.phase.total_s if loader.phase.total_s else 0.0),
        title=f"Slow batches in {loader.label}" + ("" if cause is None else f", for {cause.line}"),
        evidence=evidence,
        estimated_saving_s=saving_s,
        saving_basis="the batches above 1.5 times the median take the median",
        advice=advice,
    )
