"""Baseline documents on disk for tests of the store and of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ocr_baseline.model.document import Baseline
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.comparison.measured_runs import baseline

FACTORS = (0.985, 1.01, 0.99, 1.015, 1.0)


def write(folder: Path, document: Baseline) -> Path:
    """Write a run's folder with its document and return the folder."""
    run = folder / str(document.run.id)
    (run / "baseline").mkdir(parents=True)
    (run / "baseline" / "baseline.json").write_text(render_json(document), encoding="utf-8")
    return run


def write_runs(
    folder: Path, first: int, *, slower: float = 0.0, factors: Sequence[float] = FACTORS
) -> list[Path]:
    """Write runs numbered from `first` on, in `folder/run-N`."""
    return [
        write(folder, baseline(first + i, factor=(1 + slower) * factor))
        for i, factor in enumerate(factors)
    ]
