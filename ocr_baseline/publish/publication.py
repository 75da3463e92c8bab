"""What is published of a run: a handful of numbers, the page and the Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.errors import PublishError
from ocr_baseline.reports.registry import RUN
from ocr_baseline.vocabulary import PHASE_NAMES, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ocr_baseline.model.document import Baseline, Phase

PREFIX = "baseline/"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A report that is ready to leave; all of it has passed the output gate.

    Attributes:
        scalars: Numbers by name, `baseline/...`; what wasn't measured isn't there.
        page: The HTML page, a file; None where it couldn't be rendered.
        markdown: The report in GitHub's Markdown.
        batches: Batches of training, the step that the numbers belong to.
    """

    scalars: Mapping[str, float]
    page: Path | None
    markdown: str
    batches: int

    def needed_page(self) -> Path:
        """Return the page, for a target that can't do without.

        Raises:
            PublishError: There is none.
        """
        if self.page is None:
            raise PublishError("the report has no page, as it could not be rendered")
        return self.page


def publication_of(baseline: Baseline, page: Path | None) -> Publication:
    """Return what is published of a run whose page is in a file."""
    trained = (phase.batches or 0 for phase in baseline.phases if phase.name == "train")
    return Publication(
        scalars={f"{PREFIX}{name}": value for name, value in scalars_of(baseline)},
        page=page,
        markdown=RUN["markdown"](baseline),
        batches=sum(trained),
    )


def scalars_of(baseline: Baseline) -> Iterator[tuple[str, float]]:
    """Yield the numbers that a dashboard shows of a run, by name; only what was measured."""
    start, goodput = baseline.start, baseline.goodput
    memory = baseline.memory
    accelerator = None if memory is None else memory.accelerator
    whole = {
        "time_to_first_step_s": None if start is None else start.time_to_first_step_s,
        "goodput_share": None if goodput is None else goodput.share,
        "accelerator_peak_bytes": None if accelerator is None else accelerator.reserved_peak_bytes,
    }
    yield from ((name, value) for name, value in whole.items() if value is not None)
    for phase in map(baseline.phase, PHASE_NAMES):
        if phase is not None:
            for name, value in _of_phase(phase):
                if value is not None:
                    yield f"{phase.name}_{name}", value


def _of_phase(phase: Phase) -> Iterator[tuple[str, float | None]]:
    times = phase.batch_time_s
    yield "batch_time_s", None if times is None else times.median
    yield "samples_per_s", phase.throughput_samples_per_s
    waits = (line.share for line in phase.breakdown if line.name == Line.DATA_WAIT.value)
    yield "data_wait_share", next(waits, None)
