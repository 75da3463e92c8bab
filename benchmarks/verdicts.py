"""How often a verdict is wrong, and how often a change is found: many noises, many designs, peers.

Every cell draws runs of equal code and runs a tenth slower, and judges the median training batch
as `compare` and `check` do; sittings are told from the runs' times, as there. Beside it stand the
tests of others on the same runs: benchstat's (Mann-Whitney at 5%), pyperf's (Student's t at 5%)
and Welch's t at 5%; for change points Apache Otava, where `pip install apache-otava` put it.

    python benchmarks/verdicts.py [--draws 400] [--seed 0]
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from scipy.stats import mannwhitneyu, ttest_ind

from benchmarks import change_points, noises
from benchmarks.noises import MOVED, NOISES, Layout
from benchmarks.tables import Goal, print_table
from ocr_baseline.comparison.calibration import calibrate
from ocr_baseline.comparison.estimation import Sides, estimate_change
from ocr_baseline.comparison.judging import Judgement, adjusted, judge
from ocr_baseline.comparison.metrics import BY_KEY
from ocr_baseline.comparison.options import Options
from ocr_baseline.comparison.sittings import sittings_of
from ocr_baseline.comparison.summary import RunSummary
from ocr_baseline.model.document import Environment, Measurement, Workload
from ocr_baseline.model.run import RunInfo

if TYPE_CHECKING:
    from benchmarks.noises import Noise, Values
    from ocr_baseline.comparison.intervals import Estimate

DRAWS = 400
CHANGE = 0.10
METRIC = BY_KEY["train.batch_time"]
LEVEL = 0.05
STARTED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
RUN = timedelta(minutes=5)
CALIBRATION_RUNS = 10


@dataclass(frozen=True)
class Design:
    """How runs are laid out, and whether ten runs of ten days calibrated the machine."""

    layout: Layout
    is_calibrated: bool = False

    @property
    def is_history(self) -> bool:
        """Whether the base has a history that could have moved."""
        return not self.is_calibrated and sum(self.layout.is_new) * 4 <= self.layout.runs


DESIGNS = {
    "3 v 3, turns": Design(noises.in_turns(3)),
    "5 v 5, turns": Design(noises.in_turns(5)),
    "10 v 10, turns": Design(noises.in_turns(10)),
    "5 v 5, five days": Design(noises.in_turns(1, sittings=5)),
    "5 v 5, ten days": Design(noises.days(5)),
    "5 v 5, a sitting each": Design(noises.history(1, 5, 5)),
    "1 v 1, calibrated": Design(noises.history(1, 1), is_calibrated=True),
    "1 v 8 days": Design(noises.history(8, 1)),
    "1 v 20 days": Design(noises.history(20, 1)),
    "1 v 40 days": Design(noises.history(40, 1)),
    "5 v 20 days": Design(noises.history(20, 5)),
    "5 v 8 jobs of 5": Design(noises.history(8, 5, 5)),
    "1 v 8 jobs of 5": Design(noises.history(8, 1, 5)),
    "5 v 20 jobs of 5": Design(noises.history(20, 5, 5)),
}
PEERS: dict[str, Callable[[Values, Values], Values]] = {
    "Mann-Whitney": lambda base, new: mannwhitneyu(new, base, axis=1).pvalue,
    "Student's t": lambda base, new: ttest_ind(new, base, axis=1).pvalue,
    "Welch's t": lambda base, new: ttest_ind(new, base, axis=1, equal_var=False).pvalue,
}
PEER_DESIGNS = ("5 v 5, turns", "10 v 10, turns", "5 v 5, a sitting each", "5 v 8 jobs of 5")
METRICS_OF_A_CHECK = 6
POWER_SPREADS = (0.02, 0.05, 0.08)
POWER_SIZES = (3, 5, 10)


@dataclass(frozen=True)
class Cell:
    """Shares of the draws of one noise and design; `coverage` is None where no interval counts."""

    false_regression: float
    coverage: float | None
    found: float
    wrong_direction: float


class Runs:
    """The runs of a layout, a day apart from sitting to sitting, without their times."""

    def __init__(self, layout: Layout) -> None:
        """Make them, and tell their sittings as a comparison does."""
        self.runs = [self._run(place, layout) for place in range(layout.runs)]
        self.is_new = np.asarray(layout.is_new)
        base = [run for run, new in zip(self.runs, layout.is_new, strict=True) if not new]
        new = [run for run, new in zip(self.runs, layout.is_new, strict=True) if new]
        self.sittings = sittings_of(base, new)

    @staticmethod
    def _run(place: int, layout: Layout) -> RunSummary:
        began = STARTED_AT + timedelta(days=layout.sitting[place]) + place * RUN
        return RunSummary(
            label=f"run {place}",
            content=str(place),
            info=RunInfo(source="recorder", started_at=began, duration_s=RUN.total_seconds()),
            environment=Environment(),
            workload=Workload(),
            measurement=Measurement(),
            values={},
        )

    def judged(self, logs: Values, options: Options) -> tuple[Estimate, Judgement]:
        """Return what is said of one draw of the runs' times."""
        measured = [
            replace(run, values={METRIC.key: math.exp(value)})
            for run, value in zip(self.runs, logs.tolist(), strict=True)
        ]
        base = [run for run, new in zip(measured, self.is_new, strict=True) if not new]
        new = [run for run, is_new in zip(measured, self.is_new, strict=True) if is_new]
        sides = Sides(base=[base], new=new, sittings=self.sittings)
        levels = sides.levels(METRIC)
        estimate = estimate_change(METRIC, levels, new, self.sittings, options)
        return estimate, judge(estimate, METRIC.margin_at(1.0), "lower", (len(base), len(new)))


