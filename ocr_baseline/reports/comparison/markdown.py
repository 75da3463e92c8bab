"""A comparison in GitHub's Markdown, for the comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.comparison import wording as words
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.markdown_text import code, escape, folded, within
from ocr_baseline.reports.text.wording import stage_adjective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ocr_baseline.comparison.breakdown import PhaseChange
    from ocr_baseline.comparison.comparison import Comparison

MARKER = "<!-- ocr-baseline comparison -->"
"""By this line a CI job finds its own comment again."""
MAX_BYTES = 20_000
"""Of a comment: a third of what GitHub takes, so that other checks' parts fit beside it."""
CHANGED = ("regression", "improvement", "suspected")
MAX_LINES = 12
MAX_DIFFERENCES = 30


def render_comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison; equal comparisons give equal texts."""
    return as_comment(comparison_blocks(comparison))


def as_comment(blocks: Iterable[str]) -> str:
    """Return blocks as one comment, which a comment's limits leave room for."""
    kept = within(MAX_BYTES, [MARKER, *blocks], "`ocr-baseline compare`")
    return "\n\n".join(kept) + "\n"


def comparison_blocks(comparison: Comparison) -> Iterator[str]:
    """Yield the verdict, the metrics that changed, and the rest folded away."""
    is_forbidden = bool(comparison.obstacles)
    sentence = escape(words.headline(comparison))
    yield "## Performance vs. the baseline"
    yield f"> [!WARNING]\n> **{sentence}**" if is_forbidden else f"**{sentence}**"
    if is_forbidden:
        yield _differences(comparison)
    changed = [one for one in comparison.metrics if one.verdict in CHANGED]
    others = [one for one in comparison.metrics if one.verdict not in CHANGED]
    if changed:
        yield words.metric_table(changed).markdown()
    for phase in comparison.breakdowns:
        yield from _breakdown(phase)
    if others:
        yield folded(_other_metrics(len(others)), [words.metric_table(others).markdown()])
    if comparison.differences and not is_forbidden:
        yield folded("What differs", [_differences(comparison)])
    yield folded("How it was compared", _how(comparison))


def _other_metrics(count: int) -> str:
    return "1 metric without a change" if count == 1 else f"{count} metrics without a change"


def _breakdown(phase: PhaseChange) -> Iterator[str]:
    stage = stage_adjective(phase.phase)
    total = formatting.duration(phase.delta_s, signed=True)
    deltas = [
        f"{formatting.duration(line.delta_s, signed=True)} {code(line.name)}"
        for line in phase.main_lines
    ]
    if deltas:
        yield f"**{stage}: {total} per batch**: {', '.join(deltas)}"
    grid = words.line_table(phase, MAX_LINES).markdown()
    yield folded(f"{stage}: each line of a batch ({total})", [grid])


def _differences(comparison: Comparison) -> str:
    return words.difference_table(comparison, MAX_DIFFERENCES).markdown()


def _how(comparison: Comparison) -> Iterator[str]:
    sides = (
        f"Base: {_names(comparison.base.labels)}. New: {_names(comparison.new.labels)}. "
        f"Compared: {words.DESIGN_WORDS[comparison.design]}."
    )
    lines = [f"{note[:1].upper()}{note[1:]}." for note in words.method_notes(comparison)]
    lines += words.reason_sentences(comparison)
    lines.extend(f"Note: {note}" for note in comparison.notes)
    if comparison.not_measured:
        lines.append(f"Not measured on either side: {words.not_measured_text(comparison)}.")
    yield "\n".join([f"- {sides}", *(f"- {escape(line)}" for line in lines)])


def _names(labels: Sequence[str]) -> str:
    """Return the names of a side's runs as code, the first three where there are more."""
    rest = len(labels) - words.MAX_SHOWN_RUNS
    shown = ", ".join(code(label) for label in labels[: words.MAX_SHOWN_RUNS])
    return f"{shown} and {rest} more" if rest > 0 else shown
