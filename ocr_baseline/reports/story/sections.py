"""The proof, in order: what stands open, then what is folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story import phase_tables
from ocr_baseline.reports.story.account_tables import line_table, missing_table
from ocr_baseline.reports.story.comparison_tables import ratio_table, waterfall_table
from ocr_baseline.reports.story.measurement_notes import batch_time_notes, measurement_notes
from ocr_baseline.reports.story.memory_tables import memory_over_time_table, memory_table
from ocr_baseline.reports.story.operation_tables import (
    MAX_OPERATIONS,
    operation_table,
    workers_table,
)
from ocr_baseline.reports.story.parts import Section
from ocr_baseline.reports.story.phase_tables import phase_or_empty, shown_phases
from ocr_baseline.reports.story.rank_tables import rank_notes, rank_table, spread_table
from ocr_baseline.reports.story.reading import reading_notes
from ocr_baseline.reports.story.run_facts import header_facts, quoted
from ocr_baseline.reports.story.sampled_functions import function_table, worker_function_table
from ocr_baseline.reports.story.slow_samples import slow_sample_lines
from ocr_baseline.reports.story.start_section import start_sentences, start_table
from ocr_baseline.reports.story.versus import versus
from ocr_baseline.reports.story.window_section import window_section
from ocr_baseline.reports.story.worker_time import worker_time_lines
from ocr_baseline.reports.text import wording
from ocr_baseline.reports.text.tables import Strong, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.document import Baseline, Operation, Phase
    from ocr_baseline.reports.story.parts import Block
    from ocr_baseline.vocabulary import PhaseName


MOST_NAMES = 20
"""So many names that have no row of their own are listed."""


def sections(baseline: Baseline) -> Iterator[Section]:
    """Yield the sections, those that have nothing to say left out."""
    yield _validation(baseline)
    yield _phases(baseline)
    yield _memory(baseline)
    yield _breakdowns(baseline)
    yield _epochs(baseline)
    yield _start(baseline)
    yield _operations(baseline)
    window = window_section(baseline)
    if window is not None:
        yield window
    if baseline.ranks:
        yield _ranks(baseline)
    yield _missing(baseline)
    yield _measurement(baseline)
    yield _environment(baseline)


def _validation(baseline: Baseline) -> Section:
    compared = versus(baseline)
    steps = waterfall_table(baseline, compared)
    small = None
    if compared.small_steps:
        small = f"Left out, each under 1% of the largest change: {_names(compared.small_steps)}."
    return Section(
        key="validation",
        title="Validation Performance",
        blocks=_blocks(
            compared.sentence,
            None if wording.is_empty(baseline) else ratio_table(baseline),
            "What each line adds to the time per sample, from training to validation:"
            if steps
            else None,
            steps,
            small,
        ),
        is_detail=False,
    )


def _phases(baseline: Baseline) -> Section:
    absences: list[str] = []
    notes: list[str] = []
    for name in shown_phases(baseline):
        phase = phase_or_empty(baseline, name)
        stage = wording.stage_adjective(name)
        if not wording.has_measurements(phase) and not wording.dataloader_phases(baseline, name):
            absences.append(wording.absence(baseline, name))
        notes.extend(
            f"{stage}: {note}" for note in (*batch_time_notes(phase), *reading_notes(phase))
        )
    merged = phase_tables.merged_table(baseline)
    lacking = phase_tables.measured_in_no_phase(baseline)
    if merged is not None and lacking:
        absences.append(f"Not measured in any phase: {', '.join(lacking)}.")
    covered = Section(key="batches", title="Which batches the times cover", blocks=_blocks(*notes))
    return Section(
        key="phases",
        title="Phases",
        blocks=_blocks(merged, *absences),
        parts=(covered,) if notes else (),
        is_detail=False,
    )


def _memory(baseline: Baseline) -> Section:
    over_time = memory_over_time_table(baseline)
    nothing = f"Memory: {wording.not_measured(baseline, 'memory')}."
    part = Section(key="over_time", title="Memory over the run", blocks=_blocks(over_time))
    return Section(
        key="memory",
        title="Memory Usage",
        blocks=_blocks(memory_table(baseline) or nothing),
        parts=(part,) if over_time else (),
        is_detail=False,
    )


def _breakdowns(baseline: Baseline) -> Section:
    parts = [part for name in shown_phases(baseline) for part in _breakdown_parts(baseline, name)]
    meanings = line_table(baseline)
    if meanings is not None:
        parts.append(Section(key="lines", title="What the lines mean", blocks=_blocks(meanings)))
    return Section(
        key="breakdown",
        title="Where the time went",
        blocks=() if parts else ("No phase's time was split into lines.",),
        parts=tuple(parts),
    )


def _breakdown_parts(baseline: Baseline, name: PhaseName) -> Iterator[Section]:
    phase = phase_or_empty(baseline, name)
    stage = wording.stage_adjective(name)
    if phase.breakdown:
        small = phase_tables.small_lines(phase)
        rest = f"Shorter lines: {_names(small)}." if small else None
        table = phase_tables.breakdown_table(phase)
        yield Section(key=f"{name}:lines", title=stage, blocks=_blocks(table, rest))
    functions = function_table(phase)
    if functions is not None:
        words = (
            "Shares of each line's samples, with the margin of 95%: a function's share includes "
            "what it calls."
        )
        title = f"{stage}: sampled functions"
        yield Section(key=f"{name}:functions", title=title, blocks=_blocks(words, functions))
    yield from _device_part(phase, stage)
    loaders = wording.dataloader_phases(baseline, name)
    if loaders:
        table = phase_tables.dataloader_table(loaders)
        yield Section(
            key=f"{name}:dataloaders", title=f"{stage}: dataloaders", blocks=_blocks(table)
        )


def _device_part(phase: Phase, stage: str) -> Iterator[Section]:
    if phase.device is not None:
        yield Section(
            key=f"{phase.name}:device",
            title=f"{stage}: on the device's clock",
            blocks=_blocks(
                phase_tables.device_note(phase.device), phase_tables.device_table(phase.device)
            ),
        )


def _epochs(baseline: Baseline) -> Section:
    parts = []
    for name in shown_phases(baseline):
        phase = phase_or_empty(baseline, name)
        kept = len(phase.per_epoch)
        if kept > 1:
            shown = min(kept, phase_tables.MAX_EPOCHS)
            stage = wording.stage_adjective(name)
            title = stage if shown == kept else f"{stage}: the last {shown} of {kept} epochs"
            table = phase_tables.epoch_table(phase)
            parts.append(Section(key=name, title=title, blocks=_blocks(table)))
    return Section(
        key="epochs",
        title="Epochs",
        blocks=() if parts else ("No phase has several epochs.",),
        parts=tuple(parts),
    )


def _start(baseline: Baseline) -> Section:
    sentences = " ".join(start_sentences(baseline))
    return Section(
        key="start",
        title="Before the first batch",
        blocks=_blocks(sentences, start_table(baseline)),
    )


def _operations(baseline: Baseline) -> Section:
    main, worker = _of_process(baseline, "main"), _of_process(baseline, "worker")
    workers = workers_table(baseline)
    parts = []
    if main:
        table = operation_table(main, "main")
        parts.append(Section(key="main", title="In the main process", blocks=_blocks(table)))
    if worker or workers:
        functions = worker_function_table(baseline.workers)
        parts.append(
            Section(
                key="workers",
                title="In the loader workers",
                blocks=_blocks(
                    "Worker time only matters while the main thread waits for it.",
                    operation_table(worker, "worker") if worker else None,
                    workers,
                    *worker_time_lines(baseline),
                    *slow_sample_lines(baseline),
                    "Sampled while the workers made batches:" if functions else None,
                    functions,
                ),
            )
        )
    return Section(
        key="operations",
        title="Slowest operations",
        blocks=_blocks(*_operation_notes(baseline, main, worker)),
        parts=tuple(parts),
    )


def _of_process(baseline: Baseline, process: str) -> list[Operation]:
    chosen = [operation for operation in baseline.operations if operation.process == process]
    return sorted(chosen, key=lambda operation: -operation.exclusive_s)


def _operation_notes(baseline: Baseline, *groups: list[Operation]) -> list[str]:
    if not any(groups):
        return [f"Named operations: {wording.not_measured(baseline, 'operations')}."]
    left_out = sum(max(0, len(group) - MAX_OPERATIONS) for group in groups)
    if not left_out:
        return []
    are = "operation is" if left_out == 1 else "operations are"
    return [f"{left_out:,} shorter {are} only in `metrics.csv`."]


def _ranks(baseline: Baseline) -> Section:
    return Section(
        key="ranks",
        title="Ranks",
        blocks=_blocks(
            "This report covers rank 0. Every rank waits for the slowest one during gradient "
            "exchange, so compare ranks by their own work.",
            spread_table(baseline),
            rank_table(baseline),
            *rank_notes(baseline),
        ),
    )


def _missing(baseline: Baseline) -> Section:
    nothing = "Nothing: every metric in this report has a value."
    return Section(
        key="missing",
        title="What was not measured",
        blocks=_blocks(missing_table(baseline) if baseline.missing else nothing),
    )


def _measurement(baseline: Baseline) -> Section:
    return Section(
        key="measurement",
        title="How it was measured",
        blocks=_blocks(*measurement_notes(baseline)),
    )


def _environment(baseline: Baseline) -> Section:
    rows = [[Strong(label), text] for label, text in header_facts(baseline)]
    return Section(
        key="environment",
        title="Environment",
        blocks=_blocks(Table(headers=["", ""], rows=rows)),
    )


def _blocks(*given: Block | None) -> tuple[Block, ...]:
    return tuple(block for block in given if block)


def _names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = len(names) - MOST_NAMES
    shown = ", ".join(map(quoted, names[:MOST_NAMES]))
    return f"{shown} and {rest:,} more" if rest > 0 else shown