def cell(noise: Noise, design: Design, draws: int, rng: np.random.Generator) -> Cell:
    """Return the shares of one noise and design."""
    runs = Runs(design.layout)
    logs = noise(rng, design.layout, draws)
    slower = np.where(design.layout.is_new, math.log1p(CHANGE), 0.0)
    options = [_options(noise, design, rng) for _ in range(draws)]
    equal = [runs.judged(row, one) for row, one in zip(logs, options, strict=True)]
    slow = [runs.judged(row + slower, one) for row, one in zip(logs, options, strict=True)]
    counted = [one for one, _ in equal if one.is_enough and one.low is not None]
    covered = [one for one in counted if (one.low or 0.0) <= 0 <= (one.high or 0.0)]
    verdicts = [judgement.verdict for _, judgement in equal]
    found = [judgement.verdict for _, judgement in slow]
    return Cell(
        false_regression=verdicts.count("regression") / draws,
        coverage=len(covered) / len(counted) if len(counted) >= draws / 2 else None,
        found=found.count("regression") / draws,
        wrong_direction=found.count("improvement") / draws,
    )


def _options(noise: Noise, design: Design, rng: np.random.Generator) -> Options:
    if not design.is_calibrated:
        return Options()
    layout = noises.history(CALIBRATION_RUNS, 0)
    (logs,) = noise(rng, layout, 1)
    made = [
        replace(run, values={METRIC.key: math.exp(value)})
        for run, value in zip(Runs(layout).runs, logs.tolist(), strict=True)
    ]
    return Options(calibration=calibrate(made))


def _is_against_a_level(design: Design) -> bool:
    return design.is_calibrated or design.is_history


def measure(draws: int, seed: int) -> dict[tuple[str, str], Cell]:
    """Return every cell: all noises for every design, those that moved for histories."""
    cells = [
        (noise, design)
        for noise in (*NOISES, *MOVED)
        for design, one in DESIGNS.items()
        if noise in NOISES or one.is_history
    ]
    return {
        (noise, design): cell(
            (NOISES | MOVED)[noise],
            DESIGNS[design],
            draws,
            np.random.default_rng([seed, number]),
        )
        for number, (noise, design) in enumerate(track(cells, "verdicts"))
    }


def peers(draws: int, seed: int) -> Iterator[list[str]]:
    """Yield a row for each test: the worst noise's false regressions, +10% found with 2%."""
    for name, test in PEERS.items():
        row = [name]
        for design in PEER_DESIGNS:
            layout = DESIGNS[design].layout
            is_new = np.asarray(layout.is_new)
            false, found = {}, {}
            for number, (noise, drawn) in enumerate(NOISES.items()):
                logs = drawn(np.random.default_rng([seed, 1000 + number]), layout, 5 * draws)
                base, new = logs[:, ~is_new], logs[:, is_new]
                false[noise] = _called_worse(test, base, new)
                found[noise] = _called_worse(test, base, new + math.log1p(CHANGE))
            row.append(_worst_and_found(false, found))
        yield row


