"""Runs whose costs are known: what the report says beside what the benchmark's stopwatch says.

Sleeps and busy loops are put into every part of a training, each between two clock readings of the
benchmark's own, the loops and each `next()` of the loaders as well. A line's deviation is the
difference between report and stopwatch in percent of its stage; what no stopwatch saw is compared
with the lines `other` and `profiler` together. The workers' lines are compared over shared memory,
in percent of the workers' time. A figure is the median over rounds: where the machine is shared,
a process may be put aside between the report's clock reading and the stopwatch's.

    python benchmarks/truth.py [--scenario TEXT] [--rounds 3] [--batches 20] [--epochs 2] [--lines]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

# A spawned worker imports this module once more: what only the main process needs, Lightning
# above all, is imported in the functions that use it.
from benchmarks.tables import Goal, print_table
from benchmarks.truth_costs import FETCH, STOPWATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.truth_run import Outcome, Scenario
    from ocr_baseline.model.document import Baseline, Phase

LINE_GOAL_PERCENT = 2.0
SUM_GOAL_PERCENT = 0.1
UNSEEN = "other and profiler"
NOT_SEEN_BY_STOPWATCH = ("other", "profiler")


class Deviation(NamedTuple):
    """One line: seconds by the stopwatch and by the report."""

    line: str
    known_s: float
    reported_s: float

    @property
    def difference_s(self) -> float:
        """How much more the report says."""
        return self.reported_s - self.known_s


class Comparison(NamedTuple):
    """One stage of one scenario, or its workers; `known_s` is the whole by the stopwatch."""

    scenario: str
    stage: str
    known_s: float
    reported_s: float
    sum_s: float
    lines: list[Deviation]

    @property
    def worst(self) -> Deviation:
        """The line that is farthest off."""
        return max(self.lines, key=lambda line: abs(line.difference_s))

    def percent(self, difference_s: float) -> float:
        """Return a difference as its size in percent of the whole."""
        return 100.0 * abs(difference_s) / self.known_s


def compare_stage(scenario: str, phase: Phase) -> Comparison:
    """Compare a stage's lines and total."""
    known_s = STOPWATCH.lines_s(phase.name)
    whole_s = STOPWATCH.stages_ns[phase.name] * 1e-9
    known_s.pop("profiler", None)
    known_s[UNSEEN] = whole_s - sum(known_s.values())
    reported_s = {line.name: line.total_s for line in phase.breakdown}
    unseen_s = sum(reported_s.pop(line, 0.0) for line in NOT_SEEN_BY_STOPWATCH)
    return Comparison(
        scenario,
        phase.name,
        whole_s,
        phase.total_s or 0.0,
        sum(reported_s.values()) + unseen_s,
        deviations(known_s, reported_s | {UNSEEN: unseen_s}),
    )


def compare_workers(
    scenario: str, baseline: Baseline, stage: str, known_s: Mapping[str, float]
) -> Comparison:
    """Compare the workers' operations and the rest of what they did."""
    section = next(workers for workers in baseline.workers if workers.phase == stage)
    reported_s = {
        operation.name: operation.exclusive_s
        for operation in baseline.operations
        if operation.phase == stage and operation.process == "worker"
    } | {FETCH: section.unnamed_s}
    return Comparison(
        scenario,
        f"{stage}, workers",
        sum(known_s.values()),
        section.busy_s,
        sum(reported_s.values()),
        deviations(known_s, reported_s),
    )


def deviations(known_s: Mapping[str, float], reported_s: Mapping[str, float]) -> list[Deviation]:
    """Return each line that either side has."""
    names = dict.fromkeys([*known_s, *reported_s])
    return [Deviation(name, known_s.get(name, 0.0), reported_s.get(name, 0.0)) for name in names]


def compare(scenario: Scenario, outcome: Outcome) -> list[Comparison]:
    """Compare the stages of a run and, where it had them, their workers."""
    compared = []
    for stage in ("train", "validation"):
        phase = outcome.baseline.phase(stage)
        if phase is None:
            raise RuntimeError(f"{scenario.name}: the report has no phase {stage}")
        compared.append(compare_stage(scenario.name, phase))
        if scenario.workers:
            known_s = outcome.workers_s[stage]
            compared.append(compare_workers(scenario.name, outcome.baseline, stage, known_s))
    return compared


