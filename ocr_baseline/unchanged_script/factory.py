"""The entry point through which Lightning asks for callbacks whenever a Trainer is made."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from ocr_baseline.unchanged_script.request import Request, request
from ocr_baseline.unchanged_script.settings import Trial, trial

if TYPE_CHECKING:
    from lightning.pytorch import Callback


def callbacks() -> list[Callback]:
    """Return the two callbacks where they were asked for from outside, else none.

    Lightning calls this for each Trainer of each program in whose environment the package is
    installed, so whatever goes wrong here is a warning and no more.
    """
    try:
        asked = request()
        return [] if asked is None else _made(asked)
    except Exception as error:  # noqa: BLE001 - a Trainer must not fail for a report
        warnings.warn(f"No performance baseline of this run: {error}", stacklevel=2)
        return []


def _made(asked: Request) -> list[Callback]:
    from ocr_baseline.unchanged_script.callbacks import AddedProfiler, AddedReport

    if asked.seen is not None:
        with suppress(OSError):
            asked.seen.touch()
    asked_trial = trial()
    return [
        *([] if asked_trial is None else [_setting(asked_trial, asked)]),
        AddedProfiler(
            output_dir=asked.output_dir,
            operations=asked.operations,
            sampling_hz=asked.sampling_hz,
        ),
        AddedReport(output_dir=asked.output_dir),
    ]


def _setting(asked_trial: Trial, asked: Request) -> Callback:
    """Return what sets a trial's Trainer; the script's own callbacks write into its folder too."""
    from ocr_baseline.lightning.run.description import OutputFolder
    from ocr_baseline.unchanged_script.set_trainer import SetTrainer

    if asked.output_dir is not None:
        OutputFolder.put_all_in(asked.output_dir)
    return SetTrainer(asked_trial)
