"""Where the report of a run goes whose program names no folder."""

from __future__ import annotations

import os
from pathlib import Path

from ocr_baseline.layout import BASELINE_FOLDER, TRIAL_VARIABLE
from ocr_baseline.recording.hydra_job import hydra_output_folder


def default_folder(otherwise: Path) -> Path:
    """Return `baseline/` in the folder of the trial that this is, of the Hydra job, or otherwise.

    A trial is one of several runs whose reports are wanted beside each other.
    """
    trial = os.environ.get(TRIAL_VARIABLE)
    folder = Path(trial) if trial else hydra_output_folder() or otherwise
    return folder / BASELINE_FOLDER
