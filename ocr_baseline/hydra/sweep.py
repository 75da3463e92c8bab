"""One table of the jobs of a sweep, from the baselines in their folders."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.files import write_text_atomically
from ocr_baseline.layout import (
    HTML_NAME,
    JSON_NAME,
    SWEEP_MARKDOWN_NAME,
    records_in,
)
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.model.privacy import redact_arguments
from ocr_baseline.recovery import Ending, recover_report
from ocr_baseline.reports.registry import SWEEP
from ocr_baseline.reports.sweep import SweepJob
from ocr_baseline.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline

MAX_JOB_DEPTH = 6
_OVERRIDES = (".hydra", "overrides.yaml")
_DIGITS = re.compile(r"(\d+)")


def write_sweep_report(folder: Path, *, baseline_dir: str = "baseline") -> Path | None:
    """Write `sweep_baselines.html`, `.md` and `.csv` for the jobs in a sweep's folder.

    A job that left records but no report gets its report first.

    Returns:
        The Markdown file; None if no job measured anything, and then nothing is written.

    Raises:
        BaselineError: When a file can't be written.
    """
    jobs = [_job(path, folder, baseline_dir) for path in _job_folders(folder, baseline_dir)]
    if all(job.baseline is None for job in jobs):
        return None
    for renderer in SWEEP.values():
        if renderer.file is not None:
            write_text_atomically(folder / renderer.file, renderer(jobs))
    return folder / SWEEP_MARKDOWN_NAME


def _job_folders(folder: Path, baseline_dir: str) -> list[Path]:
    """Return the jobs' folders, sorted by number, then by name."""
    return sorted(_walk(folder, baseline_dir, depth=0), key=_natural_order)


def _walk(folder: Path, baseline_dir: str, *, depth: int) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if not entry.is_dir(follow_symlinks=False) or entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if path.joinpath(*_OVERRIDES).is_file() or (path / baseline_dir / JSON_NAME).is_file():
            yield path
        elif depth < MAX_JOB_DEPTH:
            yield from _walk(path, baseline_dir, depth=depth + 1)


def _natural_order(path: Path) -> list[tuple[int, str]]:
    parts = _DIGITS.split(str(path))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _job(path: Path, sweep: Path, baseline_dir: str) -> SweepJob:
    baseline, problem = _baseline(path / baseline_dir)
    page = path / baseline_dir / HTML_NAME
    return SweepJob(
        name=path.relative_to(sweep).as_posix(),
        overrides=_overrides(path),
        baseline=baseline,
        problem=problem,
        page=page.relative_to(sweep).as_posix() if page.is_file() else None,
    )


def _baseline(folder: Path) -> tuple[Baseline | None, str | None]:
    """Return the job's baseline, or why there is none."""
    try:
        if records_in(folder) is not None:
            recover_report(folder, Ending())
        if not (folder / JSON_NAME).is_file():
            return None, "it left no records"
        return read_baseline(folder / JSON_NAME), None
    except BaselineError as error:
        return None, str(error)


def _overrides(path: Path) -> tuple[str, ...]:
    try:
        content = read_yaml(path.joinpath(*_OVERRIDES))
    except BaselineError:
        return ()
    return tuple(redact_arguments(content)) if isinstance(content, list) else ()
