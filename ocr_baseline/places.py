"""A place stands for runs: the one way in which every command and the Python API name them.

| place | the run there |
| --- | --- |
| a folder | records, a document or a logger's files in it (`layout` has the order); runs below it |
| a file | a document, a CSVLogger's `metrics.csv`, TensorBoard's events, a `.wandb` file, records |
| a pattern | every file and folder that matches |
| `csv:PATH`, `tensorboard:PATH` | what that logger left there, the newest version of several |
| `mlflow:ID`, `wandb:ID` | a run at a server; a W&B run's URL needs no prefix |
| a name | the runs that a store keeps under it, before a folder of that name |
"""

from __future__ import annotations

import glob
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ocr_baseline.errors import BaselineError, SourceError
from ocr_baseline.files import kind_of, short
from ocr_baseline.layout import (
    BASELINE_FOLDER,
    DEFAULT_STORE,
    JSON_NAME,
    STORE_VARIABLE,
    document_in,
    records_in,
)
from ocr_baseline.sources import all_sources, find_source
from ocr_baseline.sources.source import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.store.baselines import BaselineStore, Entry
    from ocr_baseline.vocabulary import SourceName

MAX_NAMED = 5
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{4,64}$")
_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_URLS = ("http://", "https://")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one run is: what reads it, and the path, id or name that is read."""

    kind: SourceName | Literal["document", "stored"]
    value: str


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run that was read; `run` is None where a document holds no more than the baseline."""

    label: str
    baseline: Baseline
    run: Run | None = None


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _no_progress(message: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Reading:
    """How places are read.

    Attributes:
        options: What sources need to know beside the place.
        store_url: The store of names; None is the one that the environment names.
        progress: Shows that a server is asked, for as long as it takes.
        tell: Takes what a reader should know about how a place was understood.
    """

    options: ReadOptions = field(default_factory=ReadOptions)
    store_url: str | None = None
    progress: Callable[[str], AbstractContextManager[None]] = _no_progress
    tell: Callable[[str], None] = _warn

    @cached_property
    def store(self) -> BaselineStore:
        """The store, opened when it is first asked for.

        Raises:
            StoreError: When it can't be opened.
        """
        from ocr_baseline.store.baselines import BaselineStore

        return BaselineStore(self._store_place, timeout_s=self.options.timeout_s)

    def stored(self, item: str | Path | Place) -> list[Entry]:
        """Return the runs that the store keeps under a name, the oldest first; none of no name.

        Raises:
            StoreError: When the store can't be listed.
        """
        if not isinstance(item, str) or not _BARE_NAME.match(item) or Path(item).is_file():
            return []
        is_local = "://" not in self._store_place
        if is_local and not Path(self._store_place, item).is_dir():
            return []  # the store's own modules take longer to import than this look
        return self.store.entries(item) if self.store.has(item) else []

    @property
    def _store_place(self) -> str:
        return self.store_url or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


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


def locate_one(item: str | Path | Place, how: Reading) -> Place:
    """Return where the one run of a place is; of a name in the store, the latest.

    Raises:
        BaselineError: When the place has no run, or several.
    """
    places = locate(item, how)
    if places[-1].kind == "stored":
        if len(places) > 1:
            how.tell(f"{item}: the latest of {len(places)} stored runs is read")
        return places[-1]
    if len(places) > 1:
        values = ", ".join(place.value for place in places[:MAX_NAMED])
        more = ", ..." if len(places) > MAX_NAMED else ""
        raise SourceError(f"{item} holds {len(places)} runs; name one of them: {values}{more}")
    return places[0]


def locate(item: str | Path | Place, how: Reading) -> list[Place]:
    """Return where the runs of a place are, one or more, without reading them.

    A `Path` is a path even where its text looks like a prefix, a pattern or a name.

    Raises:
        BaselineError: When there is none.
    """
    if isinstance(item, Place):
        return [item]
    if isinstance(item, Path):
        return _at_path(item)
    entries = how.stored(item)
    if entries:
        return [Place(kind="stored", value=f"{item}/{entry.file_name}") for entry in entries]
    named = _named_by_source(item)
    if named is not None:
        return [named]
    if os.path.exists(item):  # noqa: PTH110 - False, not an error, for what can't be a path
        return _at_path(Path(item))
    if glob.has_magic(item):
        return _at_pattern(item)
    if _is_run_id(item, how.options):
        return [Place(kind="wandb-api", value=item)]
    raise SourceError(
        f"can't read {short(item)}: no such file or folder{_no_such_name(item, how)}; "
        "to read a W&B run, write wandb:ID, or name its project"
    )


def _named_by_source(item: str) -> Place | None:
    if item.startswith(_URLS):
        return Place(kind="wandb-api", value=item)
    prefix, _, value = item.partition(":")
    if not value:
        return None
    names = (found.name for found in all_sources() if found.prefix == prefix)
    return next((Place(kind=name, value=value) for name in names), None)


def _is_run_id(item: str, options: ReadOptions) -> bool:
    """Whether an item that is no file can be an id: only where a project to look in is named."""
    has_project = options.project is not None or "WANDB_PROJECT" in os.environ
    return has_project and _RUN_ID.match(item) is not None


def _no_such_name(item: str, how: Reading) -> str:
    if not _BARE_NAME.match(item):
        return ""
    names = ", ".join(summary.name for summary in how.store.summaries()) or "nothing"
    return f", and no such name in the store ({how.store.folder} holds {names})"


def _at_pattern(pattern: str) -> list[Place]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - absolute patterns too
    if not matches:
        raise SourceError(f"no file or folder matches {pattern}")
    return [place for match in matches for place in _at_path(Path(match))]


def _at_path(path: Path) -> list[Place]:
    kind = kind_of(path)
    if kind == "folder":
        own = _own_run(path)
        return [own] if own is not None else _runs_below(path)
    if kind is None:
        raise SourceError(f"can't read {path}: no such file or folder")
    if path.suffix == Path(JSON_NAME).suffix:  # no source's: none needs to be imported
        return [Place(kind="document", value=str(path))]
    owners = (found.name for found in all_sources() if found.owns_file(path))
    return [Place(kind=next(owners, "document"), value=str(path))]


def _own_run(folder: Path) -> Place | None:
    """Return the run that a folder itself is, by the order that `layout` tells."""
    if records_in(folder) is not None:
        return Place(kind="recorder", value=str(folder))
    document = document_in(folder)
    if document is not None:
        return Place(kind="document", value=str(document))
    owners = (found.name for found in all_sources() if found.owns_folder(folder))
    return next((Place(kind=name, value=str(folder)) for name in owners), None)


def _runs_below(folder: Path) -> list[Place]:
    """Return the documents and run folders in a folder, else those in the folders in it."""
    documents = [path for path in folder.glob("*.json") if path.is_file()]
    found = {path: Place(kind="document", value=str(path)) for path in documents}
    children = _folders_in(folder)
    found |= _own_runs(children)
    if not found:
        found = _own_runs(inner for child in children for inner in _folders_in(child))
    if not found:
        raise SourceError(
            f"can't read {folder}: neither a run folder nor a folder of run folders: it holds no "
            f"records, no {JSON_NAME} and no logger's files; a training with the callbacks, or one "
            "started by `ocr-baseline run`, leaves them"
        )
    return [found[path] for path in sorted(found, key=str)]


def _own_runs(folders: Iterable[Path]) -> dict[Path, Place]:
    own = ((folder, _own_run(folder)) for folder in folders)
    return {folder: place for folder, place in own if place is not None}


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder; a link to another of them, as `latest-run`, isn't one."""
    try:
        entries = list(folder.iterdir())
    except OSError:  # a folder that this user may not look into
        return []
    folders = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    real = {path for path in folders if not path.is_symlink()}
    return [path for path in folders if path in real or path.resolve().parent != folder.resolve()]


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
