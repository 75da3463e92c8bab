"""`sweep_baselines.md`: the jobs of a sweep side by side, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import Phase
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import code, escape, prose, table
from ocr_baseline.reports.text.plain_text import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.reports.sweep.job import SweepJob

HEADERS = (
    "Job",
    "Overrides",
    "Status",
    "Train per Sample",
    "Validation per Sample",
    "Validation / Train",
    "Train Throughput",
    "Resident Peak",
    "Accelerator Peak",
    "Largest Finding",
)
ALIGN = "lllrrrrrrl"


def render_sweep_markdown(jobs: Sequence[SweepJob]) -> str:
    """Return the table, then why each job without a baseline has none and what ended the others."""
    noun = "job" if len(jobs) == 1 else "jobs"
    blocks = [
        "# Performance Baselines of a Sweep",
        f"{len(jobs)} {noun}; the report of each is in its own folder.",
        table(HEADERS, [_row(job) for job in jobs], ALIGN),
        "\n".join(_notes(jobs)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _row(job: SweepJob) -> list[str]:
    overrides = code(" ".join(job.overrides)) if job.overrides else ""
    if job.baseline is None:
        return [code(job.name), overrides, "no baseline", *[formatting.NOT_MEASURED] * 6, ""]
    return [code(job.name), overrides, job.baseline.run.status, *_numbers(job.baseline)]


def _numbers(baseline: Baseline) -> list[str]:
    train = baseline.phase("train") or Phase(name="train")
    validation = baseline.phase("validation") or Phase(name="validation")
    compared = baseline.train_vs_validation
    ratio = None if compared is None else compared.sample_ratio
    memory = baseline.memory
    tree = None if memory is None else memory.process_tree_rss_bytes
    accelerator = None if memory is None else memory.accelerator
    finding = next(iter(baseline.ranked_findings), None)
    return [
        formatting.duration(train.sample_time_s),
        formatting.duration(validation.sample_time_s),
        formatting.ratio(None if ratio is None else ratio.value),
        formatting.samples_per_s(train.throughput_samples_per_s),
        formatting.byte_size(None if tree is None else tree.peak),
        formatting.byte_size(None if accelerator is None else accelerator.allocated_peak_bytes),
        "none" if finding is None else prose(finding.title.rstrip(".")),
    ]


def _notes(jobs: Sequence[SweepJob]) -> list[str]:
    notes = []
    for job in jobs:
        if job.problem:
            notes.append(f"- {code(job.name)} has no baseline: {escape(job.problem.rstrip('.'))}.")
        elif job.baseline is not None and job.baseline.run.ended_by:
            by = job.baseline.run.ended_by[:MAX_NAME_LENGTH]
            notes.append(f"- {code(job.name)} was ended by {code(by)}.")
    return notes
