"""`sweep_baselines.csv`: a row for each job of a sweep, SI units in the columns' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text.csv_text import Cell, write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.reports.sweep.job import SweepJob

COLUMNS = (
    "job",
    "overrides",
    "status",
    "ended_by",
    "train_sample_time_s",
    "validation_sample_time_s",
    "sample_ratio",
    "train_throughput_samples_per_s",
    "validation_throughput_samples_per_s",
    "process_tree_rss_peak_bytes",
    "accelerator_allocated_peak_bytes",
    "largest_finding",
    "largest_finding_saving_s",
    "problem",
)


def render_sweep_csv(jobs: Sequence[SweepJob]) -> str:
    """Return the table as CSV; a cell is empty where a job did not measure the value."""
    return write_csv(COLUMNS, (_row(job) for job in jobs))


def _row(job: SweepJob) -> list[Cell]:
    measured = {} if job.baseline is None else _measured(job.baseline)
    known: dict[str, Cell] = {
        "job": job.name,
        "overrides": " ".join(job.overrides),
        "problem": job.problem,
    }
    return [(known | measured).get(column) for column in COLUMNS]


def _measured(baseline: Baseline) -> dict[str, Cell]:
    train, validation = baseline.phase("train"), baseline.phase("validation")
    compared = baseline.train_vs_validation
    ratio = None if compared is None else compared.sample_ratio
    memory = baseline.memory
    tree = None if memory is None else memory.process_tree_rss_bytes
    accelerator = None if memory is None else memory.accelerator
    finding = next(iter(baseline.ranked_findings), None)
    return {
        "status": baseline.run.status,
        "ended_by": baseline.run.ended_by,
        "train_sample_time_s": None if train is None else train.sample_time_s,
        "validation_sample_time_s": None if validation is None else validation.sample_time_s,
        "sample_ratio": None if ratio is None else ratio.value,
        "train_throughput_samples_per_s": None if train is None else train.throughput_samples_per_s,
        "validation_throughput_samples_per_s": (
            None if validation is None else validation.throughput_samples_per_s
        ),
        "process_tree_rss_peak_bytes": None if tree is None else tree.peak,
        "accelerator_allocated_peak_bytes": (
            None if accelerator is None else accelerator.allocated_peak_bytes
        ),
        "largest_finding": None if finding is None else finding.title,
        "largest_finding_saving_s": None if finding is None else finding.estimated_saving_s,
    }
