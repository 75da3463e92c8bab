"""`tell`: from the document to what a report of it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.causes import causes, further_sentences, small_sentences
from ocr_baseline.reports.story.facts import facts
from ocr_baseline.reports.story.limits import ending, limits
from ocr_baseline.reports.story.parts import Story
from ocr_baseline.reports.story.run_facts import header_facts, run_place
from ocr_baseline.reports.story.sections import sections
from ocr_baseline.reports.story.verdict import verdict
from ocr_baseline.reports.story.versus import versus
from ocr_baseline.reports.text.plain_text import name_of

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


def tell(baseline: Baseline) -> Story:
    """Return what a report says about a run; equal documents give equal stories."""
    run = baseline.run
    return Story(
        name=name_of(run.name or run.id or "unnamed run"),
        place=run_place(baseline),
        url=run.url,
        status=ending(baseline),
        verdict=verdict(baseline),
        limits=tuple(limits(baseline)),
        causes=tuple(causes(baseline)),
        further=tuple(further_sentences(baseline)),
        small=tuple(small_sentences(baseline)),
        versus=versus(baseline),
        facts=tuple(facts(baseline)),
        run_facts=tuple(header_facts(baseline)),
        sections=tuple(sections(baseline)),
    )
