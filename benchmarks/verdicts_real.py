"""Verdicts on real trainings of this machine: equal ones, and one with a slower post-processing.

A, A again and B take turns, each run in a fresh process. B's post-processing is slowed so that a
validation batch takes a tenth longer. Equal runs should give no regression; B should, and the
breakdown should name the post-processing.

    python benchmarks/verdicts_real.py [--runs 5] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.slowed_training import OVERRIDE
from benchmarks.tables import Goal
from ocr_baseline.comparison.comparison import Comparison, compare
from ocr_baseline.comparison.summary import RunSummary, summarize
from ocr_baseline.hydra.repeats import configurations
from ocr_baseline.layout import JSON_NAME
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.reports.comparison.terminal import render_comparison_terminal
from ocr_baseline.trials.arms import Arm, Trial
from ocr_baseline.trials.in_turns import in_turns
from ocr_baseline.trials.outcome import busy_warning
from ocr_baseline.trials.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = 5
SLOWER = 0.1
PAGES_A_BATCH = 4
LINE = "ocr.models.postprocessing.BoxExtractor.__call__"
METRIC = "validation.batch_time"
OVERRIDES = (
    "experiment=baseline_repeats",
    "trainer.max_epochs=1",
    "trainer.limit_train_batches=6",
    "trainer.limit_val_batches=24",
    f"data.batch_size={PAGES_A_BATCH}",
    "data.synthetic.val_count=96",
    "callbacks.progress_bar=null",
)
COMMAND = (sys.executable, "-m", "benchmarks.slowed_training")


@dataclass(frozen=True)
class Sides:
    """The runs of equal code, and those of slower code."""

    first: list[RunSummary]
    again: list[RunSummary]
    slower: list[RunSummary]


def measure(folder: Path, runs: int) -> tuple[Sides, list[Trial]]:
    """Run a warm-up, derive the delay from it, run the rest."""
    overrides = [*OVERRIDES, f"paths.data_dir={folder / 'data'}"]
    with Screen() as screen:
        alone = configurations(COMMAND, overrides, [])
        (first,) = in_turns(alone, 1, folder / "first", warm_ups=0, watcher=screen)
        delay_s = SLOWER * summary(first).values[METRIC] / PAGES_A_BATCH
        screen.told(f"delay of the slower side: {1000 * delay_s:.2f} ms a page")
        equal, slower = configurations(COMMAND, overrides, [f"{OVERRIDE}{delay_s}"])
        arms = [equal, Arm("c", equal.command), slower]
        trials = in_turns(arms, runs, folder, warm_ups=0, watcher=screen)
    by_side = {side: [summary(trial) for trial in trials if trial.arm == side] for side in "acb"}
    return Sides(first=by_side["a"], again=by_side["c"], slower=by_side["b"]), trials


def summary(trial: Trial) -> RunSummary:
    """Return what a comparison needs of a run."""
    return summarize(read_baseline(trial.baseline / JSON_NAME), trial.name)


def false_regressions(comparison: Comparison) -> list[str]:
    """Return the gated metrics that are called regressions."""
    return [m.metric.key for m in comparison.with_verdict("regression") if m.metric.is_gated]


def names_the_line(comparison: Comparison) -> bool:
    """Whether the post-processing accounts for most of the change of validation."""
    validation = next(p for p in comparison.breakdowns if p.phase == "validation")
    return bool(validation.main_lines) and validation.main_lines[0].name == LINE


def show(title: str, comparison: Comparison) -> None:
    """Print a comparison under a title."""
    print(f"\n== {title}\n")
    print(render_comparison_terminal(comparison, width=120, color=False))


def report(sides: Sides, trials: Sequence[Trial]) -> int:
    """Print the comparisons and the goals; 1 when a goal is missed."""
    equal, slower = compare(sides.first, sides.again), compare(sides.first, sides.slower)
    show("equal code", equal)
    show("post-processing slowed", slower)
    warning = busy_warning(trials)
    if warning is not None:
        print(warning)
    found = next(m for m in slower.metrics if m.metric.key == METRIC)
    return Goal.report(
        Goal("equal code: gated regressions", len(false_regressions(equal)), 0),
        Goal(f"slowed: {METRIC} not called a regression", found.verdict != "regression", 0),
        Goal("slowed: the breakdown names another line", not names_the_line(slower), 0),
    )


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=None, help="keep the runs here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.out or Path(temporary)).absolute()
        return report(*measure(folder, arguments.runs))


if __name__ == "__main__":
    sys.exit(main())
