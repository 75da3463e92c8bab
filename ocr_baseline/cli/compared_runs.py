"""The runs that a command compares: files, folders, patterns, names of a store, W&B runs.

Nothing of the engine is imported before there is something to read.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.cli import inputs, streams
from ocr_baseline.errors import SourceError
from ocr_baseline.reports.text.plain_text import counted

if TYPE_CHECKING:
    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.store.baselines import BaselineStore, Entry

WANDB_PREFIX = "wandb:"
DEFAULT_STORE = "baselines"
STORE_VARIABLE = "OCR_BASELINE_STORE"
MAX_STORED = 40
OTHERS_SHOWN = 5
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{4,64}$")
_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*$")


@dataclass(frozen=True, kw_only=True)
class WandbAccess:
    """Where runs that are named by an id are asked for."""

    project: str | None = None
    entity: str | None = None
    timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run that was read."""

    label: str
    baseline: Baseline

    def summary(self) -> RunSummary:
        """Return what a comparison needs of it."""
        from ocr_baseline.comparison.summary import summarize

        return summarize(self.baseline, self.label)


def find_runs(
    items: Sequence[str], access: WandbAccess, store: BaselineStore | None = None
) -> Iterator[FoundRun]:
    """Yield the runs that files, folders, patterns and run ids stand for, in order.

    Args:
        items: What stands for runs.
        access: Where W&B runs are asked for.
        store: Where an item could have been a name: an error says which names there are.

    Raises:
        BaselineError: When an item stands for nothing, or when what it stands for can't be read.
    """
    sources = [source for item in items for source in _sources(item, access, store)]
    for source in sources:
        yield _read(source, access)


def summaries(
    items: Sequence[str],
    store: BaselineStore,
    access: WandbAccess,
    *,
    like: Sequence[RunSummary] = (),
) -> list[RunSummary]:
    """Return the same as summaries; names of the store stand for its runs that fit `like`.

    Raises:
        BaselineError: As `find_runs` does, and when the store can't be read.
    """
    from ocr_baseline.store.baselines import no_collection

    found: list[RunSummary] = []
    with no_collection():
        for item in items:
            if is_stored(item, store):
                found.extend(_stored(item, store, like))
            else:
                found.extend(run.summary() for run in find_runs([item], access, store))
    return found


def is_stored(item: str, store: BaselineStore) -> bool:
    """Whether an item is a name of the store, which comes before a file or folder of that name.

    Raises:
        StoreError: When the store can't be listed.
    """
    return _BARE_NAME.match(item) is not None and store.has(item)


def open_store(url: str | None) -> BaselineStore:
    """Return the store at a URL, by default the one that the environment names.

    Raises:
        StoreError: When it can't be opened.
    """
    from ocr_baseline.store.baselines import BaselineStore

    return BaselineStore(url or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE)


def _stored(name: str, store: BaselineStore, like: Sequence[RunSummary]) -> list[RunSummary]:
    """Return the latest runs of a name that were made where and as those of `like` were."""
    from ocr_baseline.comparison.identity import fingerprint, workload_hash

    entries = store.entries(name)
    if not like:
        return store.load(name, entries)
    wanted = fingerprint(like[0].environment.identity)
    fitting = [entry for entry in entries if entry.fingerprint == wanted]
    _say_left_out(name, entries, fitting)
    runs = store.load(name, fitting[-MAX_STORED:] or entries[-OTHERS_SHOWN:])
    work = workload_hash(like[0])
    same = [run for run in runs if workload_hash(run) == work]
    if not same:
        last = workload_hash(runs[-1])
        same = [run for run in runs if workload_hash(run) == last]
    if len(same) < len(runs):
        left = counted(len(runs) - len(same), "run")
        streams.print_message(f"{name}: left out: {left} that did other work")
    return same


def _say_left_out(name: str, entries: Sequence[Entry], fitting: Sequence[Entry]) -> None:
    others = len(entries) - len(fitting)
    if others and fitting:
        left = counted(others, "run")
        streams.print_message(f"{name}: left out: {left} of other environments")


def _sources(item: str, access: WandbAccess, store: BaselineStore | None) -> Iterator[Path | str]:
    """Yield a path for each document or run folder, the item itself for a W&B run."""
    path = Path(item)
    if item.startswith((WANDB_PREFIX, "http://", "https://")):
        yield item.removeprefix(WANDB_PREFIX)
    elif path.exists():
        yield from _of_path(path)
    elif glob.has_magic(item):
        matches = sorted(glob.glob(item, recursive=True))  # noqa: PTH207 - absolute patterns too
        if not matches:
            raise SourceError(f"no file or folder matches {item}")
        for match in matches:
            yield from _of_path(Path(match))
    elif _is_run_id(item, access):
        yield item
    else:
        raise SourceError(
            f"can't read {item}: no such file or folder{_no_such_name(store)}; "
            f"a W&B run is written {WANDB_PREFIX}ID, or needs --project"
        )


def _no_such_name(store: BaselineStore | None) -> str:
    if store is None:
        return ""
    names = ", ".join(summary.name for summary in store.summaries()) or "nothing"
    return f", and no name of the store ({store.folder} holds {names})"


def _is_run_id(item: str, access: WandbAccess) -> bool:
    """Whether an item that is no file can be an id: only where a project to look in is named."""
    has_project = access.project is not None or "WANDB_PROJECT" in os.environ
    return has_project and _RUN_ID.match(item) is not None


def _of_path(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    own = _document_in(path)
    if own is not None:
        yield own
        return
    if not _has_records(path):
        several = [*path.glob("*.json"), *path.glob("*/baseline.json")]
        several += [*path.glob("*/baseline/baseline.json")]
        if not several:
            raise SourceError(
                f"can't read {path}: it is no run's folder and no folder of runs: there is no "
                "baseline.json and no records of a run in it; a training with "
                "callbacks=baseline_report leaves them"
            )
        yield from sorted(several, key=str)
        return
    yield path


def _document_in(folder: Path) -> Path | None:
    documents = (folder / "baseline.json", folder / "baseline" / "baseline.json")
    return next((document for document in documents if document.is_file()), None)


def _has_records(folder: Path) -> bool:
    from ocr_baseline.records import reader

    try:
        reader.find_records(folder)
    except SourceError:
        return False
    return True


def _read(source: Path | str, access: WandbAccess) -> FoundRun:
    if isinstance(source, str):
        baseline = inputs.baseline_of_wandb_run(
            source, project=access.project, entity=access.entity, timeout_s=access.timeout_s
        )
        return FoundRun(label=source, baseline=baseline)
    if source.is_dir():
        return _read_records(source)
    from ocr_baseline.model.document_file import read_baseline

    baseline = read_baseline(source)
    return FoundRun(label=_label(source), baseline=baseline)


def _read_records(folder: Path) -> FoundRun:
    from ocr_baseline.analysis import analyze
    from ocr_baseline.records import reader

    return FoundRun(label=str(folder), baseline=analyze(reader.load(folder)))


def _label(document: Path) -> str:
    """Return the document's path without what every run's path ends in."""
    parts = list(document.parts)
    if parts[-1] == "baseline.json" and len(parts) > 1:
        parts.pop()
        if parts[-1] == "baseline" and len(parts) > 1:
            parts.pop()
    return str(Path(*parts))
