"""A stage on the device's own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.analysis.phases.builder import breakdown
from ocr_baseline.analysis.phases.distributions import distribution
from ocr_baseline.analysis.phases.steady import steady_mask
from ocr_baseline.model.document import DeviceTime

if TYPE_CHECKING:
    from ocr_baseline.model.run import DeviceBatches


def device_time(batches: DeviceBatches) -> DeviceTime:
    """Return the document's account of the timed steady batches."""
    steady = steady_mask(batches.position, batches.is_first_of_epoch)
    lines_s = {line: column[steady] for line, column in batches.lines_s.items()}
    durations_s = sum(lines_s.values(), np.zeros(int(steady.sum())))
    return DeviceTime(
        clock=batches.clock,
        batches=len(durations_s),
        batch_time_s=distribution(durations_s),
        breakdown=breakdown(
            {line: float(column.sum()) for line, column in lines_s.items()},
            total_s=float(durations_s.sum()),
            batches=len(durations_s),
        ),
    )
