"""Runs drawn at random: batches that resemble their neighbours, runs that differ from each other.

A run's level is lognormal; each phase differs from it a little, and both together have the given
spread. The batches of a run are its level times AR(1) noise, slow ones now and then, as in real
loops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from ocr_baseline.analysis.phases.distributions import block_means
from ocr_baseline.comparison.summary import RunSummary
from ocr_baseline.model.document import Environment, Measurement, Workload
from ocr_baseline.model.run import RunInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

STARTED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BATCH_S = {"train": 0.1, "validation": 0.04}
BATCHES = {"train": 2000, "validation": 2000}
SAMPLES_A_BATCH = 4
CORRELATION = 0.8
BATCH_NOISE = 0.05
OWN_SPREAD_SHARE = 0.3
MEMORY_BYTES = 2e9
MEMORY_SPREAD = 0.003
SLOW_SHARE = 0.01
SLOW_FACTOR = 3.0


@dataclass(frozen=True)
class SimulatedRun:
    """What a comparison sees of a run, and its batches, which only naive tests look at."""

    summary: RunSummary
    train_batches_s: NDArray[np.float64]


class Machine:
    """Makes runs whose spread between runs is that of the machine."""

    def __init__(self, seed: int, spread: float) -> None:
        """Start a machine with a random generator of its own."""
        self._rng = np.random.default_rng(seed)
        self._spread = spread
        self._made = 0

    def runs(self, count: int, slower: float = 0.0) -> list[SimulatedRun]:
        """Return runs that take `slower` (a share) longer than usual."""
        return [self._run(slower) for _ in range(count)]

    def _run(self, slower: float) -> SimulatedRun:
        self._made += 1
        own = OWN_SPREAD_SHARE * self._spread
        level = self._rng.normal(0, math.sqrt(self._spread**2 - own**2))
        batches = {
            phase: (1 + slower)
            * math.exp(level + self._rng.normal(0, own))
            * self._batches(BATCHES[phase])
            * batch_s
            for phase, batch_s in BATCH_S.items()
        }
        values: dict[str, float] = {
            "memory.peak_rss": MEMORY_BYTES * math.exp(self._rng.normal(0, MEMORY_SPREAD))
        }
        for phase, times_s in batches.items():
            values[f"{phase}.batch_time"] = float(np.median(times_s))
            values[f"{phase}.batch_time_p95"] = float(np.percentile(times_s, 95))
            values[f"{phase}.sample_time"] = float(times_s.mean()) / SAMPLES_A_BATCH
        return SimulatedRun(
            summary=RunSummary(
                label=f"run {self._made}",
                content=str(self._made),
                info=RunInfo(
                    source="recorder", started_at=STARTED_AT + timedelta(minutes=self._made)
                ),
                environment=Environment(identity={"machine": "simulated"}),
                workload=Workload(),
                measurement=Measurement(),
                values=values,
                block_means_s={"train": block_means(batches["train"])},
            ),
            train_batches_s=batches["train"],
        )

    def _batches(self, count: int) -> NDArray[np.float64]:
        innovation = self._rng.normal(0, BATCH_NOISE * math.sqrt(1 - CORRELATION**2), count)
        noise: NDArray[np.float64] = lfilter([1.0], [1.0, -CORRELATION], innovation)
        slow = np.where(self._rng.random(count) < SLOW_SHARE, SLOW_FACTOR, 1.0)
        result: NDArray[np.float64] = np.exp(noise) * slow
        return result
