"""`BaselineStore`: named baselines added, listed, accepted, loaded and removed."""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timezone
from typing import TYPE_CHECKING

from ocr_baseline.comparison.calibration import (
    Calibration,
    parse_calibration,
    render_calibration,
)
from ocr_baseline.comparison.identity import fingerprint
from ocr_baseline.comparison.summary import RunSummary, summarize
from ocr_baseline.errors import StoreError
from ocr_baseline.model.document_file import parse_baseline
from ocr_baseline.model.json_text import json_text
from ocr_baseline.store.folder import DEFAULT_TIMEOUT_S, NO_LISTING, StoreFolder

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline

CALIBRATION_NAME = "calibration.json"
ACCEPTED = ".accepted"
STAMP = "%Y%m%dT%H%M%SZ"
DIGEST_LENGTH = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FILE = re.compile(
    r"(?P<stamp>\d{8}T\d{6}Z)-(?P<fingerprint>[0-9a-f]{12})-(?P<digest>[0-9a-f]{8})"
    r"(?P<accepted>\.accepted)?\.json"
)


@dataclass(frozen=True, kw_only=True, order=True)
class Entry:
    """A stored run as its file's name tells it; entries sort by when their runs started."""

    stamp: str
    fingerprint: str
    digest: str
    is_accepted_change: bool

    @property
    def file_name(self) -> str:
        """The name of the file."""
        accepted = ACCEPTED if self.is_accepted_change else ""
        return f"{self.stamp}-{self.fingerprint}-{self.digest}{accepted}.json"


@dataclass(frozen=True, kw_only=True)
class NameSummary:
    """A name of the store: its runs, their environments, files that are none of the store's."""

    name: str
    entries: tuple[Entry, ...]
    foreign_files: tuple[str, ...]
    has_calibration: bool


