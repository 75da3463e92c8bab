"""What comparisons take from places: a summary of each run, and a name's calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.places.reading import read_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.places.place import Reading


def summaries(
    items: Iterable[str | Path], how: Reading, *, like: Sequence[RunSummary] = ()
) -> list[RunSummary]:
    """Return what a comparison needs of the runs at places; of names, the runs that fit `like`.

    Raises:
        BaselineError: As `read_all` does, and when the store can't be read.
    """
    from ocr_baseline.comparison.summary import summarize
    from ocr_baseline.store.baselines import no_collection
    from ocr_baseline.store.selection import runs_like

    found: list[RunSummary] = []
    with no_collection():
        for item in items:
            entries = how.stored(item)
            if entries:
                found.extend(runs_like(like, how.store, str(item), entries, how.tell))
            else:
                runs = read_all([item], how)
                found.extend(summarize(run.baseline, run.label) for run in runs)
    return found


def stored_calibration(items: Sequence[object], how: Reading) -> Calibration | None:
    """Return the calibration that the store keeps with a name, where a name is the one item.

    Raises:
        BaselineError: When it can't be read.
    """
    (name, *others) = items
    if others or not isinstance(name, str) or not how.stored(name):
        return None
    return how.store.calibration(name)