def _called_worse(test: Callable[[Values, Values], Values], base: Values, new: Values) -> float:
    worse = np.mean(new, axis=1) > np.mean(base, axis=1)
    return float(np.mean((test(base, new) < LEVEL) & worse))


def _worst_and_found(false: dict[str, float], found: dict[str, float]) -> str:
    worst = max(false, key=lambda noise: false[noise])
    return f"{percent(false[worst])} ({worst}) / {percent(found[NORMAL])}"


def ours_beside_peers(cells: dict[tuple[str, str], Cell]) -> list[str]:
    """Return the row of `peers` for the verdicts of this project."""
    return [
        "ours",
        *(
            _worst_and_found(
                {noise: cells[noise, design].false_regression for noise in NOISES},
                {noise: cells[noise, design].found for noise in NOISES},
            )
            for design in PEER_DESIGNS
        ),
    ]


def batches_called(draws: int, seed: int) -> float:
    """Return the share of two runs of equal code whose batches Mann-Whitney tells apart."""
    logs = noises.batches(np.random.default_rng([seed, 3]), 2 * draws, 0.02)
    return float(np.mean(mannwhitneyu(logs[::2], logs[1::2], axis=1).pvalue < LEVEL))


def whole_checks(spread: float, design: str, draws: int, seed: int) -> float:
    """Return the share of checks of equal code in which one of six metrics is a regression."""
    runs = Runs(DESIGNS[design].layout)
    logs = noises.normal(spread)(
        np.random.default_rng([seed, 4]), DESIGNS[design].layout, METRICS_OF_A_CHECK * draws
    )
    judged = [runs.judged(row, Options()) for row in logs]
    failed = 0
    for first in range(0, len(judged), METRICS_OF_A_CHECK):
        found = judged[first : first + METRICS_OF_A_CHECK]
        after = adjusted([one for _, one in found], [estimate.p_value for estimate, _ in found])
        failed += any(one.verdict == "regression" for one in after)
    return failed / draws


@dataclass(frozen=True)
class Told:
    """What became of the runs that a verdict without one asks for."""

    runs: float
    settled: float
    out_of_reach: float


def told(spread: float, size: int, change: float, draws: int, seed: int) -> Told | None:
    """Return how often as many runs in turns as were asked for settle it; None where none were."""
    rng = np.random.default_rng([seed, size, int(1000 * spread), int(100 * change)])
    asked, settled, silent = [], 0, 0
    for _ in range(draws):
        judgement = _of_size(spread, size, change, rng)
        if judgement.verdict not in ("inconclusive", "suspected"):
            continue
        if judgement.needed_runs is None:
            silent += 1
            continue
        asked.append(judgement.needed_runs)
        after = _of_size(spread, judgement.needed_runs, change, rng)
        settled += after.verdict in ("regression", "improvement", "unchanged")
    if len(asked) < draws / 20:
        return None
    return Told(float(np.median(asked)), settled / len(asked), silent / draws)


def _of_size(spread: float, size: int, change: float, rng: np.random.Generator) -> Judgement:
    layout = noises.in_turns(size)
    (logs,) = noises.normal(spread)(rng, layout, 1)
    logs = logs + np.where(layout.is_new, math.log1p(change), 0.0)
    return Runs(layout).judged(logs, Options())[1]


def print_cells(cells: dict[tuple[str, str], Cell], designs: Sequence[str], draws: int) -> None:
    """Print a row for each noise, a column for each design; what misses a promise in bold."""
    rows = [
        [noise, *(_cell_text(cells.get((noise, design)), draws) for design in designs)]
        for noise in (*NOISES, *MOVED)
        if (noise, designs[-1]) in cells
    ]
    print_table(["noise", *designs], rows)


def _cell_text(cell: Cell | None, draws: int) -> str:
    """Return `0.5 / 98 / 95`: false regressions, +10% found, coverage."""
    if cell is None:
        return ""
    coverage = percent(cell.coverage)
    if cell.coverage is not None and 1 - cell.coverage > _most_missed(draws):
        coverage = f"**{coverage}**"
    false = percent(cell.false_regression)
    if cell.false_regression > LEVEL:
        false = f"**{false}**"
    return f"{false} / {percent(cell.found)} / {coverage}"


def _most_missed(draws: int) -> float:
    """Return the share of intervals that may miss: 7%, and two standard errors of few draws."""
    return 0.07 + 2 * math.sqrt(0.05 / draws)


