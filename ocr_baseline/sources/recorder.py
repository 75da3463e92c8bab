"""The profiler's own records, the richest source: readable after any end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.files import kind_of
from ocr_baseline.layout import MAIN_RECORDS_NAME, RECORDS_FOLDERS
from ocr_baseline.sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.source import LiveRun, ReadOptions


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of a folder with records, or of a file of records; there are no options.

    Raises:
        SourceError: There are no records, they can't be read, or their format is newer.
    """
    from ocr_baseline.records import reader

    path = Path(place)
    return reader.load(path.parent if kind_of(path) == "file" else path)


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    if live.records_folder is not None:
        yield load(live.records_folder)


SOURCE = Source(
    name="recorder",
    basis="records written by the profiler during the run",
    load=load,
    of_trainer=_of_trainer,
    file_names="rank_*.jsonl",
    marks=tuple(f"{folder}{MAIN_RECORDS_NAME}" for folder in RECORDS_FOLDERS),
)
