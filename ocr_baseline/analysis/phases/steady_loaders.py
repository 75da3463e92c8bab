"""The steady batches of each loader of each stage, for rules about single batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_baseline.vocabulary import PHASE_WORDS, PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.document import Phase
    from ocr_baseline.model.run import BatchTable


@dataclass(frozen=True, kw_only=True)
class SteadyLoader:
    """The steady batches of one loader; `label` names phase and, of several, loader.

    `rows` says which rows of the table they are, shape (batches,).
    """

    phase: Phase
    label: str
    times: StageTimes
    table: BatchTable
    rows: NDArray[np.bool_]

    @property
    def words(self) -> str:
        """What a sentence calls it: `validation`, or `validation (dataloader 1)`."""
        _, _, loader = self.label.partition(".dataloader_")
        return PHASE_WORDS[self.phase.name] + (f" (dataloader {loader})" if loader else "")

    @property
    def durations_s(self) -> NDArray[np.float64]:
        """Time of each of them, shape (steady batches of the loader,)."""
        return self.table.duration_s[self.rows]


def steady_loaders(measured: Measured) -> Iterator[SteadyLoader]:
    """Yield the loaders of all recorded stages; batches of different loaders don't compare.

    A stage in which every batch would be set aside has no steady batches.
    """
    for stage, times in measured.times.items():
        phase, table = measured.phase(PHASES[stage]), times.table
        if phase is None or table is None or len(table.duration_s) == 0:
            continue
        steady = np.zeros_like(times.is_steady) if times.is_steady.all() else times.is_steady
        loaders = np.unique(table.dataloader_idx)
        for loader in loaders:
            yield SteadyLoader(
                phase=phase,
                label=phase.name if len(loaders) == 1 else f"{phase.name}.dataloader_{loader}",
                times=times,
                table=table,
                rows=steady & (table.dataloader_idx == loader),
            )
