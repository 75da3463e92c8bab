"""Names of the files and folders that a run leaves behind, each spelled here alone.

OUTPUT_FOLDER/            the Hydra run's folder, else `trainer.default_root_dir`
records/              the profiler's records: `rank_0.jsonl`, `rank_0_worker_*.jsonl`, ...
baseline/             the report: `baseline.md`, `baseline.json`, `metrics.csv`, ...
"""

from __future__ import annotations

RECORDS_FOLDER = "records"
BASELINE_FOLDER = "baseline"
MARKDOWN_NAME = "baseline.md"
JSON_NAME = "baseline.json"
METRICS_NAME = "metrics.csv"
SERIES_NAME = "batches.csv"
SWEEP_MARKDOWN_NAME = "sweep_baselines.md"
SWEEP_CSV_NAME = "sweep_baselines.csv"
MAIN_RECORDS_NAME = "rank_0.jsonl"
"""The records of rank 0, without which a folder holds none."""


def records_name(rank: int) -> str:
    """Return the name of a rank's file of records."""
    return f"rank_{rank}.jsonl"


def worker_records_name(rank: int, stage: str, worker: int) -> str:
    """Return the name of the records that one data-loader worker of a stage writes."""
    return f"rank_{rank}_worker_{stage}_{worker}.jsonl"
