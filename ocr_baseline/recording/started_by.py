"""What started this process: its command and the folder that it was started in."""

from __future__ import annotations

import sys
from pathlib import Path

from ocr_baseline.model.privacy import redact_arguments
from ocr_baseline.recording.hydra_job import hydra_working_folder


def started_by() -> dict[str, object]:
    """Return the command line, secrets taken out of it, and the folder, as records keep them."""
    return {
        "command": redact_arguments(sys.orig_argv),
        "working_folder": str(hydra_working_folder() or Path.cwd()),
    }
