"""A baseline on one or two screens of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
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
from ocr_baseline.reports.text.plain_text import counted, name_of
from ocr_baseline.reports.text.screen import MIN_WIDTH, end_of, plain_table, printed, styled, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline, Operation, Phase
    from ocr_baseline.reports.story.parts import Story

MAX_LINES = 8
MAX_OPERATIONS = 5
MAX_NOTES = 12
MAX_MISSING = 20
MIN_NAME_WIDTH = 8
BREAKDOWN_NUMBERS_WIDTH = 52
OPERATION_NUMBERS_WIDTH = 64
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
            yield Padding(_cause_table(causes), (1, 0, 0, 0))
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
    table = plain_table(f"Where {wording.stage_adjective(phase.name).lower()} time went")
    name_width = max(MIN_NAME_WIDTH, width - BREAKDOWN_NUMBERS_WIDTH)
    table.add_column("line", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("per batch", justify="right", no_wrap=True)
    for line in lines[:MAX_LINES]:
        table.add_row(
            Text(end_of(name_of(line.name), name_width)),
            formatting.share(line.share),
            Text(formatting.bar(line.share), style="green"),
            formatting.duration(line.total_s),
            value(formatting.duration(line.per_batch_s)),
        )
    rest = lines[MAX_LINES:]
    if any(line.total_s for line in rest):
        more = "1 shorter line is" if len(rest) == 1 else f"{len(rest)} shorter lines are"
        table.add_row(Text(f"{more} in the report", style="dim"))
    return table


def _cause_table(causes: list[tuple[str, str, str]]) -> RenderableType:
    table = plain_table("Sampled: the function that each line's time is in")
    table.add_column("line", no_wrap=True)
    table.add_column("function", overflow="fold")
    table.add_column("share of the line", justify="right", no_wrap=True)
    for line, function, share in causes:
        table.add_row(Text(line), Text(function), Text(share))
    return table


def _operation_table(baseline: Baseline, width: int) -> RenderableType:
    table = plain_table("Slowest operations")
    name_width = max(MIN_NAME_WIDTH, width - OPERATION_NUMBERS_WIDTH)
    table.add_column("operation", no_wrap=True)
    for column in ("phase", "in"):
        table.add_column(column, no_wrap=True)
    for column in ("calls", "exclusive", "waited", "share"):
        table.add_column(column, justify="right", no_wrap=True)
    operations = sorted(baseline.operations, key=lambda operation: -operation.exclusive_s)
    for operation in operations[:MAX_OPERATIONS]:
        table.add_row(*_operation_row(operation, name_width))
    return table


def _operation_row(operation: Operation, name_width: int) -> list[RenderableType]:
    return [
        Text(end_of(name_of(operation.name), name_width)),
        Text(wording.stage_adjective(operation.phase).lower()),
        "workers" if operation.process == "worker" else "main",
        formatting.count(operation.calls),
        formatting.duration(operation.exclusive_s),
        value(formatting.duration(operation.waited_s)),
        value(formatting.share(operation.share_of_phase)),
    ]


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
