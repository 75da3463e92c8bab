"""A comparison in GitHub's Markdown, for the comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import code, escape
from ocr_baseline.reports.text.wording import stage_adjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison

MARKER = "<!-- ocr-baseline comparison -->"
"""By this line a CI job finds its own comment again."""
MAX_LINES = 12
MAX_DIFFERENCES = 30


def render_comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison; equal comparisons give equal texts."""
    return f"{MARKER}\n\n{comparison_section(comparison)}\n"


def comparison_section(comparison: Comparison) -> str:
    """Return the comparison as a part of a page: without the marker of a whole one."""
    return "\n\n".join(["## Performance vs. the baseline", *_blocks(comparison)])


def _blocks(comparison: Comparison) -> Iterator[str]:
    is_forbidden = bool(comparison.obstacles)
    sentence = escape(words.headline(comparison))
    yield f"> [!WARNING]\n> **{sentence}**" if is_forbidden else f"**{sentence}**"
    if is_forbidden:
        yield _differences(comparison)
    if comparison.metrics:
        yield words.metric_table(comparison.metrics).markdown()
    reasons = words.reason_sentences(comparison)
    if reasons:
        yield "\n".join(f"- {escape(reason)}" for reason in reasons)
    for phase in comparison.breakdowns:
        yield _breakdown(phase)
    if comparison.differences and not is_forbidden:
        yield _differences(comparison)
    yield _footer(comparison)


def _breakdown(phase: PhaseChange) -> str:
    stage = stage_adjective(phase.phase)
    deltas = [
        f"{formatting.duration(line.delta_s, signed=True)} {code(line.name)}"
        for line in phase.main_lines
    ]
    total = formatting.duration(phase.delta_s, signed=True)
    sentence = f"**{stage}: {total} per batch**"
    if deltas:
        sentence += f": {', '.join(deltas)}"
    grid = words.line_table(phase, MAX_LINES).markdown()
    return f"{sentence}\n\n<details><summary>Breakdown</summary>\n\n{grid}\n\n</details>"


def _differences(comparison: Comparison) -> str:
    return f"### What differs\n\n{words.difference_table(comparison, MAX_DIFFERENCES).markdown()}"


def _footer(comparison: Comparison) -> str:
    sides = (
        f"Base: {_names(comparison.base.labels)}. New: {_names(comparison.new.labels)}. "
        f"Compared: {words.DESIGN_WORDS[comparison.design]}."
    )
    lines = [f"{note[:1].upper()}{note[1:]}." for note in words.method_notes(comparison)]
    lines.extend(f"Note: {note}" for note in comparison.notes)
    if comparison.not_measured:
        lines.append(f"Not measured on either side: {words.not_measured_text(comparison)}.")
    return "\n".join([f"- {sides}", *(f"- {escape(line)}" for line in lines)])


def _names(labels: Sequence[str]) -> str:
    """Return the names of a side's runs as code, the first three where there are more."""
    rest = len(labels) - words.MAX_SHOWN_RUNS
    shown = ", ".join(code(label) for label in labels[: words.MAX_SHOWN_RUNS])
    return f"{shown} and {rest} more" if rest > 0 else shown
