"""`baseline.md`: the report for people, in GitHub's Markdown; the answer on its first screen."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ocr_baseline.reports.story.account_tables import evidence_table
from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.text import wording
from ocr_baseline.reports.text.markdown_text import (
    MarkdownText,
    code,
    escape,
    folded,
    link,
    prose,
    within,
)
from ocr_baseline.reports.text.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.reports.story.parts import Block, Cause, Section, Story

MAX_BYTES = 30_000
"""Of the report: GitHub shows that much at once, and a comment may hold twice as much."""
MAX_LISTED = 8


def render_markdown(baseline: Baseline, *, beside: Sequence[str] = ()) -> str:
    """Return the report; equal documents give equal texts.

    Args:
        baseline: The document.
        beside: Names of the files in the report's folder, which it links to.
    """
    story = tell(baseline)
    blocks = [
        "# Performance Baseline Report",
        *_answer(story),
        *_causes(baseline, story),
        *(text for section in story.sections for text in _section(section)),
        *_files(beside),
    ]
    return "\n\n".join(within(MAX_BYTES, blocks, "`baseline.html`")) + "\n"


def _answer(story: Story) -> Iterator[str]:
    yield _strong(story.verdict)
    if story.limits:
        yield "\n".join(_limit_line(limit.text, limit.advice) for limit in story.limits)
    place = f" in {code(story.place)}" if story.place else ""
    status = "" if story.tells_its_end else f" {prose(story.status)}"
    yield f"Run: {link(story.name, story.url)}{place}.{status}"


def _limit_line(text: str, advice: str) -> str:
    return f"> {prose(f'{text} {advice}'.strip())}  "


def _strong(sentence: str) -> MarkdownText:
    """Return a sentence in bold, its code spans included."""
    return MarkdownText(f"**{prose(sentence)}**")


def _causes(baseline: Baseline, story: Story) -> Iterator[str]:
    yield "## Identified Bottlenecks"
    if not story.causes:
        yield prose(wording.no_findings(baseline))
    for number, cause in enumerate(story.causes, 1):
        yield from _cause(number, cause)
    if story.further:
        yield f"Beyond these:\n\n{_few(story.further)}"
    if any(cause.finding.evidence or cause.same_time for cause in story.causes):
        blocks = [text for number, cause in enumerate(story.causes, 1)
                  for text in _evidence(number, cause)]  # fmt: skip
        yield folded("Evidence", blocks)
    if story.small:
        things = "1 small thing" if len(story.small) == 1 else f"{len(story.small)} small things"
        yield folded(f"{things}: under 2% of the run, or no saving of time", [_few(story.small)])


def _cause(number: int, cause: Cause) -> Iterator[str]:
    yield f"### {number}. {prose(cause.title)} ({cause.severity.upper()})"
    saves = ""
    if cause.saving is not None:
        estimated = "" if cause.finding.saving_is_the_most else "an estimated "
        saves = f"**Saves {estimated}{escape(wording.saving(cause.finding))}.** "
    yield f"{saves}{prose(cause.advice)} *{prose(cause.proof)}*"


def _evidence(number: int, cause: Cause) -> Iterator[str]:
    if not cause.finding.evidence and not cause.same_time:
        return
    yield f"**{number}. {prose(cause.title)}**"
    if cause.finding.evidence:
        yield evidence_table(cause.finding).markdown()
    if cause.same_time:
        yield "The same time, seen otherwise:"
        yield _few(cause.same_time)


def _section(section: Section) -> Iterator[str]:
    blocks = [*_texts(section.blocks)]
    if not section.is_detail:
        yield f"## {escape(section.title)}"
        yield from blocks
        for part in section.parts:
            yield folded(part.title, list(_texts(part.blocks)))
        return
    for part in section.parts:
        blocks += [f"### {escape(part.title)}", *_texts(part.blocks)]
    yield folded(section.title, blocks)


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield tables and sentences as Markdown; several sentences in a row are a list."""
    for is_table, group in groupby(blocks, lambda block: isinstance(block, Table)):
        if is_table:
            yield from (block.markdown() for block in group if isinstance(block, Table))
            continue
        sentences = [block for block in group if isinstance(block, str)]
        announces = [sentences.pop()] if sentences[-1].endswith(":") else []
        if sentences:
            yield _list(sentences) if len(sentences) > 1 else prose(sentences[0])
        yield from map(prose, announces)


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {prose(sentence)}" for sentence in sentences)


def _few(sentences: Sequence[str]) -> str:
    """Return the first sentences as a list, and how many more there are."""
    rest = len(sentences) - MAX_LISTED
    more = [f"{rest} more are in `baseline.json`."] if rest > 0 else []
    return _list([*sentences[:MAX_LISTED], *more])


def _files(beside: Sequence[str]) -> Iterator[str]:
    if beside:
        yield f"Beside this file: {', '.join(f'[{code(name)}]({name})' for name in beside)}."
