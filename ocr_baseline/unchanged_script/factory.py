"""The entry point through which Lightning asks for callbacks whenever a Trainer is made."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from ocr_baseline.layout import TRIAL_VARIABLE
from ocr_baseline.signal_errors import let_through
from ocr_baseline.unchanged_script.request import Request, request
from ocr_baseline.unchanged_script.settings import trial

if TYPE_CHECKING:
    from pathlib import Path

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
        let_through(error)
        warnings.warn(f"No performance baseline of this run: {error}", stacklevel=2)
        return []


def _made(asked: Request) -> list[Callback]:
    from ocr_baseline.lightning.run.description import OutputFolder
    from ocr_baseline.unchanged_script.callbacks import AddedProfiler, AddedReport

    if asked.seen is not None:
        with suppress(OSError):
            asked.seen.touch()
    folder = _folder(asked)
    if folder is not None and os.environ.get(TRIAL_VARIABLE):
        OutputFolder.put_all_in(folder)  # where trials are looked for, whatever the script says
    return [
        *_settings(),
        AddedProfiler(
            output_dir=folder,
            operations=asked.operations,
            sampling_hz=asked.sampling_hz,
        ),
        AddedReport(output_dir=folder),
    ]


def _settings() -> list[Callback]:
    """Return what sets the Trainer of a trial with settings; nothing in any other run."""
    asked_trial = trial()
    if asked_trial is None:
        return []
    from ocr_baseline.unchanged_script.set_trainer import SetTrainer

    return [SetTrainer(asked_trial)]


def _folder(asked: Request) -> Path | None:
    """Return the folder of the baseline; each job of a Hydra sweep has one of its own in it.

    Launchers run jobs at the same time, and two of them can't write into one folder.
    """
    from ocr_baseline.recording.hydra_job import number_in_sweep

    if asked.output_dir is None:
        return None
    number = number_in_sweep()
    return asked.output_dir if number is None else asked.output_dir / str(number)