def percent(share: float | None) -> str:
    """Return a share in percent, `-` where there is none."""
    return "-" if share is None else f"{100 * share:.1f}" if share < 0.1 else f"{100 * share:.0f}"


NORMAL = "normal, 2%"
SINGLE = ("1 v 1, calibrated", "1 v 8 days", "1 v 20 days", "1 v 40 days", "1 v 8 jobs of 5")
COVERED = (NORMAL, "normal, 5%", "sittings 2% apart", "sittings 3% apart")
NO_SITTINGS = ("each like the one before",)
"""Runs resemble their neighbours, and no record tells it."""


def goals(cells: dict[tuple[str, str], Cell], told_of: Sequence[Told], draws: int) -> list[Goal]:
    """Return what the verdicts promise; of few draws, a share may be two standard errors off."""
    plain = NOISES.keys() - {*NO_SITTINGS}
    sets = [one for one in DESIGNS if one not in SINGLE]
    return [
        Goal(
            "false regressions, worst cell of sets",
            max(cells[noise, design].false_regression for noise in plain for design in sets),
            0.05,
        ),
        Goal(
            "false regressions of single runs, normal noise",
            max(cells[NORMAL, design].false_regression for design in SINGLE),
            0.01 + 2 * math.sqrt(0.01 / draws),
        ),
        Goal("5 v 5 in turns, 2%: +10% missed", 1 - cells[NORMAL, "5 v 5, turns"].found, 0.10),
        Goal(
            "10 v 10 in turns, noisy neighbour: +10% missed",
            1 - cells["noisy neighbour", "10 v 10, turns"].found,
            0.20,
        ),
        Goal(
            "wrong direction, worst cell of sets",
            max(cell.wrong_direction for (_, design), cell in cells.items() if design in sets),
            0.0,
        ),
        Goal(
            "the interval misses, worst cell of normal noise and of sittings",
            max(
                1 - covered
                for (noise, _), cell in cells.items()
                if (covered := cell.coverage) is not None and noise in COVERED
            ),
            _most_missed(draws),
        ),
        Goal("the runs told don't settle it", max(1 - one.settled for one in told_of), 0.20),
    ]


def main() -> int:
    """Measure, print the tables and the goals; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draws, seed = arguments.draws, arguments.seed
    cells = measure(draws, seed)
    turns = [name for name, design in DESIGNS.items() if not _is_against_a_level(design)]
    against_a_level = [name for name, design in DESIGNS.items() if _is_against_a_level(design)]
    for title, designs in (("Sets of runs", turns), ("Against a history", against_a_level)):
        print(f"\n{title}: false regressions / +10% found / the interval holds the truth, %\n")
        print_cells(cells, designs, draws)
    print("\nTests at 5%: false regressions under the worst noise / +10% found with 2%, in %\n")
    print_table(["test", *PEER_DESIGNS], [ours_beside_peers(cells), *peers(draws, seed)])
    share = batches_called(draws, seed)
    print(f"\nTwo runs of equal code, Mann-Whitney on their batches: {percent(share)}% called\n")
    checks = {
        (spread, design): whole_checks(spread, design, draws, seed)
        for spread in (0.02, 0.05)
        for design in ("5 v 5, turns", "1 v 20 days", "5 v 8 jobs of 5")
    }
    print(f"Checks of {METRICS_OF_A_CHECK} metrics of equal code with a regression, %\n")
    print_table(
        ["spread, runs", "failed"],
        [[f"{spread:.0%}, {design}", percent(one)] for (spread, design), one in checks.items()],
    )
    print("\nRuns told, and what they settle\n")
    rows, told_of = [], []
    for spread in POWER_SPREADS:
        for size in POWER_SIZES:
            for change in (0.0, CHANGE):
                found = told(spread, size, change, draws, seed)
                if found is None:
                    continue
                told_of.append(found)
                name = f"{size} v {size}, {spread:.0%}, {change:+.0%}"
                rows.append([name, f"{found.runs:.0f}", percent(found.settled)])
    print_table(["at hand", "told (median)", "settled, %"], rows)
    change_points.report(draws, seed)
    return Goal.report(
        *goals(cells, told_of, draws),
        Goal("false regressions of a check", max(checks.values()), 0.05),
    )


if __name__ == "__main__":
    sys.exit(main())
