"""From a run to the files of its report: analyze, render, write."""

from __future__ import annotations

import json
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
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run

logger = OutwardLogger(__name__)

_NAMES = (JSON_NAME, MARKDOWN_NAME, METRICS_NAME, SERIES_NAME, HTML_NAME)
"""In the order in which they are written: the page, which has the most to draw, comes last."""

_MARKS = {
    JSON_NAME: b'"ocr-baseline"',
    MARKDOWN_NAME: b"# Performance Baseline Report",
    METRICS_NAME: b"phase,dataloader,",
    SERIES_NAME: b"stage,dataloader_idx,",
    HTML_NAME: b"default-src &#39;none&#39;",
}
"""What each file of a report has in its first bytes, by its name."""
_FIRST_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """A written report, in a folder.

    A file is None where its renderer failed, `series_csv` also where the source kept no single
    batches. `earlier` is where another run's report now is that was here before.
    """

    baseline: Baseline
    folder: Path
    html: Path | None
    markdown: Path | None
    json: Path | None
    metrics_csv: Path | None
    series_csv: Path | None
    earlier: Path | None = None

    @property
    def first_read(self) -> Path:
        """What a person opens first: the page, else the Markdown, else the folder."""
        return self.html or self.markdown or self.folder

    def _repr_html_(self) -> str | None:
        """Return the page in a frame, which is what a notebook shows."""
        from ocr_baseline.reports.page.notebook import framed

        page = _text_of(self.html)
        return None if page is None else framed(page)

    def _repr_markdown_(self) -> str | None:
        """Return the report, which a notebook that shows no HTML shows."""
        return _text_of(self.markdown)


def _text_of(file: Path | None) -> str | None:
    """Return what a file of a report holds, None where it is gone."""
    with suppress(OSError):
        return None if file is None else file.read_text(encoding="utf-8")
    return None


def write_report(run: Run, output_dir: Path, *, renews: datetime | None = None) -> ReportFiles:
    """Write the report of a run into a folder and return what was written.

    The report of another run that is there is kept in `earlier/`; one of this run is replaced. A
    file that is no report's (a logger's `metrics.csv`) stays, and costs the report its own. Each
    file is written atomically, the document first. A renderer that fails costs its own file alone;
    one warning names it.

    Args:
        run: The run.
        output_dir: The folder.
        renews: When the last report of this run was made; it tells it from another run's where
            the time at which they began isn't known.

    Raises:
        BaselineError: When a file can't be written, none can be rendered, or another program's
            document is there.
    """
    # Imported when a report is written: the callbacks import this module at the start of a
    # training, which needs neither scipy nor pydantic nor jinja2.
    from ocr_baseline.analysis.analyze import analyze
    from ocr_baseline.reports.run.csv import has_series

    own_names = _without_others_files(output_dir)
    baseline = analyze(run)
    names = [name for name in own_names if name != SERIES_NAME or has_series(run)]
    if SERIES_NAME in names:
        baseline = baseline.model_copy(update={"series": SERIES_NAME})
    earlier = _keep_earlier(output_dir, baseline, own_names, renews=renews)
    report = _Report(run, output_dir)
    report.write(names[:1], baseline, names)
    report.remove(set(own_names) - set(names) if earlier is None else own_names[1:])
    report.write(names[1:], baseline, names)
    if report.failures:
        baseline = report.write_without_failures(baseline, names)
    places = {name: output_dir / name for name in names if name not in report.failures}
    return ReportFiles(
        baseline=baseline,
        folder=output_dir,
        html=places.get(HTML_NAME),
        markdown=places.get(MARKDOWN_NAME),
        json=places.get(JSON_NAME),
        metrics_csv=places.get(METRICS_NAME),
        series_csv=places.get(SERIES_NAME),
        earlier=earlier,
    )


