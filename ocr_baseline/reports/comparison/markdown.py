"""A comparison in GitHub's Markdown, for the comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, escape, table
from ocr_baseline.reports.text.wording import STAGE_ADJECTIVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison

MARKER = "<!-- ocr-baseline comparison -->"
"""By this line a CI job finds its own comment again."""
MAX_LINES = 12
MAX_DIFFERENCES = 30
BOLD_VERDICTS = ("regression", "improvement")


def render_comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison; equal comparisons give equal texts."""
    return f"{MARKER}\n\n{comparison_section(comparison)}\n"


def comparison_section(comparison: Comparison) -> str:
    """Return the comparison as a part of a page: without the marker of a whole one."""
    return "\n\n".join(["## Performance vs. the baseline", *_blocks(comparison)])


def _metric_table(metrics: tuple[MetricComparison, ...]) -> MarkdownText:
    """Return the table of metrics: values, change, interval, verdict, number of runs."""
    headers = ("Metric", "Base", "New", "Change", "95% interval", "Verdict", "n")
    return table(headers, [_metric_row(compared) for compared in metrics], "lrrrrlr")


def _blocks(comparison: Comparison) -> Iterator[str]:
    is_forbidden = bool(comparison.obstacles)
    sentence = escape(words.headline(comparison))
    yield f"> [!WARNING]\n> **{sentence}**" if is_forbidden else f"**{sentence}**"
    if is_forbidden:
        yield _differences(comparison)
    if comparison.metrics:
        yield _metric_table(comparison.metrics)
    reasons = words.reason_sentences(comparison)
    if reasons:
        yield "\n".join(f"- {escape(reason)}" for reason in reasons)
    for phase in comparison.breakdowns:
        yield _breakdown(phase)
    if comparison.differences and not is_forbidden:
        yield _differences(comparison)
    yield _footer(comparison)


def _metric_row(compared: MetricComparison) -> tuple[str, ...]:
    *cells, verdict, sizes = words.metric_cells(compared)
    verdict = escape(verdict)
    if compared.verdict in BOLD_VERDICTS:
        verdict = MarkdownText(f"**{verdict}**")
    return (*cells, verdict, sizes)


def _breakdown(phase: PhaseChange) -> str:
    stage = STAGE_ADJECTIVES.get(phase.phase, phase.phase)
    deltas = [
        f"{formatting.duration(line.delta_s, signed=True)} {code(line.name)}"
        for line in phase.main_lines
    ]
    total = formatting.duration(phase.delta_s, signed=True)
    sentence = f"**{stage}: {total} per batch**"
    if deltas:
        sentence += f": {', '.join(deltas)}"
    rows: list[tuple[str, ...]] = [
        (code(line.name), *words.line_cells(line)) for line in phase.lines[:MAX_LINES]
    ]
    rest = phase.lines[MAX_LINES:]
    if rest:
        rest_s = sum(line.delta_s for line in rest)
        delta = formatting.duration(rest_s, signed=True)
        rows.append((f"{len(rest)} more lines", "", "", delta, ""))
    grid = table(("Line (per batch)", "Base", "New", "Change", "95% interval"), rows, "lrrrr")
    return f"{sentence}\n\n<details><summary>Breakdown</summary>\n\n{grid}\n\n</details>"


def _differences(comparison: Comparison) -> str:
    rows: list[tuple[str, ...]] = [
        (
            difference.area,
            code(difference.field),
            code(words.json_text(difference.base)),
            code(words.json_text(difference.new)),
            "yes" if difference.forbids else "",
        )
        for difference in comparison.differences[:MAX_DIFFERENCES]
    ]
    rest = len(comparison.differences) - MAX_DIFFERENCES
    if rest > 0:
        rows.append((f"{rest} more", "", "", "", ""))
    grid = table(("Area", "Field", "Base", "New", "Prevents comparison"), rows)
    return f"### What differs\n\n{grid}"


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
