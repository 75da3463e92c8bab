"""The answer in at most twelve lines, for the screen at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.text.plain_text import message_line
from ocr_baseline.reports.text.screen import MIN_WIDTH, printed, styled
from ocr_baseline.reports.text.wording import saving_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.reports.story.parts import Cause, Story

MAX_WIDTH = 100
MOST_CAUSE_LINES = 3
_RULE = "─"


def render_summary(
    baseline: Baseline,
    *,
    report: str,
    command: str,
    width: int,
    color: bool,
    is_boxed: bool,
    earlier: str | None = None,
) -> str:
    """Return the verdict, up to three causes, what measuring cost, and where to read on.

    Args:
        baseline: The document.
        report: The path of the report.
        command: What to run next.
        width: Columns of the terminal.
        color: Whether to color the text.
        is_boxed: Whether to draw a box around it.
        earlier: Where the report now is that was there before.
    """
    story = tell(baseline)
    inner = _inner(width)
    lines = [
        *_wrapped(styled(story.verdict, "bold"), inner),
        *_answer(story, inner),
        *_places(report, earlier, command),
    ]
    return _framed(f"Performance baseline of {story.name}", lines, width, color, is_boxed)


def render_unreported(cause: str, *, command: str, width: int, color: bool, is_boxed: bool) -> str:
    """Return that a run has no report, why, and what to run next."""
    reason = styled(f"No report: {cause}", "bold")
    lines = [*_wrapped(reason, _inner(width)), _place("Next", command)]
    return _framed("Performance baseline", lines, width, color, is_boxed)


def _answer(story: Story, width: int) -> Iterator[Text]:
    for limit in story.limits[:1]:
        yield _cut(styled(story.status if limit.kind == "ending" else limit.text, "yellow"), width)
    yield from _causes(story, width)
    for text in _facts(story):
        yield _cut(text, width)


def _causes(story: Story, width: int) -> Iterator[Text]:
    """Yield three lines at most: what to do about the first cause may take two of them."""
    lines: list[Text] = []
    for number, cause in enumerate(story.causes, 1):
        text = _cause_line(number, cause, story.verdict)
        lines += _wrapped(text, width) if number == 1 else [_cut(text, width)]
    yield from lines[:MOST_CAUSE_LINES]


def _facts(story: Story) -> Iterator[Text]:
    facts = {fact.key: fact for fact in story.facts}
    ratio, cost = facts["validation_vs_training"], facts["cost_of_measuring"]
    if ratio.value is not None:
        yield styled(f"{ratio.label}: {ratio.text}{f' ({ratio.note})' if ratio.note else ''}")
    elif any(fact.value is not None for fact in story.facts):
        yield styled(story.versus.sentence)
    if cost.value is not None:
        yield styled(f"Measuring cost {cost.text}{f', {cost.note}' if cost.note else ''}", "dim")


def _cause_line(number: int, cause: Cause, verdict: str) -> Text:
    """Return what to do about the cause that the verdict names, what it is for the others."""
    words = cause.remedy if verdict.startswith(cause.title) else cause.title
    share = saving_share(cause.finding)
    doubt = "in doubt" if cause.certainty == "in doubt" else None
    known = ", ".join(part for part in (doubt, share) if part)
    return styled(f"{number}. {f'{known}: ' if known else ''}{words}")


def _places(report: str, earlier: str | None, command: str) -> Iterator[Text]:
    place = _place("Report", report)
    if earlier is not None:
        place = Text.assemble(place, ("; the earlier one: ", "dim"), message_line(earlier))
    yield place
    yield _place("Next", command)


def _place(label: str, value: str) -> Text:
    """Return a path or a command, whole: what is cut short can't be used."""
    return Text.assemble((f"{label}: ", "dim"), message_line(value))


def _inner(width: int) -> int:
    return min(max(width, MIN_WIDTH), MAX_WIDTH)


def _wrapped(sentence: Text, width: int) -> list[Text]:
    """Return a sentence on two lines at most."""
    first, *rest = sentence.wrap(Console(width=width), width)
    for line in (first, *rest):
        line.rstrip()
    return [first, _cut(Text(" ").join(rest), width)] if rest else [first]


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    return text


def _framed(title: str, lines: list[Text], width: int, color: bool, is_boxed: bool) -> str:
    """Return the lines under their title; a box has no sides, so that a path can be copied."""
    shown = [_cut(Text(title, style="bold"), _inner(width)), *lines]
    if is_boxed:
        inner = _inner(width)
        head = _cut(Text(f"{_RULE * 2} {title} "), inner)
        head.append(_RULE * (inner - head.cell_len))
        shown = [head, *lines, Text(_RULE * inner)]
    return printed(shown, width=width, color=color, is_wrapped=False)
