"""Where the report of a run goes: the folder that its program names, or one by default."""

from __future__ import annotations

import os
from pathlib import Path

from ocr_baseline.layout import BASELINE_FOLDER, TRIAL_VARIABLE
from ocr_baseline.recording.hydra_job import hydra_output_folder


def named_folder(output_dir: str | Path | None) -> str | Path | None:
    """Return an `output_dir` as it was given.

    Raises:
        ValueError: It is at an address, like `s3://…`; records are appended to local files.
    """
    scheme, separator, _ = str(output_dir).partition("://")
    if separator:
        raise ValueError(
            f"output_dir must be a folder on this machine, not one at {scheme}://…; "
            "`ocr-baseline baseline add` keeps a baseline there once the run has ended"
        )
    return output_dir


def default_folder(otherwise: Path) -> Path:
    """Return `baseline/` in the folder of the trial that this is, of the Hydra job, or otherwise.

    A trial is one of several runs whose reports are wanted beside each other.
    """
    trial = os.environ.get(TRIAL_VARIABLE)
    folder = Path(trial) if trial else hydra_output_folder() or otherwise
    return folder / BASELINE_FOLDER
