"""The training with a post-processing that takes longer: `+repeats.delay_s=SECONDS` a page.

Without that override it is `python -m ocr.train`.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ocr.models.postprocessing import BoxExtractor
from ocr.train import main

if TYPE_CHECKING:
    from ocr.models.postprocessing import Detection, FloatArray

OVERRIDE = "+repeats.delay_s="


def delay_s() -> float:
    """Return the delay that the command line asks for, 0 by default."""
    return next(
        (float(argument.removeprefix(OVERRIDE)) for argument in sys.argv if OVERRIDE in argument),
        0.0,
    )


def slow_down(seconds: float) -> None:
    """Make every call of the post-processing busy for so much longer."""
    original = BoxExtractor.__call__

    def slowed(self: BoxExtractor, probability: FloatArray) -> list[Detection]:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass
        return original(self, probability)

    BoxExtractor.__call__ = slowed  # type: ignore[method-assign] # what this program is for


if __name__ == "__main__":
    slow_down(delay_s())
    main()
