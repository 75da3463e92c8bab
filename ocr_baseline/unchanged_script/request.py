"""What `ocr-baseline run` asks of the processes that it starts, carried in their environment.

Every process that makes a Trainer reads this, in whatever environment the package is installed:
nothing is imported for it that a process that wasn't asked would pay for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.layout import GIT_STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

ASKED = "OCR_BASELINE"
OUTPUT_DIR = "OCR_BASELINE_OUTPUT_DIR"
OPERATIONS = "OCR_BASELINE_OPERATIONS"
SAMPLING_HZ = "OCR_BASELINE_SAMPLING_HZ"
SEEN = "OCR_BASELINE_SEEN"

DEFAULT_SAMPLING_HZ = 100.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """A baseline that was asked for.

    Attributes:
        output_dir: The folder of the baseline, None for where the callbacks put it by themselves.
        operations: Dotted names of callables to time.
        sampling_hz: How many times a second functions are sampled.
        seen: A file that is there once a process has made a Trainer.
        git_state: What git says of the folder, as `asked_git_state` returns it.
    """

    output_dir: Path | None = None
    operations: tuple[str, ...] = ()
    sampling_hz: float = DEFAULT_SAMPLING_HZ
    seen: Path | None = None
    git_state: str | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that carry it to a process and to all that this one starts."""
        given = {
            OUTPUT_DIR: None if self.output_dir is None else str(self.output_dir),
            OPERATIONS: ",".join(self.operations) or None,
            SAMPLING_HZ: str(self.sampling_hz),
            SEEN: None if self.seen is None else str(self.seen),
            GIT_STATE_VARIABLE: self.git_state,
        }
        return {ASKED: "1"} | {name: value for name, value in given.items() if value is not None}


def request(environment: Mapping[str, str] = os.environ) -> Request | None:
    """Return what was asked of this process, None where nothing was.

    Raises:
        ValueError: When the sampling rate is no number.
    """
    if environment.get(ASKED, "").lower() not in {"1", "true", "yes", "on"}:
        return None
    return Request(
        output_dir=_path(environment.get(OUTPUT_DIR)),
        operations=tuple(name for name in environment.get(OPERATIONS, "").split(",") if name),
        sampling_hz=float(environment.get(SAMPLING_HZ) or DEFAULT_SAMPLING_HZ),
        seen=_path(environment.get(SEEN)),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
