"""What a place is, what is found there, and how places are read."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ocr_baseline.layout import DEFAULT_STORE, STORE_VARIABLE
from ocr_baseline.sources.source import ReadOptions

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.store.baselines import BaselineStore, Entry
    from ocr_baseline.vocabulary import SourceName

_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


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


def can_be_name(item: str) -> bool:
    """Whether runs can be stored under an item: letters, digits, `.`, `_` and `-`."""
    return _BARE_NAME.fullmatch(item) is not None


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
        if not isinstance(item, str) or not can_be_name(item) or Path(item).is_file():
            return []
        is_local = "://" not in self._store_place
        if is_local and not Path(self._store_place, item).is_dir():
            return []  # the store's own modules take longer to import than this look
        return self.store.entries(item)

    @property
    def _store_place(self) -> str:
        return self.store_url or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE
