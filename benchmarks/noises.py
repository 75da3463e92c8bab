"""How runs of equal code differ: kinds of noise that people's machines show, drawn at random.

A layout says of each run, in the order of time, on which side it is and in which sitting. A noise
gives the logarithm of each run's time for a number of draws at once: an array (draws, runs).
Nothing here is shared with what judges the runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """The runs of both sides in the order of time: `is_new` and `sitting`, an entry for each."""

    is_new: tuple[bool, ...]
    sitting: tuple[int, ...]

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self.is_new)


def in_turns(runs: int, sittings: int = 1) -> Layout:
    """So many runs of each side in each sitting, A B B A and so on through all of them."""
    order = tuple(turn % 4 in (1, 2) for turn in range(2 * runs * sittings))
    return Layout(order, _numbers([2 * runs] * sittings))


def history(base: int, new: int, runs_a_sitting: int = 1) -> Layout:
    """So many sittings of the base, then one of the new side."""
    sizes = [*[runs_a_sitting] * base, new]
    is_new = [False] * (base * runs_a_sitting) + [True] * new
    return Layout(tuple(is_new), _numbers(sizes))


def days(runs: int) -> Layout:
    """A run a sitting, sides in turns from sitting to sitting."""
    order = [turn % 4 in (1, 2) for turn in range(2 * runs)]
    return Layout(tuple(order), tuple(range(2 * runs)))


def _numbers(sizes: list[int]) -> tuple[int, ...]:
    return tuple(number for number, size in enumerate(sizes) for _ in range(size))


Noise = Callable[[np.random.Generator, Layout, int], "Values"]


def normal(spread: float) -> Noise:
    """Every run by itself, normal on the logarithms."""
    return lambda rng, layout, draws: rng.normal(0, spread, (draws, layout.runs))


def neighbour(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """2%, and a tenth of the runs 10 to 40% slow, because something else ran."""
    slow = np.log(rng.uniform(1.1, 1.4, (draws, layout.runs)))
    is_slow = rng.random((draws, layout.runs)) < 0.1
    return normal(0.02)(rng, layout, draws) + np.where(is_slow, slow, 0.0)


def heavy(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """Student's t with three degrees of freedom, a standard deviation of 2%."""
    return 0.02 / math.sqrt(3) * rng.standard_t(3, (draws, layout.runs))


def skewed(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """Lognormal delays: most runs a little slow, few of them much, a standard deviation of 2%."""
    delay = np.exp(rng.normal(0, 0.9, (draws, layout.runs)))
    return np.asarray(0.02 * delay / math.sqrt((math.exp(0.81) - 1) * math.exp(0.81)))


def two_states(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """1%, and half of the runs 5% slower, as with two memory layouts."""
    state = rng.random((draws, layout.runs)) < 0.5
    return normal(0.01)(rng, layout, draws) + np.where(state, math.log(1.05), 0.0)


def unequal(base: float, new: float) -> Noise:
    """Each side with a spread of its own."""

    def noise(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
        spread = np.where(layout.is_new, new, base)
        return np.asarray(rng.normal(0, 1, (draws, layout.runs)) * spread)

    return noise


def rounded(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """2%, read from a clock that ticks every 2%."""
    times = 1 + normal(0.02)(rng, layout, draws)
    return np.log(np.round(times / 0.02) * 0.02)


def drifting(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """1%, and each sitting ends 6% slower than it began, as a machine that warms up."""
    sitting = np.asarray(layout.sitting)
    share = np.zeros(layout.runs)
    for number in set(layout.sitting):
        places = np.flatnonzero(sitting == number)
        share[places] = np.linspace(0, 1, len(places)) if len(places) > 1 else 0.5
    return np.asarray(normal(0.01)(rng, layout, draws) + 0.06 * share)


def sittings(offset: float, within: float = 0.01) -> Noise:
    """Runs of a sitting share an offset, normal on the logarithms."""

    def noise(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
        shared = rng.normal(0, offset, (draws, max(layout.sitting) + 1))
        return np.asarray(shared[:, layout.sitting] + normal(within)(rng, layout, draws))

    return noise


def sitting_states(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """1%, and all runs of every other sitting, at random, are 5% slower."""
    state = rng.random((draws, max(layout.sitting) + 1)) < 0.5
    offset = np.where(state, math.log(1.05), 0.0)[:, layout.sitting]
    return np.asarray(offset + normal(0.01)(rng, layout, draws))


def lasting(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """2%, and each run half as far off as the one before it: AR(1) with 0.5."""
    found = rng.normal(0, 0.02, (draws, layout.runs))
    for place in range(1, layout.runs):
        found[:, place] = 0.5 * found[:, place - 1] + math.sqrt(0.75) * found[:, place]
    return found


def moved(share: float, change: float) -> Noise:
    """2%, and the first `share` of the base at a level that has changed since by `change`."""

    def noise(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
        base = layout.runs - sum(layout.is_new)
        is_old = np.arange(layout.runs) < share * base
        return np.asarray(
            normal(0.02)(rng, layout, draws) - np.where(is_old, math.log1p(change), 0.0)
        )

    return noise


def creeping(rng: np.random.Generator, layout: Layout, draws: int) -> Values:
    """2%, and each run 0.3% slower than the one before it, until the new ones."""
    base = layout.runs - sum(layout.is_new)
    place = np.minimum(np.arange(layout.runs), base - 1)
    return np.asarray(normal(0.02)(rng, layout, draws) + 0.003 * (place - base + 1))


def batches(rng: np.random.Generator, runs: int, spread: float) -> Values:
    """Return the logarithms of 2,000 batches of each run: AR(1) with 0.8 around the run's level."""
    found = rng.normal(0, 0.03, (runs, 2000))
    for place in range(1, found.shape[1]):
        found[:, place] += 0.8 * found[:, place - 1]
    return found + rng.normal(0, spread, (runs, 1))


NOISES: dict[str, Noise] = {
    "normal, 2%": normal(0.02),
    "normal, 5%": normal(0.05),
    "noisy neighbour": neighbour,
    "heavy tails (t3), 2%": heavy,
    "skewed, 2%": skewed,
    "two states, 5% apart": two_states,
    "base 1%, new 5%": unequal(0.01, 0.05),
    "base 5%, new 1%": unequal(0.05, 0.01),
    "a clock of 2% ticks": rounded,
    "6% slower by the sitting's end": drifting,
    "sittings 2% apart": sittings(0.02),
    "sittings 3% apart": sittings(0.03),
    "sittings of two states": sitting_states,
    "each like the one before": lasting,
}
"""Noises of equal code, for every design."""
MOVED: dict[str, Noise] = {
    "first quarter 20% slower, since fixed": moved(0.25, -1 + 1 / 1.2),
    "last quarter 10% slower, not accepted": moved(0.75, 0.1),
    "creeping, 0.3% a run": creeping,
}
"""Histories that moved: the new runs are of the latest code."""
