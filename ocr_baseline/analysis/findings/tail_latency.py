"""Some batches in twenty take much longer than the usual one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.findings.catalogue import TAIL_LATENCY
from ocr_baseline.analysis.findings.excess import line_behind
from ocr_baseline.analysis.findings.rule import (
    seconds_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.phases.steady_loaders import steady_loaders
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.steady_loaders import SteadyLoader


def tail_latency(measured: Measured) -> Iterator[Finding | Silence]:
    """Find loaders whose 95th percentile is far above their median.

    Removing the tail means that the batches beyond the limit take the median.
    """
    for loader in steady_loaders(measured):
        durations_s = loader.durations_s
        silence = too_few_batches(
            TAIL_LATENCY, loader.phase, int(TAIL_LATENCY["batches"]), len(durations_s)
        )
        if silence is not None:
            yield silence
            continue
        median_s, p95_s = (float(value) for value in np.percentile(durations_s, [50, 95]))
        if p95_s >= TAIL_LATENCY["slow"] * median_s:
            yield _finding(loader, median_s, p95_s)


def _finding(loader: SteadyLoader, median_s: float, p95_s: float) -> Finding:
    slow = loader.rows & (loader.table.duration_s >= TAIL_LATENCY["slow"] * median_s)
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
        "No line of the breakdown makes up most of the difference: look at what else ran "
        "on the machine, and at the size of the batches."
    )
    if cause is not None:
        evidence.append(seconds_evidence(f"{where}.slow_excess.{cause.line}", cause.excess_s))
        advice = (
            f"The slow batches spend their extra time in {cause.line}: find what makes it vary, "
            "such as the size of the samples, work that only some batches do, or other work on the "
            "machine."
        )
    return Finding(
        id=f"{TAIL_LATENCY.id}:{loader.label}",
        severity=TAIL_LATENCY.severity(share_of(loader.phase, saving_s)),
        title=title(
            f"some {loader.words} batches are slow", by=None if cause is None else cause.line
        ),
        evidence=evidence,
        estimated_saving_s=saving_s,
        saving_basis=f"the batches above {TAIL_LATENCY['slow']} times the median take the median",
        advice=advice,
    )
