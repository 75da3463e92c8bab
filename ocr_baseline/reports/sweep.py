"""The jobs of a sweep side by side: `sweep_baselines.md` for people, `.csv` for spreadsheets.

The page is `page/sweep_page.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.model.document import AcceleratorMemory, Memory, MemoryUse, Phase
from ocr_baseline.reports.story.causes import headlines
from ocr_baseline.reports.story.run_facts import quoted
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.csv_text import Cell, write_csv
from ocr_baseline.reports.text.markdown_text import prose
from ocr_baseline.reports.text.plain_text import counted
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ocr_baseline.model.document import Baseline

TITLE = "Performance baselines of a sweep"


@dataclass(frozen=True, kw_only=True)
class SweepJob:
    """One job; `baseline` is None where there is none, and `problem` says why.

    `page` is the place of its page from the sweep's folder, where it has one.
    """

    name: str
    overrides: tuple[str, ...] = ()
    baseline: Baseline | None = None
    problem: str | None = None
    page: str | None = None


class _Number(NamedTuple):
    """A number of a job: its column in the CSV, and in Markdown where it stands there too."""

    column: str
    value: Callable[[Baseline], float | None]
    header: str = ""
    text: Callable[[float | None], str] = formatting.number


def _phase(baseline: Baseline, name: str) -> Phase:
    return baseline.phase(name) or Phase.model_construct(name=name)


def _ratio(baseline: Baseline) -> float | None:
    compared = baseline.train_vs_validation
    return compared.sample_ratio.value if compared and compared.sample_ratio else None


_NUMBERS = (
    _Number(
        "train_sample_time_s",
        lambda baseline: _phase(baseline, "train").sample_time_s,
        "Train per sample",
        formatting.duration,
    ),
    _Number(
        "validation_sample_time_s",
        lambda baseline: _phase(baseline, "validation").sample_time_s,
        "Validation per sample",
        formatting.duration,
    ),
    _Number("sample_ratio", _ratio, "Validation / train", formatting.ratio),
    _Number(
        "train_throughput_samples_per_s",
        lambda baseline: _phase(baseline, "train").throughput_samples_per_s,
        "Train throughput",
        formatting.samples_per_s,
    ),
    _Number(
        "validation_throughput_samples_per_s",
        lambda baseline: _phase(baseline, "validation").throughput_samples_per_s,
    ),
    _Number(
        "process_tree_rss_peak_bytes",
        lambda baseline: ((baseline.memory or Memory()).process_tree_rss_bytes or MemoryUse()).peak,
        "Peak resident memory",
        formatting.byte_size,
    ),
    _Number(
        "accelerator_allocated_peak_bytes",
        lambda baseline: (
            ((baseline.memory or Memory()).accelerator or AcceleratorMemory()).allocated_peak_bytes
        ),
        "Peak accelerator memory",
        formatting.byte_size,
    ),
)
_SHOWN = tuple(number for number in _NUMBERS if number.header)


def render_sweep_csv(jobs: Sequence[SweepJob]) -> str:
    """Return a row for each job, in SI units; a cell is empty where a job lacks the value."""
    headers = ["job", "overrides", "status", "ended_by", *(number.column for number in _NUMBERS)]
    headers += ["largest_finding", "largest_finding_saving_s", "problem"]
    return write_csv(headers, (_cells(job) for job in jobs))


def _cells(job: SweepJob) -> list[Cell]:
    named: list[Cell] = [job.name, " ".join(job.overrides)]
    baseline = job.baseline
    if baseline is None:
        return [*named, None, None, *[None] * len(_NUMBERS), None, None, job.problem]
    finding = next(iter(headlines(baseline)), None)
    return [
        *named,
        baseline.run.status,
        baseline.run.ended_by,
        *(number.value(baseline) for number in _NUMBERS),
        finding.title if finding else None,
        finding.estimated_saving_s if finding else None,
        job.problem,
    ]


def render_sweep_markdown(jobs: Sequence[SweepJob]) -> str:
    """Return the table, then why each job without a baseline has none and what ended the others."""
    blocks = [
        f"# {TITLE}",
        introduction(jobs),
        sweep_table(jobs).markdown(),
        "\n".join(f"- {prose(note)}" for note in sweep_notes(jobs)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def introduction(jobs: Sequence[SweepJob]) -> str:
    """Return how many jobs there are."""
    return f"{counted(len(jobs), 'job')}. Each job's report is in its own folder."


def sweep_table(jobs: Sequence[SweepJob]) -> Table:
    """Return a row for each job."""
    headers = ["Job", "Overrides", "Status", *(number.header for number in _SHOWN)]
    align = "lll" + "r" * len(_SHOWN) + "l"
    headers.append("Largest finding")
    return Table(headers=headers, rows=[_row(job) for job in jobs], align=align)


def _row(job: SweepJob) -> list[str]:
    named: list[str] = [Name(job.name), Name(" ".join(job.overrides)) if job.overrides else ""]
    baseline = job.baseline
    if baseline is None:
        return [*named, "no baseline", *[formatting.NOT_MEASURED] * len(_SHOWN), ""]
    finding = next(iter(headlines(baseline)), None)
    return [
        *named,
        baseline.run.status,
        *(number.text(number.value(baseline)) for number in _SHOWN),
        finding.title.rstrip(".") if finding else "none",
    ]


def sweep_notes(jobs: Sequence[SweepJob]) -> Iterator[str]:
    """Yield why a job has no baseline, and what ended the others."""
    for job in jobs:
        if job.problem:
            yield f"{quoted(job.name)} has no baseline: {job.problem.rstrip('.')}."
        elif job.baseline is not None and job.baseline.run.ended_by:
            yield f"{quoted(job.name)} was ended by {quoted(job.baseline.run.ended_by)}."
