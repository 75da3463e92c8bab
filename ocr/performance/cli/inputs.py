"""What a command reads: a run's records, a baseline document or a W&B run.

The engine is imported when there is something to read: `--help` and usage errors do without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr.performance.cli import streams
from ocr.performance.errors import SourceError

if TYPE_CHECKING:
    from ocr.performance.baseline import Baseline


def baseline_of_path(path: Path) -> Baseline:
    """Return the baseline of a run's folder or of a document.

    Raises:
        SourceError: When there is nothing to read.
        SchemaError: When the document is none that this version reads.
    """
    if path.is_dir():
        return baseline_of_folder(path)
    from ocr.performance.documents import read_baseline

    return read_baseline(path)


def baseline_of_folder(folder: Path) -> Baseline:
    """Return the baseline of the records in a run's folder, else of the document in it.

    Raises:
        SourceError: When the folder holds neither, or what it holds can't be read.
        SchemaError: When the document is none that this version reads.
    """
    if not folder.is_dir():
        reason = "it is no folder" if folder.exists() else "no such folder"
        raise SourceError(f"can't read {folder}: {reason}")
    from ocr.performance.analysis import analyze
    from ocr.performance.documents import read_baseline
    from ocr.performance.report import JSON_NAME
    from ocr.performance.sources import recorder

    try:
        recorder.find_records(folder)
    except SourceError:
        for document in (folder / JSON_NAME, folder / "baseline" / JSON_NAME):
            if document.is_file():
                return read_baseline(document)
        raise
    return analyze(recorder.load(folder))


def baseline_of_wandb_run(
    run_id: str, *, project: str | None, entity: str | None, timeout_s: float
) -> Baseline:
    """Return the baseline of a W&B run, with progress on stderr while the server is asked.

    Raises:
        SourceError: When the run can't be read.
    """
    with streams.progress(f"Reading run {run_id} from Weights & Biases"):
        from ocr.performance.analysis import analyze
        from ocr.performance.sources import wandb_api

        run = wandb_api.load(run_id, project=project, entity=entity, timeout_s=timeout_s)
        return analyze(run)
