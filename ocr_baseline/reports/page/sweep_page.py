"""A sweep's page: its jobs side by side, each with the way to its own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ocr_baseline.reports.page.frame import LOADS_NOTHING, filled
from ocr_baseline.reports.page.view import shown_table
from ocr_baseline.reports.sweep import TITLE, introduction, sweep_notes, sweep_table
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of

if TYPE_CHECKING:
    from ocr_baseline.reports.sweep import SweepJob

MOST_DRAWN = 200
_PHASES = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class ShownTime:
    """Time per sample of a phase, as a bar; `width` is a share of the longest in the sweep."""

    css: str
    width: float
    text: str


@dataclass(frozen=True, kw_only=True)
class ShownJob:
    """A job and its times."""

    name: str
    overrides: str
    page: str | None
    times: Sequence[ShownTime]


def render_sweep_page(jobs: Sequence[SweepJob]) -> str:
    """Return the page; equal sweeps give equal texts."""
    return filled(
        "sweep.html.j2",
        {
            "title": TITLE,
            "introduction": introduction(jobs),
            "jobs": _drawn(jobs),
            "table": shown_table(sweep_table(jobs), "All jobs"),
            "notes": list(sweep_notes(jobs)),
            "footer": LOADS_NOTHING,
        },
    )


def _drawn(jobs: Sequence[SweepJob]) -> list[ShownJob]:
    """Return the jobs that measured a time per sample, the first 200 of them."""
    times_s = {job.name: _times_s(job) for job in jobs}
    longest_s = max((one for times in times_s.values() for one in times.values()), default=0.0)
    return [
        ShownJob(
            name=name_of(job.name),
            overrides=name_of(" ".join(job.overrides)) if job.overrides else "",
            page=None if job.page is None else quote(job.page),
            times=[
                ShownTime(
                    css=f"stage-{phase}",
                    width=seconds / (longest_s or 1.0),
                    text=formatting.duration(seconds),
                )
                for phase, seconds in times_s[job.name].items()
            ],
        )
        for job in jobs
        if times_s[job.name]
    ][:MOST_DRAWN]


def _times_s(job: SweepJob) -> dict[str, float]:
    found = {}
    for name in _PHASES:
        phase = job.baseline.phase(name) if job.baseline is not None else None
        if phase is not None and phase.sample_time_s is not None:
            found[name] = phase.sample_time_s
    return found
