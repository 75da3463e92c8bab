"""A baseline on one or two screens of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ocr_baseline.reports.story.measurement_notes import measurement_notes
from ocr_baseline.reports.story.phase_tables import PHASE_FACTS, phase_or_empty, shown_phases
from ocr_baseline.reports.story.sampled_functions import named_causes
from ocr_baseline.reports.story.start_section import first_step, largest_part, trained
from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.story.worker_time import worker_time_lines
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import counted, name_of, single_line
from ocr_baseline.reports.text.screen import (
    GAP,
    MIN_WIDTH,
    end_of,
    plain_table,
    printed,
    room_beside,
    styled,
    value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import JustifyMethod

    from ocr_baseline.model.document import Baseline, Phase
    from ocr_baseline.reports.story.parts import Story

MAX_LINES = 8
MAX_OPERATIONS = 5
MAX_NOTES = 12
MAX_MISSING = 20
MIN_NAME_WIDTH = 16
MIN_BAR_WIDTH = 8
MIN_FULL_WIDTH = 60
LEFT_OUT_FIRST = ("share", "calls", "in")  # of the table of operations, on a narrow terminal
_SEVERITY_STYLES = {"high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim"}


def render_terminal(baseline: Baseline, *, width: int, color: bool) -> str:
    """Return the summary, `width` columns wide at most (40 at least), colored on demand."""
    return printed(_blocks(baseline, max(width, MIN_WIDTH)), width=width, color=color)


def _blocks(baseline: Baseline, width: int) -> Iterator[RenderableType]:
    story = tell(baseline)
    yield _title(story)
    yield Padding(styled(story.verdict, "bold"), (1, 0, 0, 0))
    for limit in story.limits:
        yield styled(limit.text, "yellow")
    if not wording.is_empty(baseline):
        yield _causes(story)
        yield Padding(styled(story.versus.sentence), (1, 0))
        yield _phase_table(baseline)
    for name in shown_phases(baseline):
        phase = phase_or_empty(baseline, name)
        if phase.breakdown:
            yield Padding(_breakdown_table(phase, width), (1, 0, 0, 0))
        causes = list(named_causes(phase))
        if causes:
            yield Padding(_cause_table(causes, width), (1, 0, 0, 0))
    if baseline.operations:
        yield Padding(_operation_table(baseline, width), (1, 0, 0, 0))
    if baseline.start is not None or baseline.goodput is not None:
        yield Padding(_start(baseline), (1, 0, 0, 0))
    for line in worker_time_lines(baseline):
        yield Padding(Text(line), (1, 0, 0, 0))
    yield Padding(_memory(baseline), (1, 0, 0, 0))
    yield Padding(_run_facts(story), (1, 0, 0, 0))
    yield Padding(_notes(baseline), (1, 0, 0, 0))


def _title(story: Story) -> Text:
    title = Text("Baseline of ")
    title.append(story.name, style="cyan")
    if story.place:
        title.append(f" in {name_of(story.place)}")
    title.append(".")
    return title if story.tells_its_end else title.append(" ").append_text(styled(story.status))


def _causes(story: Story) -> RenderableType:
    blocks: list[RenderableType] = []
    for number, cause in enumerate(story.causes, 1):
        head = Text(f"{number}. ")
        head.append(cause.severity, style=_SEVERITY_STYLES[cause.severity])
        head.append("  ").append_text(styled(cause.title))
        told = [styled(cause.advice), styled(cause.proof, "dim")]
        if cause.saving is not None:
            told.insert(0, styled(f"Would save {wording.saving(cause.finding)}."))
        blocks.extend((head, *(Padding(text, (0, 0, 0, 3)) for text in told)))
    more = len(story.further) + len(story.small)
    if more:
        findings = "1 more finding is" if more == 1 else f"{more} more findings are"
        blocks.append(Text(f"{findings} in the report", style="dim"))
    return Padding(Group(*blocks), (1, 0, 0, 0)) if blocks else Group()


def _run_facts(story: Story) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    for label, text in story.run_facts:
        facts.add_row(Text(label.lower(), style="dim"), styled(text))
    return facts


def _phase_table(baseline: Baseline) -> RenderableType:
    names = shown_phases(baseline)
    table = Table(box=box.ASCII_DOUBLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in names:
        table.add_column(wording.stage_adjective(name).lower(), justify="right")
    phases = [phase_or_empty(baseline, name) for name in names]
    for fact in PHASE_FACTS:
        texts = [fact.text(phase) for phase in phases]
        if any(text != formatting.NOT_MEASURED for text in texts):
            table.add_row(fact.short_label, *map(value, texts))
    return table


def _breakdown_table(phase: Phase, width: int) -> RenderableType:
    lines = sorted(phase.breakdown, key=lambda line: -line.total_s)
    shown, rest = lines[:MAX_LINES], lines[MAX_LINES:]
    names = [name_of(line.name) for line in shown]
    shares = [formatting.share(line.share) for line in shown]
    totals = [formatting.duration(line.total_s) for line in shown]
    per_batch = [formatting.duration(line.per_batch_s) for line in shown]
    room = room_beside([["share", *shares], ["total", *totals], ["per batch", *per_batch]], width)
    bar_width = _bar_width(names, room)
    name_width = room - bar_width - (GAP if bar_width else 0)
    table = plain_table(f"Where {wording.stage_adjective(phase.name).lower()} time went")
    table.add_column("line", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    if bar_width:
        table.add_column("", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("per batch", justify="right", no_wrap=True)
    for line, name, share, total, batch in zip(
        shown, names, shares, totals, per_batch, strict=True
    ):
        bar = [Text(formatting.bar(line.share, bar_width), style="green")] if bar_width else []
        table.add_row(Text(end_of(name, name_width)), share, *bar, total, value(batch))
    if not any(line.total_s for line in rest):
        return table
    more = "1 shorter line is" if len(rest) == 1 else f"{len(rest)} shorter lines are"
    return Group(table, Text(f"{more} in the report", style="dim"))


def _bar_width(names: list[str], room: int) -> int:
    """Return what the names leave of a bar, or 0 where the terminal is too narrow for one."""
    left = room - max(map(cell_len, names)) - GAP
    if left < MIN_BAR_WIDTH and room - GAP - MIN_BAR_WIDTH < MIN_NAME_WIDTH:
        return 0
    return max(MIN_BAR_WIDTH, min(formatting.BAR_WIDTH, left))


def _cause_table(causes: list[tuple[str, str, str]], width: int) -> RenderableType:
    table = plain_table("Sampled: the function that each line's time is in")
    table.add_column("line", no_wrap=True)
    table.add_column("function", overflow="fold")
    share_header = "share of the line" if width >= MIN_FULL_WIDTH else "share"
    table.add_column(share_header, justify="right", no_wrap=True)
    for line, function, share in causes:
        name = end_of(name_of(line), width // 3)
        table.add_row(Text(name), Text(single_line(function)), Text(share))
    return table


def _operation_table(baseline: Baseline, width: int) -> RenderableType:
    operations = sorted(baseline.operations, key=lambda operation: -operation.exclusive_s)
    shown = operations[:MAX_OPERATIONS]
    columns = {
        "phase": [wording.stage_adjective(one.phase).lower() for one in shown],
        "in": ["workers" if one.process == "worker" else "main" for one in shown],
        "calls": [formatting.count(one.calls) for one in shown],
        "exclusive": [formatting.duration(one.exclusive_s) for one in shown],
        "waited": [formatting.duration(one.waited_s) for one in shown],
        "share": [formatting.share(one.share_of_phase) for one in shown],
    }
    names = [name_of(one.name) for one in shown]
    wanted = min(MIN_NAME_WIDTH, max(map(cell_len, names)))
    for left_out in LEFT_OUT_FIRST:
        if _room_beside_all(columns, width) < wanted:
            del columns[left_out]
    table = plain_table("Slowest operations")
    table.add_column("operation", no_wrap=True)
    for header in columns:
        justify: JustifyMethod = "left" if header in {"phase", "in"} else "right"
        table.add_column(header, justify=justify, no_wrap=True)
    room = _room_beside_all(columns, width)
    for name, *texts in zip(names, *columns.values(), strict=True):
        table.add_row(Text(end_of(name, room)), *map(value, texts))
    return table


def _room_beside_all(columns: dict[str, list[str]], width: int) -> int:
    return room_beside(([header, *texts] for header, texts in columns.items()), width)


def _start(baseline: Baseline) -> Text:
    sentences = []
    if baseline.start is not None:
        part = largest_part(baseline.start)
        longest = f" ({formatting.duration(part.total_s)} in {name_of(part.name)})" if part else ""
        sentences.append(f"{first_step(baseline.start)}{longest}.")
    if baseline.goodput is not None:
        sentences.append(f"{trained(baseline.goodput)}.")
    return Text(" ".join(sentences))


def _memory(baseline: Baseline) -> Text:
    memory = baseline.memory
    tree = memory.process_tree_rss_bytes if memory else None
    accelerator = memory.accelerator if memory else None
    text = Text("Memory  ", style="bold")
    if tree is None and accelerator is None:
        return text.append(wording.not_measured(baseline, "memory"), style="dim")
    text.append("resident peak ", style="dim")
    text.append_text(value(formatting.byte_size(tree.peak if tree else None)))
    text.append("   growth ", style="dim")
    text.append_text(value(formatting.bytes_per_min(tree.growth_bytes_per_min if tree else None)))
    text.append("   accelerator peak ", style="dim")
    peak = accelerator.allocated_peak_bytes if accelerator else None
    return text.append_text(value(formatting.byte_size(peak)))


def _notes(baseline: Baseline) -> RenderableType:
    notes = measurement_notes(baseline)
    blocks = [styled(note, style="dim") for note in notes[:MAX_NOTES]]
    if len(notes) > MAX_NOTES:
        more = len(notes) - MAX_NOTES
        blocks.append(Text(f"{counted(more, 'more note')} in the report.", style="dim"))
    if baseline.missing:
        shown = [name_of(entry.metric) for entry in baseline.missing[:MAX_MISSING]]
        rest = len(baseline.missing) - len(shown)
        names = ", ".join(shown) + (f" and {rest:,} more" if rest else "")
        blocks.append(Text(f"Not measured: {names}. The report gives the reasons.", style="dim"))
    return Group(*blocks)
