"""How often a history shows a change point: none there, one there; ours and Apache Otava's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import noises
from benchmarks.noises import NOISES
from benchmarks.tables import print_table
from ocr_baseline.comparison import drift
from ocr_baseline.comparison.metrics import BY_KEY

if TYPE_CHECKING:
    from benchmarks.noises import Noise, Values

MARGIN = BY_KEY["train.batch_time"].margin_at(1.0)
LENGTHS = (20, 40, 100)
RUNS_A_SITTING = (1, 5)
BEFORE = 30
AFTER = (3, 5, 8, 10)
NEAR = 3

Finder = Callable[[Sequence[float]], list[int]]


def ours(values: Sequence[float]) -> list[int]:
    """Return where `trend` finds that the level of the sittings' means moved."""
    return drift.change_points(values, MARGIN)


def otava(values: Sequence[float]) -> list[int]:
    """Return Otava's change points, of at least the margin, at its tool's p < 0.001.

    All is one window: where windows overlap, version 0.8.0 can meet a point twice, and fails.
    """
    compute = import_module("otava.analysis").compute_change_points
    points, _ = compute(np.exp(values), 2 * len(values), 0.001, math.expm1(MARGIN))
    return [point.index for point in points]


def finders() -> dict[str, Finder]:
    """Return what is compared: Otava where it is installed."""
    found: dict[str, Finder] = {"ours": ours}
    return found | ({"Otava": otava} if find_spec("otava") else {})


def false_share(
    noise: Noise, sittings: int, runs: int, draws: int, seed: int, find: Finder
) -> float:
    """Return the share of histories of equal code with a change point."""
    rng = np.random.default_rng([seed, sittings, runs])
    rows = _means(noise, sittings, runs, draws, rng)
    return sum(bool(find(row.tolist())) for row in rows) / draws


def found_share(
    noise: Noise, change: float, after: int, draws: int, seed: int, find: Finder
) -> float:
    """Return the share of histories in which a step after 30 sittings is found where it is."""
    rng = np.random.default_rng([seed, after])
    rows = _means(noise, BEFORE + after, 1, draws, rng)
    rows[:, BEFORE:] += math.log1p(change)
    found = (find(row.tolist()) for row in rows)
    return sum(any(abs(p - BEFORE) <= NEAR for p in points) for points in found) / draws


def _means(noise: Noise, sittings: int, runs: int, draws: int, rng: np.random.Generator) -> Values:
    logs = noise(rng, noises.history(sittings, 0, runs), draws)
    return np.asarray(logs.reshape(draws, sittings, runs).mean(axis=2))


def report(draws: int, seed: int) -> None:
    """Print both tables."""
    tools = finders()
    print("\nHistories of equal code with a change point, % (sittings of one run, of five)\n")
    header = [f"{name}, {n} x {runs}" for name in tools for n in LENGTHS for runs in RUNS_A_SITTING]
    rows = [
        [
            name,
            *(
                f"{100 * false_share(noise, n, runs, draws, seed, find):.1f}"
                for find in tools.values()
                for n in LENGTHS
                for runs in RUNS_A_SITTING
            ),
        ]
        for name, noise in NOISES.items()
    ]
    print_table(["noise", *header], rows)
    print("\nA step after 30 runs a day, found within so many days after it, %\n")
    header = [f"{name}, {after}" for name in tools for after in AFTER]
    rows = [
        [
            f"{name}, {change:+.0%}",
            *(
                f"{100 * found_share(NOISES[name], change, after, draws, seed, find):.0f}"
                for find in tools.values()
                for after in AFTER
            ),
        ]
        for name in ("normal, 2%", "normal, 5%", "noisy neighbour", "sittings 3% apart")
        for change in (0.07, 0.10)
    ]
    print_table(["noise, step", *header], rows)
