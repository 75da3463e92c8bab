"""`check --confirm`: runs made anew before a gate fails, which alone decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.cli import streams
from ocr_baseline.layout import unused
from ocr_baseline.trials.arms import Arm
from ocr_baseline.trials.in_turns import in_turns
from ocr_baseline.trials.outcome import closing_lines, outcome_of
from ocr_baseline.trials.patience import Patience
from ocr_baseline.trials.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.check import Check
    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.places import Reading

ARM = "confirm"
FOLDER = Path("confirm")
REPEATS = 5


def runs_anew(command: Sequence[str], wait_s: float, how: Reading) -> list[RunSummary]:
    """Run a command five times after one run to warm up, and return what was measured.

    Raises:
        BaselineError: When no run ended well.
    """
    folder = unused(FOLDER, f"{ARM}-0").absolute()
    with Screen() as screen:
        trials = in_turns(
            [Arm(ARM, command)], REPEATS, folder, patience=Patience(wait_s), watcher=screen
        )
    for line in closing_lines(trials, folder):
        streams.print_message(line)
    return list(outcome_of(trials, how).runs[ARM])


def failed_text(check: Check) -> str:
    """Return what failed: `train.batch_time, budget train.throughput`."""
    failed = [one.metric.key for one in check.gated if one.verdict == "regression"]
    failed += [f"budget {one.budget.metric.key}" for one in check.budgets if one.is_met is False]
    return ", ".join(failed)
