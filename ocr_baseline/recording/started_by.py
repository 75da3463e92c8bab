"""What started this process: its command and the folder that it was started in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ocr_baseline.files import working_folder
from ocr_baseline.model.privacy import redact_arguments
from ocr_baseline.recording.hydra_job import hydra_working_folder


def started_by() -> dict[str, object]:
    """Return the command line, secrets taken out of it, and the folder, as records keep them."""
    folder = hydra_working_folder() or _folder_of_script() or working_folder()
    return {
        "command": redact_arguments(sys.orig_argv),
        "working_folder": None if folder is None else str(folder),
    }


def _folder_of_script() -> str | None:
    """Return the folder that a script's name is relative to, whatever folder it has gone to since.

    Python keeps where the script is, from the root, and the name that it was started by.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(script, str) or not os.path.isabs(script):  # noqa: PTH117 - the text counts
        return None
    for name in sys.orig_argv[1:]:
        if name.endswith(".py") and script.endswith(os.sep + name):
            return str(Path(script.removesuffix(name)))
    return None