class BaselineStore:
    """Named baselines in a folder or at a URL."""

    def __init__(self, url: str, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Open a store; it need not exist yet. A web server has `timeout_s` for an answer.

        Raises:
            StoreError: When the URL can't be opened.
        """
        self.folder = StoreFolder(url, timeout_s=timeout_s)

    def summaries(self) -> list[NameSummary]:
        """Return every name of the store, from file names alone.

        Raises:
            StoreError: When the store can't be listed.
        """
        names = (name for name in self.folder.folders() if _NAME.fullmatch(name))
        found = [self._summary(name) for name in names]
        if self.folder.is_web and not any(summary.entries for summary in found):
            raise StoreError(f"{self.folder} {NO_LISTING}")
        return found

    def entries(self, name: str) -> list[Entry]:
        """Return the runs of a name, the oldest first.

        Raises:
            StoreError: When the name can't be one, or when the store can't be listed.
        """
        return list(self._summary(_checked(name)).entries)

    def add(
        self,
        name: str,
        baseline: Baseline,
        *,
        is_accepted_change: bool = False,
    ) -> tuple[Entry, bool]:
        """Store a run, once; return its entry and whether it is new.

        Args:
            name: Under which name.
            baseline: The run's document.
            is_accepted_change: Whether means start anew with this run.

        Raises:
            BaselineError: When it can't be written.
        """
        entry = _entry_of(baseline, is_accepted_change=is_accepted_change)
        for known in self.entries(name):
            if known.digest == entry.digest:
                if is_accepted_change and not known.is_accepted_change:
                    self._mark_accepted(name, known)
                return replace(known, is_accepted_change=entry.is_accepted_change), False
        document = baseline.model_dump(mode="json", by_alias=True)
        text = json_text(document, indent=1)
        self.folder.write(text, name, entry.file_name)
        return entry, True

    def load(self, name: str, entries: Sequence[Entry] | None = None) -> list[RunSummary]:
        """Return the runs of a name (or some of them), the oldest first.

        Raises:
            StoreError: When the name holds no run, or when a file can't be read.
            SchemaError: When a file is damaged; the message says how to remove it.
        """
        chosen = self.entries(name) if entries is None else entries
        if not chosen:
            known = ", ".join(summary.name for summary in self.summaries()) or "nothing"
            raise StoreError(f"{self.folder} holds no baseline {name!r}; it holds {known}")
        with no_collection():
            return [self._load_one(name, entry) for entry in chosen]

    def read(self, name: str, entry: Entry) -> Baseline:
        """Return the document of a stored run.

        Raises:
            StoreError: When it can't be read.
            SchemaError: When it is damaged.
        """
        content = self.folder.read(name, entry.file_name)
        return parse_baseline(content, self.folder.place(name, entry.file_name))

    def remove(self, name: str, file_name: str | None = None) -> None:
        """Remove a name with all its runs, or one file of it.

        Raises:
            StoreError: When there is no such name or file, or when it can't be removed.
        """
        files = self.folder.files(_checked(name))
        if not files:
            raise StoreError(f"{self.folder} holds no baseline {name!r}")
        if file_name is None:
            self.folder.remove(name)
        elif file_name in files:
            self.folder.remove(name, file_name)
        else:
            raise StoreError(f"{self.folder.place(name)} holds no file {file_name!r}")

    def calibration(self, name: str) -> Calibration | None:
        """Return the calibration stored with a name, None when there is none.

        Raises:
            BaselineError: When it can't be read.
        """
        if CALIBRATION_NAME not in self.folder.files(_checked(name)):
            return None
        content = self.folder.read(name, CALIBRATION_NAME)
        place = self.folder.place(name, CALIBRATION_NAME)
        return parse_calibration(content.decode("utf-8", "replace"), place)

    def write_calibration(self, name: str, calibration: Calibration) -> None:
        """Store a calibration with a name, over an earlier one.

        Raises:
            BaselineError: When it can't be written.
        """
        self.folder.write(render_calibration(calibration), _checked(name), CALIBRATION_NAME)

    def _summary(self, name: str) -> NameSummary:
        files = self.folder.files(name)
        matches = {file: _FILE.fullmatch(file) for file in files}
        entries = sorted(
            Entry(
                stamp=match["stamp"],
                fingerprint=match["fingerprint"],
                digest=match["digest"],
                is_accepted_change=match["accepted"] is not None,
            )
            for match in matches.values()
            if match is not None
        )
        return NameSummary(
            name=name,
            entries=tuple(entries),
            foreign_files=tuple(
                file
                for file, match in matches.items()
                if match is None and file.endswith(".json") and file != CALIBRATION_NAME
            ),
            has_calibration=CALIBRATION_NAME in files,
        )

    def _load_one(self, name: str, entry: Entry) -> RunSummary:
        baseline = self.read(name, entry)
        label = baseline.run.name or baseline.run.id or entry.stamp
        run = summarize(baseline, f"{name}/{label}@{entry.stamp}")
        return replace(run, is_accepted_change=entry.is_accepted_change)

    def _mark_accepted(self, name: str, entry: Entry) -> None:
        content = self.folder.read(name, entry.file_name).decode("utf-8")
        marked = replace(entry, is_accepted_change=True)
        self.folder.write(content, name, marked.file_name)
        self.folder.remove(name, entry.file_name)


def _entry_of(baseline: Baseline, *, is_accepted_change: bool) -> Entry:
    moment = (baseline.run.started_at or baseline.generated_at).astimezone(timezone.utc)
    content = summarize(baseline).content
    return Entry(
        stamp=moment.strftime(STAMP),
        fingerprint=fingerprint(baseline.environment.identity),
        digest=hashlib.sha256(content.encode()).hexdigest()[:DIGEST_LENGTH],
        is_accepted_change=is_accepted_change,
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"{name!r} can't name a baseline: use letters, digits, dots, dashes and underscores"
        )
    return name


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking thousands of documents again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
