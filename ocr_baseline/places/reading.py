"""Reads the run at a place, whatever it is: a document, records, a logger's files, the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError, SourceError
from ocr_baseline.layout import BASELINE_FOLDER, JSON_NAME, document_in
from ocr_baseline.places.locating import locate, locate_one
from ocr_baseline.places.place import FoundRun
from ocr_baseline.sources import find_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.places.place import Place, Reading
    from ocr_baseline.vocabulary import SourceName


def read_one(item: str | Path | Place, how: Reading) -> FoundRun:
    """Return the one run at a place.

    Raises:
        BaselineError: When there is none, when there are several, or when it can't be read.
    """
    return read(locate_one(item, how), how)


def read_all(items: Iterable[str | Path], how: Reading) -> Iterator[FoundRun]:
    """Yield the runs at places, in order; all are found before the first is read.

    Raises:
        BaselineError: When a place has none, or when one can't be read.
    """
    for place in [place for item in items for place in locate(item, how)]:
        yield read(place, how)


def read(place: Place, how: Reading) -> FoundRun:
    """Return the run at a place.

    Raises:
        BaselineError: When it can't be read.
    """
    if place.kind == "document":
        from ocr_baseline.model.document_file import read_baseline

        path = Path(place.value)
        return FoundRun(label=_label(path), baseline=read_baseline(path))
    if place.kind == "stored":
        return _read_stored(place, how)
    if place.kind == "recorder":
        return _read_records(place, how)
    run = _load(place.kind, place.value, how)
    return _analyzed(place.value, run)


def _load(name: SourceName, value: str, how: Reading) -> Run:
    found = find_source(name)
    if found.load is None:
        raise SourceError(f"can't read {value}: {name} is at hand in a live trainer alone")
    if found.server is None:
        return found.load(value, how.options)
    with how.progress(f"Reading run {value} from {found.server}"):
        return found.load(value, how.options)


def _analyzed(label: str, run: Run) -> FoundRun:
    from ocr_baseline.analysis.analyze import analyze

    return FoundRun(label=label, baseline=analyze(run), run=run)


def _read_stored(place: Place, how: Reading) -> FoundRun:
    name, _, file_name = place.value.partition("/")
    (entry,) = (entry for entry in how.store.entries(name) if entry.file_name == file_name)
    return FoundRun(label=place.value, baseline=how.store.read(name, entry))


def _read_records(place: Place, how: Reading) -> FoundRun:
    """Return what the records tell, with the end of the run from the document beside them.

    Where the records can't be read the document stands in. Where both can and disagree, `tell`
    hears of it.
    """
    from ocr_baseline.recovery import Ending, with_ending

    folder = Path(place.value)
    document = document_in(folder)
    told = None if document is None else _readable(document)
    try:
        run = _load("recorder", place.value, how)
    except SourceError as error:
        if told is None:
            raise
        how.tell(f"{folder}: the records can't be read, so {document} was: {error}")
        return FoundRun(label=place.value, baseline=told)
    if told is None:
        return _analyzed(place.value, run)
    disagreement = _disagreement(run, told)
    if disagreement is not None:
        how.tell(
            f"{folder}: its records and {document} disagree: {disagreement}; the records were read"
        )
    else:
        run = with_ending(run, Ending(status=told.run.status, ended_by=told.run.ended_by))
    return _analyzed(place.value, run)


def _readable(document: Path) -> Baseline | None:
    """Return the document unless something is wrong with it: the records are better anyway."""
    from ocr_baseline.model.document_file import read_baseline

    try:
        return read_baseline(document)
    except BaselineError:
        return None


def _disagreement(run: Run, told: Baseline) -> str | None:
    """Return in words how a document differs from the records beside it."""
    from ocr_baseline.recovery import recorded_batches, told_batches

    recorded, own = run.info, told.run
    for name, here, there in (
        ("id", recorded.id, own.id),
        ("start", recorded.started_at, own.started_at),
    ):
        if None not in (here, there) and here != there:
            return f"the run's {name} is {here} in the records and {there} in it"
    here_batches, there_batches = recorded_batches(run), told_batches(told)
    for phase in {**here_batches, **there_batches}:
        here_count, there_count = here_batches.get(phase, 0), there_batches.get(phase, 0)
        if here_count != there_count:
            return f"{phase} has {here_count} batches in the records and {there_count} in it"
    return None


def _label(document: Path) -> str:
    """Return the document's path without what every run's path ends in."""
    parts = list(document.parts)
    if parts[-1] == JSON_NAME and len(parts) > 1:
        parts.pop()
        if parts[-1] == BASELINE_FOLDER and len(parts) > 1:
            parts.pop()
    return str(Path(*parts))
