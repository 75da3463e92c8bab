"""Repeated runs of a Hydra application: of one configuration, or of two that take turns.

The sweeper of `experiment=baseline_repeats` passes on the overrides. The runs land side by side in
the sweep's folder: `warmup-0`, `a-0`, `b-0`, `b-1`, `a-1`, ...
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ocr_baseline.layout import TRIAL_VARIABLE
from ocr_baseline.places import Reading
from ocr_baseline.trials.arms import Arm
from ocr_baseline.trials.in_turns import in_turns
from ocr_baseline.trials.outcome import closing_lines, outcome_of
from ocr_baseline.trials.patience import Patience
from ocr_baseline.trials.screen import Screen


def repeat(arms: Sequence[Arm], runs: int, folder: Path, *, warm_ups: int, wait_s: float) -> str:
    """Run configurations in turns; return what is printed at the end.

    Args:
        arms: One configuration or two.
        runs: How many runs of each.
        folder: Where each run gets its folder.
        warm_ups: Runs of the first before all others.
        wait_s: How long all pauses together may take while the machine is busy.

    Raises:
        BaselineError: When too few runs are left, or when a baseline can't be read.
    """
    with Screen() as screen:
        trials = in_turns(
            arms, runs, folder, warm_ups=warm_ups, patience=Patience(wait_s), watcher=screen
        )
    width = shutil.get_terminal_size((100, 24)).columns
    text = outcome_of(trials, Reading()).text(width=width, color=False)
    return "\n".join([text, *closing_lines(trials, folder)]) + "\n"


def configurations(
    command: Sequence[str], overrides: Sequence[str], variant: Sequence[str]
) -> list[Arm]:
    """Return what takes turns: the application as it is, and with the variant's overrides.

    Args:
        command: What starts the application, without overrides.
        overrides: Overrides for all runs.
        variant: Overrides of the second configuration; without any there is none.
    """
    both = [*command, *overrides]
    # Hydra asks the environment of each run for the folder that it was given.
    alone = ["hydra.mode=RUN", f"hydra.run.dir=${{oc.env:{TRIAL_VARIABLE}}}"]
    arms = [Arm("a", [*both, *alone])]
    return [*arms, Arm("b", [*both, *variant, *alone])] if variant else arms


def application_command() -> list[str]:
    """Return the command that starts this program again, without its arguments."""
    import __main__

    spec = getattr(__main__, "__spec__", None)
    if spec is not None:
        return [sys.executable, "-m", spec.name.removesuffix(".__main__")]
    return [sys.executable, os.path.abspath(sys.argv[0])]  # noqa: PTH100 - keeps links