class _Report:
    """The files of one report as they are written; `failures` has why one isn't, by its name."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self.failures: dict[str, str] = {}

    def write(self, names: Sequence[str], baseline: Baseline, all_names: Sequence[str]) -> None:
        """Write some of the files in their order.

        Raises:
            BaselineError: When one can't be written.
        """
        for name in names:
            try:
                self._write(name, baseline, [one for one in all_names if one != MARKDOWN_NAME])
            except BaselineError:
                raise
            except Exception as error:  # noqa: BLE001 - one renderer must not cost the other files
                let_through(error)
                self.failures[name] = error_text(error)
                self.remove([name])

    def _write(self, name: str, baseline: Baseline, beside: Sequence[str]) -> None:
        from ocr_baseline.files import write_parts_atomically, write_text_atomically
        from ocr_baseline.reports.registry import RUN
        from ocr_baseline.reports.run.csv import series_csv_parts

        path = self._folder / name
        if name == SERIES_NAME:  # many batches don't fit in memory: rendered as they are written
            write_parts_atomically(path, series_csv_parts(self._run))
        elif name == MARKDOWN_NAME:
            write_text_atomically(path, RUN["markdown"](baseline, beside=beside))
        else:
            renderer = next(one for one in RUN.values() if one.file == name)
            write_text_atomically(path, renderer.of_run(baseline, self._run))

    def write_without_failures(self, baseline: Baseline, names: Sequence[str]) -> Baseline:
        """Let the files that are left name no others, warn once, and return the document.

        Raises:
            BaselineError: When none is left, or one can't be written.
        """
        causes = "; ".join(f"{name} ({cause})" for name, cause in self.failures.items())
        left = [name for name in names if name not in self.failures]
        if not left:
            raise BaselineError(f"nothing of the report could be rendered: {causes}")
        if SERIES_NAME in self.failures:
            baseline = baseline.model_copy(update={"series": None})
        self.write([name for name in left if name in {JSON_NAME, MARKDOWN_NAME}], baseline, left)
        logger.warning(
            "A part of the performance baseline could not be rendered: %s. %s has the rest: %s.",
            causes,
            self._folder,
            ", ".join(left),
        )
        return baseline

    def remove(self, names: Iterable[str]) -> None:
        """Remove what a report that was there before has left under these names."""
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)


def _without_others_files(folder: Path) -> list[str]:
    """Return the names under which a report can be written: those of another program's files stay.

    Raises:
        BaselineError: When the document's is one of them.
    """
    others = [name for name in _NAMES if _is_anothers(folder / name)]
    if others:
        text = f"{', '.join(others)} in {folder} is another program's and stays"
        remedy = "give the baseline an output_dir of its own"
        if JSON_NAME in others:
            raise BaselineError(f"{text}: {remedy}")
        logger.warning("%s: the report is without its own. To have it, %s.", text, remedy)
    return [name for name in _NAMES if name not in others]


def _is_anothers(path: Path) -> bool:
    """Whether a file has the name of one of a report's and isn't one; a damaged document is.

    A pipe, a socket or a device isn't: writing to it would wait for whoever reads there.
    """
    from ocr_baseline.files import is_regular, open_regular, read_bytes

    try:
        if path.exists() and not (path.is_dir() or is_regular(path)):
            return True
        with open_regular(path) as file:
            if _MARKS[path.name] in file.read(_FIRST_BYTES):
                return False
        return path.name != JSON_NAME or isinstance(json.loads(read_bytes(path)), dict)
    except (OSError, ValueError, RecursionError, BaselineError):
        return False  # nothing is there, or nothing that can be read: the writer says what is wrong


def _keep_earlier(
    folder: Path, new: Baseline, names: Sequence[str], *, renews: datetime | None
) -> Path | None:
    """Keep another run's report; it stays in its place too until the new one is there.

    Returns:
        The folder where it is kept; None where there is none of another run.

    Raises:
        BaselineError: When it can't be kept.
    """
    if not (folder / JSON_NAME).is_file():
        return None
    began, written = _times_of(folder / JSON_NAME)
    begins = new.run.started_at
    if written == renews if began is None or begins is None else began == begins:
        return None
    place = earlier_folder(folder, began or written)
    if _is_same_file(place / JSON_NAME, folder / JSON_NAME):
        return place  # the new report couldn't be written the last time
    place = unused(place, JSON_NAME)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            if (folder / name).is_file():
                _link(folder / name, place / name)
    except OSError as error:
        raise BaselineError(f"can't keep the earlier report in {place}: {error}") from error
    return place


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
