"""From a run to the files of its report: analyze, render, write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.layout import HTML_NAME, JSON_NAME, MARKDOWN_NAME, METRICS_NAME, SERIES_NAME

if TYPE_CHECKING:
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

    @property
    def page(self) -> Path:
        """The report that a person opens first."""
        return self.html


def write_report(run: Run, output_dir: Path) -> ReportFiles:
    """Write the report of a run into a folder, over an earlier one, and return what was written.

    The document is rendered before the first file is written, and each file is written atomically;
    the batches, which may be many, are rendered as they are written.

    Raises:
        BaselineError: When a file can't be written.
    """
    # Imported when a report is written: the callbacks import this module at the start of a
    # training, which needs neither scipy nor pydantic nor jinja2.
    from ocr_baseline.analysis import analyze
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
    if has_batches:
        write_parts_atomically(output_dir / SERIES_NAME, series_csv_parts(run))
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
