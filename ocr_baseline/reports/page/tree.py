"""Where the time went, to open level by level: phase, line, operation or sampled function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.named_cause import percent_words
from ocr_baseline.model.document import BreakdownLine
from ocr_baseline.reports.page.palette import GREY, line_class, start_class
from ocr_baseline.reports.page.words import shortened
from ocr_baseline.reports.story.sampled_functions import where
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import counted, name_of, single_line
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import (
        Baseline,
        Operation,
        Phase,
        Start,
        Workers,
    )

MOST_LINES = 30
MOST_CHILDREN = 12
SMALL_SHARE = 0.001
LEAST_FUNCTION_SHARE = 0.05
MOST_FUNCTIONS = 8
LEAST_SAMPLED_SHARE = 0.02
"""A line of less time of its phase has its functions in the tables alone."""
START_CLASS = "stage-setup"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a stacked bar: `x` and `width` are shares of the whole bar."""

    name: str
    css: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Node:
    """A row of the tree; `width` is the share of the phase that its bar shows.

    Attributes:
        label: The name as shown, its beginning left out where it is long.
        name: The whole name.
        css: The class of its color.
        share: Its share in words, of the phase, or of the run for a phase.
        seconds: Its time in words.
        width: The length of the bar, between 0 and 1.
        note: What else is known of it, in a few words.
        segments: The parts of the bar, where it is a stacked one.
        children: What it is made of.
        is_sampled: Whether its share comes from sampling.
        key: The phase's name, for a phase.
        total_s: Its time in seconds, for a phase.
        cause: The number of the cause that its time is in.
    """

    label: str
    name: str
    css: str
    share: str
    seconds: str
    width: float
    note: str = ""
    segments: Sequence[Segment] = ()
    children: Sequence[Node] = ()
    is_sampled: bool = False
    key: str = ""
    total_s: float | None = None
    cause: int | None = None


def tree(baseline: Baseline, causes: Mapping[str, int]) -> list[Node]:
    """Return a node for the time before the first batch, and one for each phase.

    `causes` has the number of the cause that a line's time is in, by the line's name as findings
    write it: `train.data_wait`.
    """
    run_s = baseline.total_s
    nodes = [_start(baseline.start, run_s)] if baseline.start else []
    return nodes + [
        _phase(baseline, phase, run_s, causes) for phase in baseline.whole_phases if phase.breakdown
    ]


def _share_of_run(total_s: float | None, run_s: float) -> str:
    if total_s is None or not run_s:
        return ""
    return f"{formatting.share(min(1.0, total_s / run_s))} of the run"


def _phase(baseline: Baseline, phase: Phase, run_s: float, causes: Mapping[str, int]) -> Node:
    lines = sorted(phase.breakdown, key=lambda line: -line.total_s)
    shown = [line for line in lines if (line.share or 0.0) >= SMALL_SHARE][:MOST_LINES]
    rest = [line for line in lines[len(shown) :] if line.total_s > 0]
    nodes = [
        _line(baseline, phase, line, causes.get(f"{phase.name}.{line.name}")) for line in shown
    ]
    if rest:
        nodes.append(_rest(rest, phase.total_s))
    stage = wording.stage_adjective(phase.name)
    return Node(
        label=stage,
        name=stage,
        css=f"stage-{phase.name}",
        share=_share_of_run(phase.total_s, run_s),
        seconds=formatting.duration(phase.total_s),
        width=1.0,
        note=_batches(phase),
        segments=_segments(nodes),
        children=nodes,
        key=phase.name,
        total_s=phase.total_s,
    )


def _batches(phase: Phase) -> str:
    if phase.batches is None:
        return ""
    return f"{formatting.count(phase.batches)} {'batch' if phase.batches == 1 else 'batches'}"


def _segments(nodes: Sequence[Node]) -> list[Segment]:
    segments, x = [], 0.0
    for node in nodes:
        width = min(node.width, 1.0 - x)
        segments.append(Segment(name=f"{node.name}: {node.share}", css=node.css, x=x, width=width))
        x += width
    return [segment for segment in segments if segment.width > 0]


def _line(baseline: Baseline, phase: Phase, line: BreakdownLine, cause: int | None) -> Node:
    css = line_class(line.name)
    note = _note(baseline, phase, line)
    below = _below(baseline, phase, line, css)
    node = _node(line.name, css, line.total_s, line.share, note=note, below=below)
    return replace(node, cause=cause)


