"""How often a verdict is wrong, and how often a change is found: ours beside two naive tests.

Simulated runs with autocorrelated batches and a spread between runs. The gate calls a regression
when any of its five metrics is one; the same for the median training batch alone stands below it.
The naive tests look at the training batches: Mann-Whitney at 5% on all batches of both sides, and
a fixed 5% of the medians.

    python benchmarks/verdicts.py [--trials 1000] [--spread 0.02] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from rich.progress import track
from scipy.stats import mannwhitneyu

from benchmarks.simulated_runs import Machine, SimulatedRun
from benchmarks.tables import Goal, print_table
from ocr_baseline.comparison.calibration import Calibration, calibrate
from ocr_baseline.comparison.comparison import MetricComparison, compare
from ocr_baseline.comparison.drift import change_points
from ocr_baseline.comparison.options import Options

TRIALS = 1000
SPREAD = 0.02
CHANGES = (0.0, 0.10, -0.10)
CALIBRATION_RUNS = 10
HISTORY_FOR_DRIFT = 40
HISTORIES = 10_000
"""Change points are rare: of 1,000 histories, chance finds 3 or 15 where 9 are due."""
NAIVE_LEVEL = 0.05
NAIVE_PERCENT = 0.05
MAX_FALSE_REGRESSIONS = 0.05
MAX_FALSE_OF_SINGLE_RUNS = 0.01
MAX_MISSED = 0.10

OUR_TESTS = ("the gate", "one metric")
TESTS = (*OUR_TESTS, "Mann-Whitney on batches", "5 % of the medians")


@dataclass(frozen=True)
class Design:
    """How many runs a side, and whether a calibration is at hand."""

    name: str
    base: int
    new: int
    is_calibrated: bool = False
    is_paired: bool = False


DESIGNS = (
    Design("1 v 1", 1, 1),
    Design("1 v 1, calibrated", 1, 1, is_calibrated=True),
    Design("3 v 3", 3, 3),
    Design("5 v 5", 5, 5),
    Design("5 v 5, paired", 5, 5, is_paired=True),
    Design("5 v 5, calibrated", 5, 5, is_calibrated=True),
    Design("10 v 10", 10, 10),
    Design("history of 8", 8, 1),
    Design("history of 20", 20, 1),
)


PLAIN_DESIGNS = tuple(d.name for d in DESIGNS if not d.is_calibrated and not d.is_paired)
"""The naive tests know neither calibrations nor pairs: elsewhere they would say the same again."""


def our_calls(
    design: Design,
    base: Sequence[SimulatedRun],
    new: Sequence[SimulatedRun],
    calibration: Calibration | None,
) -> tuple[str, str, str]:
    """Return the calls of the whole gate, of its times, and of the training batches alone."""
    options = Options(calibration=calibration, is_paired=design.is_paired)
    comparison = compare([run.summary for run in base], [run.summary for run in new], options)
    gated = [found for found in comparison.metrics if found.metric.is_gated]
    times = [found for found in gated if found.metric.unit == "s"]
    alone = [found for found in times if found.metric.key == "train.batch_time"]
    return strongest(gated), strongest(times), strongest(alone)


def strongest(metrics: Sequence[MetricComparison]) -> str:
    """Return the call that a gate on these metrics would make."""
    verdicts = {found.verdict for found in metrics}
    for verdict in ("regression", "improvement"):
        if verdict in verdicts:
            return verdict
    is_worse = any(m.verdict == "suspected" and (m.change or 0.0) > 0 for m in metrics)
    return "suspected" if is_worse else "none"


def batches_call(base: Sequence[SimulatedRun], new: Sequence[SimulatedRun]) -> str:
    """Return what Mann-Whitney says of all batches, as if they were independent."""
    before, after = (np.concatenate([r.train_batches_s for r in side]) for side in (base, new))
    p = float(mannwhitneyu(after, before).pvalue)
    if p >= NAIVE_LEVEL:
        return "none"
    return "regression" if np.median(after) > np.median(before) else "improvement"


def percent_call(base: Sequence[SimulatedRun], new: Sequence[SimulatedRun]) -> str:
    """Return what a fixed percentage says of the medians."""
    before, after = (
        float(np.mean([np.median(r.train_batches_s) for r in side])) for side in (base, new)
    )
    if after > before * (1 + NAIVE_PERCENT):
        return "regression"
    return "improvement" if after < before * (1 - NAIVE_PERCENT) else "none"


def one_trial(design: Design, change: float, spread: float, seed: int) -> tuple[str, ...]:
    """Return the calls on one draw, in the order of `TESTS`."""
    machine = Machine(seed, spread)
    calibration = None
    if design.is_calibrated:
        calibration = calibrate([run.summary for run in machine.runs(CALIBRATION_RUNS)])
    base, new = machine.runs(design.base), machine.runs(design.new, slower=change)
    gate, times, alone = our_calls(design, base, new, calibration)
    # Memory does not change in these draws: only a time can go in the wrong direction.
    ours = gate if change == 0 else times
    return ours, alone, batches_call(base, new), percent_call(base, new)


def trials(task: tuple[Design, float, float, range]) -> list[tuple[str, ...]]:
    """Return the calls on each seed of a range."""
    design, change, spread, seeds = task
    return [one_trial(design, change, spread, seed) for seed in seeds]


def false_change_points(spread: float, count: int) -> float:
    """Return in which share of histories without a change a change point is found."""
    rng = np.random.default_rng(1)
    found = [bool(change_points(rng.normal(0, spread, HISTORY_FOR_DRIFT).tolist()))
             for _ in range(count)]  # fmt: skip
    return sum(found) / count


@dataclass(frozen=True)
class Rates:
    """Shares of the trials, for one test and one design."""

    false_regression: float
    false_improvement: float
    found: float
    found_or_suspected: float
    wrong_direction: float


def rates(calls: dict[float, list[str]]) -> Rates:
    """Return the rates from the calls at each true change."""
    shares = {
        change: {call: n / len(found) for call, n in Counter(found).items()}
        for change, found in calls.items()
    }
    none, slower, faster = (shares[change] for change in CHANGES)
    return Rates(
        false_regression=none.get("regression", 0.0),
        false_improvement=none.get("improvement", 0.0),
        found=slower.get("regression", 0.0),
        found_or_suspected=slower.get("regression", 0.0) + slower.get("suspected", 0.0),
        wrong_direction=slower.get("improvement", 0.0) + faster.get("regression", 0.0),
    )


def measure(spread: float, count: int, seed: int, workers: int) -> dict[str, tuple[Rates, ...]]:
    """Return, for each design, the rates of ours and of the naive tests."""
    tasks = [
        (design, change, spread, range(start, min(start + 50, seed + count)))
        for design in DESIGNS
        for change in CHANGES
        for start in range(seed, seed + count, 50)
    ]
    calls: dict[tuple[str, float], list[tuple[str, ...]]] = {}
    with ProcessPoolExecutor(workers) as pool:
        results = track(
            pool.map(trials, tasks), total=len(tasks), description=f"spread {spread:.0%}"
        )
        for (design, change, _, _), found in zip(tasks, results, strict=True):
            calls.setdefault((design.name, change), []).extend(found)
    return {
        design.name: tuple(
            rates({change: [call[test] for call in calls[design.name, change]]
                   for change in CHANGES})
            for test in range(len(TESTS))
        )
        for design in DESIGNS
    }  # fmt: skip


def print_rates(measured: dict[str, tuple[Rates, ...]], spread: float) -> None:
    """Print a row for each design and test."""
    print(f"\nSpread between runs: {spread:.0%}\n")
    rows = [
        [
            design,
            name,
            *(
                f"{100 * value:.1f} %"
                for value in (
                    rate.false_regression,
                    rate.false_improvement,
                    rate.found,
                    rate.found_or_suspected,
                    rate.wrong_direction,
                )
            ),
        ]
        for design, by_test in measured.items()
        for name, rate in zip(TESTS, by_test, strict=True)
        if name in OUR_TESTS or design in PLAIN_DESIGNS
    ]
    header = (
        "runs", "test", "false regression", "false improvement", "+10 % found",
        "found or suspected", "wrong direction",
    )  # fmt: skip
    print_table(header, rows)


def goals(measured: dict[str, tuple[Rates, ...]], drift: float) -> list[Goal]:
    """Return what the verdicts promise at a spread of 2%."""
    ours = {design: by_test[0] for design, by_test in measured.items()}
    sets = ("5 v 5", "5 v 5, paired", "5 v 5, calibrated", "10 v 10")
    histories = ("history of 8", "history of 20")
    return [
        *(
            Goal(f"{name}: false regressions", ours[name].false_regression, MAX_FALSE_REGRESSIONS)
            for name in (*sets, *histories)
        ),
        Goal("1 v 1: false regressions", ours["1 v 1"].false_regression, MAX_FALSE_OF_SINGLE_RUNS),
        Goal("history of 40: false change points", drift, MAX_FALSE_REGRESSIONS),
        *(
            Goal(f"{name}: +10 % missed", 1 - ours[name].found, MAX_MISSED)
            for name in ("5 v 5", "5 v 5, calibrated", "10 v 10")
        ),
        Goal(
            "5 v 5: +10 % neither called nor suspected",
            1 - ours["5 v 5"].found_or_suspected,
            MAX_MISSED,
        ),
        Goal("wrong direction, any design", max(r.wrong_direction for r in ours.values()), 0.0),
    ]


def main() -> int:
    """Measure, print the tables and the goals; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--spread", type=float, default=SPREAD)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    measured = measure(arguments.spread, arguments.trials, arguments.seed, arguments.workers)
    print_rates(measured, arguments.spread)
    drift = false_change_points(arguments.spread, HISTORIES)
    print(f"\nHistories of {HISTORY_FOR_DRIFT} runs without a change: "
          f"{100 * drift:.1f}% of {HISTORIES} with a change point\n")  # fmt: skip
    return Goal.report(*goals(measured, drift))


if __name__ == "__main__":
    sys.exit(main())
