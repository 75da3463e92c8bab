"""Which runs are at a place: found, not yet read."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.files import kind_of, short
from ocr_baseline.layout import HTML_NAME, JSON_NAME, MARKDOWN_NAME, document_in, records_in
from ocr_baseline.places.place import Place, can_be_name
from ocr_baseline.sources import all_sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.places.place import Reading
    from ocr_baseline.sources.source import ReadOptions

MAX_NAMED = 5
_PAGES = {Path(MARKDOWN_NAME).suffix, Path(HTML_NAME).suffix}
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{4,64}$")
_URLS = ("http://", "https://")


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
    if not can_be_name(item):
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
    if path.suffix in _PAGES:
        raise SourceError(
            f"{path} is a page for people; to read the run, name its folder or "
            f"the {JSON_NAME} there"
        )
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
