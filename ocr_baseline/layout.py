"""Names of the files and folders that a run leaves behind, each spelled here alone.

    OUTPUT_FOLDER/      the Hydra run's folder, else `trainer.default_root_dir`
        records/        the profiler's records: `rank_0.jsonl`, `rank_0_worker_*.jsonl`, ...
        baseline/       the newest report: `baseline.html`, `baseline.md`, `baseline.json`, ...
            earlier/    what earlier runs left in the folder, each in a folder of its own, named
                        by when the run began: its report, and its records in `records/`

A folder that someone names is looked through in this order, and the first that is there is read:

1. records (`RECORDS_FOLDERS`): the run itself, every batch of it, from the moment it began;
2. the document (`DOCUMENT_FOLDERS`): what an analysis once made of the run;
3. what loggers left in the folder itself, in the order of `ocr_baseline.sources.SOURCES`:
   `metrics.csv`, TensorBoard's events, the W&B client's `run-ID.wandb`;
4. the runs in the folders below it, and in the folders below those.

Records come first although a document can be newer: a document is made from records or from less,
and analyzing them anew gives every run of a comparison the same, present analysis. Of a document
of the same run only its word on how the run ended counts, where the records had no time to tell.
"""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import chain, count
from typing import TYPE_CHECKING

from ocr_baseline.files import is_regular

if TYPE_CHECKING:
    from pathlib import Path

RECORDS_FOLDER = "records"
BASELINE_FOLDER = "baseline"
MARKDOWN_NAME = "baseline.md"
HTML_NAME = "baseline.html"
JSON_NAME = "baseline.json"
METRICS_NAME = "metrics.csv"
SERIES_NAME = "batches.csv"
DEFAULT_STORE = "baselines"
STORE_VARIABLE = "OCR_BASELINE_STORE"
"""The store of named baselines: a folder in the current one, unless the environment names it."""
TRIAL_VARIABLE = "OCR_BASELINE_TRIAL"
"""Names the folder of a run that is one of several, to all of its processes."""
GIT_STATE_VARIABLE = "OCR_BASELINE_GIT_STATE"
"""What git said as a run was asked for: the commit, then `clean` or `dirty`."""
SWEEP_HTML_NAME = "sweep_baselines.html"
SWEEP_MARKDOWN_NAME = "sweep_baselines.md"
SWEEP_CSV_NAME = "sweep_baselines.csv"
EARLIER_FOLDER = "earlier"
"""In a report's folder: what earlier runs left there. In the records' folder: the records of the
run before, until the new one has ended with a batch."""
MAIN_RECORDS_NAME = "rank_0.jsonl"
"""The records of rank 0, without which a folder holds none."""
RECORDS_FOLDERS = ("", f"{RECORDS_FOLDER}/", f"{BASELINE_FOLDER}/{RECORDS_FOLDER}/")
DOCUMENT_FOLDERS = ("", f"{BASELINE_FOLDER}/")
"""Where in a run's folder its records and its document can be, the first that has them first."""


def earlier_folder(folder: Path, began: datetime) -> Path:
    """Return where a report's folder keeps the report and records of a run that began then."""
    if began.tzinfo is not None:
        began = began.astimezone(timezone.utc)
    return folder / EARLIER_FOLDER / f"{began:%Y-%m-%d_%H-%M-%S}"


def unused(folder: Path, holds: str) -> Path:
    """Return the folder, or the first of `FOLDER-2`, ... that doesn't hold a file of that name."""
    places = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(place for place in chain([folder], places) if not (place / holds).exists())


def records_in(folder: Path) -> Path | None:
    """Return the folder of the records in a run's folder, which may be that folder itself."""
    places = (folder / inside for inside in RECORDS_FOLDERS)
    return next((place for place in places if is_regular(place / MAIN_RECORDS_NAME)), None)


def document_in(folder: Path) -> Path | None:
    """Return the baseline document in a run's folder."""
    places = (folder / inside / JSON_NAME for inside in DOCUMENT_FOLDERS)
    return next((place for place in places if is_regular(place)), None)


def records_name(rank: int) -> str:
    """Return the name of a rank's file of records."""
    return f"rank_{rank}.jsonl"


def worker_records_name(rank: int, stage: str, worker: int) -> str:
    """Return the name of the records that one data-loader worker of a stage writes."""
    return f"rank_{rank}_worker_{stage}_{worker}.jsonl"
