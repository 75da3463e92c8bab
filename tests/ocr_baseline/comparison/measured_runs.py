"""Baselines and summaries of runs whose true times the test chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from pydantic import JsonValue

from ocr_baseline.comparison.summary import RunSummary, summarize
from ocr_baseline.model.document import (
    Baseline,
    BreakdownLine,
    Distribution,
    Environment,
    Generator,
    Measurement,
    Memory,
    MemoryUse,
    Phase,
    Workload,
)
from ocr_baseline.model.run import RunInfo
from ocr_baseline.vocabulary import PhaseName, RunStatus

STARTED_AT = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
IDENTITY: dict[str, JsonValue] = {
    "cpu_model": "Example CPU",
    "cpu_count": 2,
    "torch": "2.14.1",
    "num_workers": 1,
}
CONFIG: dict[str, JsonValue] = {"data": {"batch_size": 4, "num_workers": 1}, "model": {"k": 50}}
LINES_S = {"forward": 0.06, "metrics": 0.03, "data_wait": 0.01}
BATCHES = 100


def baseline(
    number: int = 0,
    *,
    lines_s: dict[str, float] | None = None,
    factor: float = 1.0,
    rss_bytes: float | None = 1e9,
    identity: dict[str, JsonValue] | None = None,
    volatile: dict[str, JsonValue] | None = None,
    config: dict[str, JsonValue] | None = None,
    workload: Workload | None = None,
    measurement: Measurement | None = None,
    status: RunStatus = "finished",
    phases: Sequence[PhaseName] = ("train",),
    minutes: float | None = None,
) -> Baseline:
    """A run of `BATCHES` batches of 0.1 s times `factor`.

    `number` tells runs apart: each begins an hour after the one before, in a sitting of its own,
    unless `minutes` says when.
    """
    times_s = {name: time_s * factor for name, time_s in (lines_s or LINES_S).items()}
    batch_s = math.fsum(times_s.values())
    memory = None
    if rss_bytes is not None:
        memory = Memory(process_tree_rss_bytes=MemoryUse(peak=rss_bytes))
    return Baseline(
        generated_at=STARTED_AT,
        generator=Generator(name="ocr-baseline", version="1.0"),
        run=RunInfo(
            source="recorder",
            status=status,
            id=f"run-{number}",
            name=f"run-{number}",
            started_at=STARTED_AT + timedelta(minutes=60 * number if minutes is None else minutes),
        ),
        environment=Environment(
            identity=IDENTITY if identity is None else identity, volatile=volatile or {}
        ),
        workload=workload or Workload(config=config or CONFIG),
        measurement=measurement or Measurement(),
        phases=[_phase(name, batch_s, times_s) for name in phases],
        memory=memory,
    )


def _phase(name: PhaseName, batch_s: float, times_s: dict[str, float]) -> Phase:
    return Phase(
        name=name,
        epochs=1,
        batches=BATCHES,
        samples=4 * BATCHES,
        total_s=batch_s * BATCHES,
        batch_time_s=Distribution(count=BATCHES, median=batch_s, p95=1.2 * batch_s),
        batch_time_scope="steady batches",
        sample_time_s=batch_s / 4,
        throughput_samples_per_s=4 / batch_s,
        breakdown=[
            BreakdownLine(
                name=line, total_s=time_s * BATCHES, share=time_s / batch_s, per_batch_s=time_s
            )
            for line, time_s in times_s.items()
        ],
    )


def run(number: int = 0, **changes: Any) -> RunSummary:
    """The summary of one such run."""
    return summarize(baseline(number, **changes))


def runs(
    count: int, *, slower: float = 0.0, spread: float = 0.02, first: int = 0
) -> list[RunSummary]:
    """Runs whose times spread as a normal sample of that size typically does.

    The deviations are the quantiles of the normal distribution in a shuffled order, so that no
    test depends on luck.
    """
    from scipy.stats import norm

    quantiles = norm.ppf((np.arange(count) + 0.5) / count)
    deviations = quantiles / (quantiles.std(ddof=1) if count > 1 else 1.0)
    np.random.default_rng(first).shuffle(deviations)
    return [
        run(first + i, factor=(1 + slower) * math.exp(spread * deviation), rss_bytes=None)
        for i, deviation in enumerate(deviations)
    ]
