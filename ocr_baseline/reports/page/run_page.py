"""A run's page: the story's answer, the charts, and every table of the Markdown report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.page.frame import LOADS_NOTHING, filled
from ocr_baseline.reports.page.lanes import lanes
from ocr_baseline.reports.page.rank_chart import rank_chart
from ocr_baseline.reports.page.timeline import Timeline, timeline
from ocr_baseline.reports.page.tree import tree
from ocr_baseline.reports.page.view import shown_cause, shown_fact, shown_section
from ocr_baseline.reports.page.waterfall import waterfall
from ocr_baseline.reports.page.words import safe_link, with_code
from ocr_baseline.reports.story.account_tables import evidence_table
from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.text import wording
from ocr_baseline.reports.text.formatting import instant
from ocr_baseline.reports.text.plain_text import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run
    from ocr_baseline.reports.page.tree import Node
    from ocr_baseline.reports.page.view import ShownSection
    from ocr_baseline.reports.story.parts import Story

TILES = 4
BREAKDOWN, VALIDATION, RANKS = "breakdown", "validation", "ranks"
MEASUREMENT = "measurement"
TIME, OVER_TIME = "time", "run"
"""Of the page's own sections, which are drawn; the others have a section's key."""
_META = ("Started", "Hardware", "Settings", "Commit")


def render_run_page(baseline: Baseline, run: Run | None = None) -> str:
    """Return the page; without the run itself it lacks what is drawn over time."""
    return filled("run.html.j2", _view(baseline, run))


def _view(baseline: Baseline, run: Run | None) -> dict[str, object]:
    story = tell(baseline)
    sections = {section.key: section for section in story.sections}
    shown = {key: shown_section(section) for key, section in sections.items()}
    chart = timeline(baseline, run)
    nodes = tree(baseline, _numbered_lines(story))
    steps = waterfall(story.versus)
    is_empty = wording.is_empty(baseline)
    nothing = wording.no_findings(baseline)
    ranks = rank_chart(baseline)
    placed = (
        ({BREAKDOWN} if nodes else set())
        | ({RANKS} if ranks else set())
        | (set() if is_empty else {VALIDATION})
    )
    places = {
        "validation_vs_training": None if is_empty else VALIDATION,
        "throughput": TIME if nodes else None,
        "waited_for_data": TIME if nodes else None,
        "peak_memory": None if chart is None or chart.memory is None else OVER_TIME,
    }
    return {
        "title": f"Baseline of {story.name}",
        "story": story,
        "place": None if story.place is None else name_of(story.place),
        "link": safe_link(story.url),
        "meta": with_code(_meta(story)),
        "tiles": [
            shown_fact(fact, places.get(fact.key))
            for fact in story.facts[:TILES]
            if fact.value is not None or not is_empty
        ],
        "causes": [
            shown_cause(cause, evidence_table(cause.finding) if cause.finding.evidence else None)
            for cause in story.causes
        ],
        "nothing": nothing,
        "is_judged": nothing in (wording.NO_FINDING, wording.NO_LARGE_FINDING),
        "is_empty": is_empty,
        "tree": nodes,
        "numbered": any(line.cause for node in nodes for line in node.children),
        "opened": _opened(nodes, story),
        "steps": steps,
        "chart": chart,
        "chart_lead": "" if chart is None else _lead(chart),
        "lanes": None if chart is None else lanes(chart),
        "ranks": ranks,
        "sections": shown,
        "open": [] if is_empty else _rest(story, shown, placed, is_detail=False),
        "folded": [
            section
            for is_detail in ((False, True) if is_empty else (True,))
            for section in _rest(story, shown, placed, is_detail=is_detail)
            if not is_empty or section.key == MEASUREMENT or section.has_tables
        ],
        "footer": _footer(baseline),
    }


def _numbered_lines(story: Story) -> dict[str, int]:
    """Return the number of the first cause whose time a line has, by the line's name."""
    numbered = [
        (line, number)
        for number, cause in enumerate(story.causes, start=1)
        for line in cause.finding.lines
    ]
    return dict(reversed(numbered))


def _opened(nodes: Sequence[Node], story: Story) -> int | None:
    """Return which phase stands open: that of the first cause, else the longest one."""
    phases = [line.partition(".")[0] for cause in story.causes for line in cause.finding.lines]
    places = {node.key: place for place, node in enumerate(nodes)}
    named = next((places[phase] for phase in phases if phase in places), None)
    if named is not None or not nodes:
        return named
    return max(range(len(nodes)), key=lambda place: nodes[place].total_s or 0.0)


def _rest(
    story: Story, shown: dict[str, ShownSection], placed: set[str], *, is_detail: bool
) -> list[ShownSection]:
    return [
        shown[section.key]
        for section in story.sections
        if section.is_detail is is_detail and section.key not in placed
    ]


def _meta(story: Story) -> str:
    facts = dict(story.run_facts)
    status = () if story.tells_its_end else (story.status,)
    parts = [*status, *(facts[label] for label in _META if label in facts)]
    return " · ".join(part.rstrip(".") for part in parts)


def _lead(chart: Timeline) -> str:
    drawn = (
        "Of each column of batches the range and the median"
        if chart.is_thinned
        else "Every batch is a dot"
    )
    memory = "; memory below, on the same axis of time" if chart.memory else ""
    return f"{drawn}, at its start{memory}."


def _footer(baseline: Baseline) -> str:
    generator = baseline.generator
    made = f"Made by {generator.name} {generator.version} on {instant(baseline.generated_at)}."
    return f"{made} {LOADS_NOTHING}"
