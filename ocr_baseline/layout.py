"""Names of the files and folders that a run leaves behind, each spelled here alone.

    OUTPUT_FOLDER/      the Hydra run's folder, else `trainer.default_root_dir`
        records/        the profiler's records: `rank_0.jsonl`, `rank_0_worker_*.jsonl`, ...
        baseline/       the report: `baseline.html`, `baseline.md`, `baseline.json`, ...

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
SWEEP_HTML_NAME = "sweep_baselines.html"
SWEEP_MARKDOWN_NAME = "sweep_baselines.md"
SWEEP_CSV_NAME = "sweep_baselines.csv"
EARLIER_FOLDER = "earlier"
"""Inside the records' folder: those of the run before, until the new one has finished a batch."""
MAIN_RECORDS_NAME = "rank_0.jsonl"
"""The records of rank 0, without which a folder holds none."""
RECORDS_FOLDERS = ("", f"{RECORDS_FOLDER}/", f"{BASELINE_FOLDER}/{RECORDS_FOLDER}/")
DOCUMENT_FOLDERS = ("", f"{BASELINE_FOLDER}/")
"""Where in a run's folder its records and its document can be, the first that has them first."""


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