def median_of(rounds: Sequence[Comparison]) -> Comparison:
    """Return the comparison whose figures are the medians over rounds."""

    def median(figure: Callable[[Comparison], float]) -> float:
        return statistics.median(figure(one) for one in rounds)

    known_s = median(lambda one: one.known_s)
    reported_s = known_s + median(lambda one: one.reported_s - one.known_s)
    by_line: dict[str, list[Deviation]] = defaultdict(list)
    for one in rounds:
        for line in one.lines:
            by_line[line.line].append(line)
    return Comparison(
        rounds[0].scenario,
        rounds[0].stage,
        known_s,
        reported_s,
        reported_s + median(lambda one: one.sum_s - one.reported_s),
        [_median_line(name, lines) for name, lines in by_line.items()],
    )


def _median_line(name: str, lines: Sequence[Deviation]) -> Deviation:
    known_s = statistics.median(line.known_s for line in lines)
    return Deviation(name, known_s, known_s + statistics.median(ln.difference_s for ln in lines))


def row(one: Comparison) -> tuple[str, ...]:
    """Return a row of the table."""
    worst = one.worst
    return (
        one.scenario,
        one.stage,
        f"{one.known_s:.2f}",
        f"{one.percent(one.reported_s - one.known_s):.2f}",
        f"{one.percent(one.sum_s - one.reported_s):.4f}",
        worst.line,
        f"{worst.difference_s * 1e3:+.1f}",
        f"{one.percent(worst.difference_s):.2f}",
    )


def print_lines(one: Comparison) -> None:
    """Print every line of a stage."""
    print(f"\n{one.scenario}, {one.stage}:")
    print_table(
        ("line", "stopwatch s", "report s", "difference ms", "% of stage"),
        [
            (
                line.line,
                f"{line.known_s:.4f}",
                f"{line.reported_s:.4f}",
                f"{line.difference_s * 1e3:+.2f}",
                f"{one.percent(line.difference_s):.2f}",
            )
            for line in one.lines
        ],
    )


def main() -> int:
    """Print the table and whether the goals are met."""
    from benchmarks.truth_run import run, scenarios

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenario", default="", help="only scenarios whose name holds this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lines", action="store_true", help="print every line of each stage")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    chosen = [scenario for scenario in scenarios() if arguments.scenario in scenario.name]
    rounds: list[list[Comparison]] = []
    for number in range(arguments.rounds):
        rounds.append([])
        for scenario in chosen:
            with tempfile.TemporaryDirectory() as name:
                outcome = run(
                    scenario,
                    Path(name),
                    train_batches=arguments.batches,
                    epochs=arguments.epochs,
                )
            rounds[-1].extend(compare(scenario, outcome))
            print(f"round {number + 1}, {scenario.name}: done", file=sys.stderr, flush=True)
    return report([median_of(same) for same in zip(*rounds, strict=True)], arguments.lines)


def report(compared: list[Comparison], with_lines: bool) -> int:
    """Print the tables and whether the goals are met; return 0 when all are."""
    if with_lines:
        for one in compared:
            print_lines(one)
    print_table(
        (
            "scenario",
            "stage",
            "stopwatch s",
            "total off %",
            "sum off %",
            "line farthest off",
            "by ms",
            "by % of stage",
        ),
        [row(one) for one in compared],
    )
    return Goal.report(
        Goal(
            "line farthest off, % of its stage",
            max(one.percent(one.worst.difference_s) for one in compared),
            LINE_GOAL_PERCENT,
        ),
        Goal(
            "sum of lines off the total, %",
            max(one.percent(one.sum_s - one.reported_s) for one in compared),
            SUM_GOAL_PERCENT,
        ),
        Goal(
            "total off the stopwatch, %",
            max(one.percent(one.reported_s - one.known_s) for one in compared),
            LINE_GOAL_PERCENT,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
