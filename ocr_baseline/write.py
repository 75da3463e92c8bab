"""From a run to the files of its report: analyze, render, write."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.layout import (
    HTML_NAME,
    JSON_NAME,
    MARKDOWN_NAME,
    METRICS_NAME,
    SERIES_NAME,
    earlier_folder,
    unused,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """A written report; `series_csv` is None when the source kept no single batches."""

    baseline: Baseline
    html: Path
    markdown: Path
    json: Path
    metrics_csv: Path
    series_csv: Path | None


def write_report(run: Run, output_dir: Path, *, renews: datetime | None = None) -> ReportFiles:
    """Write the report of a run into a folder and return what was written.

    The report of another run that is there is kept in `earlier/`; one of this run is replaced.
    The document is rendered before the first file is written, and each file is written atomically;
    the batches, which may be many, are rendered as they are written.

    Args:
        run: The run.
        output_dir: The folder.
        renews: When the last report of this run was made; it tells it from another run's where
            the time at which they began isn't known.

    Raises:
        BaselineError: When a file can't be written.
    """
    # Imported when a report is written: the callbacks import this module at the start of a
    # training, which needs neither scipy nor pydantic nor jinja2.
    from ocr_baseline.analysis.analyze import analyze
    from ocr_baseline.files import write_parts_atomically, write_text_atomically
    from ocr_baseline.reports import registry
    from ocr_baseline.reports.run.csv import has_series, series_csv_parts

    baseline = analyze(run)
    has_batches = has_series(run)
    if has_batches:
        baseline = baseline.model_copy(update={"series": SERIES_NAME})
    texts = {
        renderer.file: renderer.of_run(baseline, run)
        for renderer in registry.RUN.values()
        if renderer.file and renderer.file != MARKDOWN_NAME
    }
    beside = [*texts, SERIES_NAME] if has_batches else [*texts]
    texts[MARKDOWN_NAME] = registry.RUN["markdown"](baseline, beside=beside)
    _keep_earlier(output_dir, baseline, [*texts, SERIES_NAME], renews=renews)
    if has_batches:
        write_parts_atomically(output_dir / SERIES_NAME, series_csv_parts(run))
    else:
        with suppress(OSError):  # the batches of a report that was there before
            (output_dir / SERIES_NAME).unlink(missing_ok=True)
    for name, text in texts.items():
        write_text_atomically(output_dir / name, text)
    return ReportFiles(
        baseline=baseline,
        html=output_dir / HTML_NAME,
        markdown=output_dir / MARKDOWN_NAME,
        json=output_dir / JSON_NAME,
        metrics_csv=output_dir / METRICS_NAME,
        series_csv=output_dir / SERIES_NAME if has_batches else None,
    )


def _keep_earlier(
    folder: Path, new: Baseline, names: Iterable[str], *, renews: datetime | None
) -> None:
    """Keep another run's report; it stays in its place too until the new one is there.

    Raises:
        BaselineError: When it can't be kept.
    """
    if not (folder / JSON_NAME).is_file():
        return
    began, written = _times_of(folder / JSON_NAME)
    begins = new.run.started_at
    if written == renews if began is None or begins is None else began == begins:
        return
    place = earlier_folder(folder, began or written)
    if _is_same_file(place / JSON_NAME, folder / JSON_NAME):
        return  # the new report couldn't be written the last time
    place = unused(place, JSON_NAME)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            if (folder / name).is_file():
                _link(folder / name, place / name)
    except OSError as error:
        raise BaselineError(f"can't keep the earlier report in {place}: {error}") from error


def _times_of(document: Path) -> tuple[datetime | None, datetime]:
    """Return when the run of a document began, where it says so, and when it was written."""
    from ocr_baseline.model.document_file import read_baseline

    try:
        found = read_baseline(document)
    except BaselineError:  # damaged, or of a later version
        return None, datetime.fromtimestamp(document.stat().st_mtime, timezone.utc)
    return found.run.started_at, found.generated_at


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _link(path: Path, kept: Path) -> None:
    """Let a file stand in a second place, as a copy where the file system has no links."""
    with suppress(FileNotFoundError):
        kept.unlink()
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)