def _below(baseline: Baseline, phase: Phase, line: BreakdownLine, css: str) -> list[Node]:
    """Return what a line is made of; of waiting for batches, what the workers did meanwhile."""
    workers = list(_worker_nodes(baseline, phase, line, css)) if line.name == Line.DATA_WAIT else []
    if workers:
        return workers
    parts = [_part(part, css) for part in line.parts if (part.share or 0.0) >= SMALL_SHARE]
    return [*parts, *_functions(line, line.total_s, line.share, css)]


def _node(
    name: str,
    css: str,
    total_s: float | None,
    share: float | None,
    *,
    note: str = "",
    below: Sequence[Node] = (),
) -> Node:
    shown = name_of(name)
    return Node(
        label=shortened(shown),
        name=shown,
        css=css,
        share=formatting.share(share),
        seconds=formatting.duration(total_s),
        width=min(1.0, max(0.0, share or 0.0)),
        note=note,
        children=tuple(below[:MOST_CHILDREN]),
    )


def _note(baseline: Baseline, phase: Phase, line: BreakdownLine) -> str:
    operation = _operation_of(baseline, phase, line.name)
    if operation is not None:
        median_s = operation.call_time_s.median if operation.call_time_s else None
        each = f", median {formatting.duration(median_s)}" if median_s is not None else ""
        return f"{counted(operation.calls, 'call')}{each}"
    meaning = wording.LINE_MEANINGS.get(line.name)
    return meaning or ""


def _operation_of(baseline: Baseline, phase: Phase, name: str) -> Operation | None:
    for operation in baseline.operations:
        is_here = operation.phase == phase.name and operation.process == "main"
        if is_here and operation.name == name:
            return operation
    return None


def _part(part: BreakdownLine, css: str) -> Node:
    return _node(part.name, css, part.total_s, part.share)


def _functions(
    sampled: BreakdownLine | Workers, total_s: float | None, share: float | None, css: str
) -> Iterator[Node]:
    """Yield the heaviest functions that sampling met, the cause and the user's own first."""
    if share is not None and share < LEAST_SAMPLED_SHARE:
        return
    how = "sampled" if isinstance(sampled, BreakdownLine) else "sampled in the workers"
    heavy = [one for one in sampled.functions if one.inclusive_share >= LEAST_FUNCTION_SHARE]
    heavy.sort(key=lambda one: (one != sampled.cause, one.origin != "user"))
    for one in heavy[:MOST_FUNCTIONS]:
        name = name_of(one.name)
        part_s = None if total_s is None else total_s * one.inclusive_share
        yield Node(
            label=shortened(name),
            name=name,
            css=css,
            share=f"{percent_words(one.inclusive_share, one.low, one.high)} of it",
            seconds="" if part_s is None else f"≈ {formatting.duration(part_s)}",
            width=min(1.0, max(0.0, (share or 0.0) * one.inclusive_share)),
            note=f"{single_line(where(one))}, {how}",
            is_sampled=True,
        )


def _worker_nodes(
    baseline: Baseline, phase: Phase, line: BreakdownLine, css: str
) -> Iterator[Node]:
    """Yield what the loader workers did meanwhile, by the time that was waited for it.

    First batches are waited for too, in another line: what sampling met is shown as a part of this.
    """
    operations = [
        one
        for one in baseline.operations
        if one.phase == phase.name and one.process == "worker" and one.waited_s
    ]
    for one in sorted(operations, key=lambda one: -(one.waited_s or 0.0)):
        share = (one.waited_s or 0.0) / phase.total_s if phase.total_s else None
        note = f"in the workers, which it took {formatting.duration(one.exclusive_s)}"
        yield _node(one.name, css, one.waited_s, share, note=note)
    for workers in baseline.workers:
        if workers.phase == phase.name:
            waited_s = min(workers.waited_s, line.total_s)
            share = waited_s / phase.total_s if phase.total_s else None
            yield from _functions(workers, waited_s, share, css)


def _rest(lines: Sequence[BreakdownLine], whole_s: float | None) -> Node:
    total_s = sum(line.total_s for line in lines)
    name = f"{counted(len(lines), 'smaller line')}"
    return _node(name, GREY, total_s, total_s / whole_s if whole_s else None)


def _start(start: Start, run_s: float) -> Node:
    parts = [
        _node(part.name, start_class(part.name, place), part.total_s, part.share)
        for place, part in enumerate(start.breakdown)
        if (part.share or 0.0) >= SMALL_SHARE
    ]
    total_s = start.time_to_first_step_s
    return Node(
        label="Before the first step",
        name="Before the first step",
        css=START_CLASS,
        share=_share_of_run(total_s, run_s),
        seconds=formatting.duration(total_s),
        width=1.0,
        segments=_segments(parts),
        children=parts,
    )
