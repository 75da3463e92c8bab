"""The tables of the Markdown report, one function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import AcceleratorMemory, Memory, MemoryUse, TrainVsValidation
from ocr_baseline.reports.run.phase_tables import NO_TIMES, batch_times, phase_or_empty
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, fraction_bar, table
from ocr_baseline.vocabulary import PhaseName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.model.document import (
        Baseline,
        Finding,
        Operation,
        Rank,
        RankPhase,
        Ratio,
        WaterfallStep,
    )


MAX_OPERATIONS = 10
SMALL_STEP = 0.01
MAX_RANKS = 16
_RANK_METRICS = {
    "batch": "whole batch",
    "data_wait": "waiting for data",
    "backward": "backward, including gradient exchange",
    "collectives": "other communication between ranks",
    "own": "own work, excluding the two above",
}


def ratio_table(baseline: Baseline) -> MarkdownText:
    """Validation divided by training, per sample, per batch and per epoch."""
    compared = baseline.train_vs_validation or TrainVsValidation()
    both = [phase_or_empty(baseline, "train"), phase_or_empty(baseline, "validation")]
    samples = [formatting.duration(phase.sample_time_s) for phase in both]
    batches = [formatting.duration(batch_times(phase).mean) for phase in both]
    epochs = [formatting.duration(phase.epoch_time_s) for phase in both]
    rows = [
        _ratio_row(baseline, "Per sample", "sample_ratio", compared.sample_ratio, samples),
        _ratio_row(baseline, "Per batch", "batch_ratio", compared.batch_ratio, batches),
        _ratio_row(baseline, "Per epoch", "epoch_ratio", compared.epoch_ratio, epochs),
    ]
    headers = ["Mean time", "Training", "Validation", "Validation / training", "95% interval"]
    return table(headers, rows, "lrrrr")


def waterfall_table(baseline: Baseline) -> MarkdownText | None:
    """From the time of a training sample to that of a validation sample, line by line."""
    shown, _ = _waterfall_steps(baseline)
    if not shown:
        return None
    largest_s = abs(shown[0].delta_s)
    rows: list[list[MarkdownText | str]] = [
        [
            code(step.name),
            formatting.duration(step.delta_s, signed=True),
            fraction_bar(abs(step.delta_s) / largest_s),
        ]
        for step in shown
    ]
    rows.insert(0, _sample_row(baseline, "train"))
    rows.append(_sample_row(baseline, "validation"))
    return table(["", "Time per sample", ""], rows, "lr")


def small_waterfall_steps(baseline: Baseline) -> MarkdownText:
    """Names of the lines whose change is too small for a row of the waterfall."""
    _, small = _waterfall_steps(baseline)
    return MarkdownText(", ".join(code(step.name) for step in small))


def _waterfall_steps(baseline: Baseline) -> tuple[list[WaterfallStep], list[WaterfallStep]]:
    """Return the steps large enough for a row, the largest change first, and the others."""
    compared = baseline.train_vs_validation
    steps = [step for step in compared.waterfall_s_per_sample if step.delta_s] if compared else []
    steps.sort(key=lambda step: -abs(step.delta_s))
    least_s = abs(steps[0].delta_s) * SMALL_STEP if steps else 0.0
    return (
        [step for step in steps if abs(step.delta_s) >= least_s],
        [step for step in steps if abs(step.delta_s) < least_s],
    )


def operation_table(operations: Sequence[Operation], process: str) -> MarkdownText:
    """The slowest operations of the main thread or of the loader workers."""
    is_worker = process == "worker"
    rows = []
    for operation in operations[:MAX_OPERATIONS]:
        times = operation.call_time_s or NO_TIMES
        waited = [formatting.duration(operation.waited_s)] if is_worker else []
        rows.append(
            [
                _operation_name(operation),
                wording.stage_adjective(operation.phase).lower(),
                formatting.count(operation.calls),
                formatting.duration(operation.exclusive_s),
                formatting.duration(operation.total_s),
                *waited,
                formatting.share(operation.share_of_phase),
                formatting.duration(times.median),
                formatting.duration(times.p95),
            ]
        )
    waited_header = ["Main thread waited"] if is_worker else []
    headers = ["Operation", "Phase", "Calls", "Exclusive", "Total", *waited_header]
    whole = "Share of making batches" if is_worker else "Share of phase"
    headers += [whole, "Median call", "P95 call"]
    return table(headers, rows, "ll" + "r" * 7)


def workers_table(baseline: Baseline) -> MarkdownText | None:
    """What the loader workers of each phase did, all of them together."""
    rows = [
        [
            wording.stage_adjective(workers.phase).lower(),
            formatting.count(workers.count),
            formatting.count(workers.batches),
            formatting.duration(workers.busy_s),
            formatting.duration(workers.unnamed_s),
            formatting.duration(workers.waited_s),
            formatting.duration(workers.startup_mean_s),
            formatting.duration(workers.startup_max_s),
        ]
        for workers in baseline.workers
    ]
    headers = ["Phase", "Workers", "Batches made", "Making batches", "Outside named operations"]
    headers += ["Main thread waited", "Mean startup", "Longest startup"]
    return table(headers, rows, "lrrrrrrr") if rows else None


def memory_table(baseline: Baseline) -> MarkdownText:
    """Peaks of the accelerator and of the processes, and the use of the whole machine."""
    memory = baseline.memory or Memory()
    accelerator = memory.accelerator or AcceleratorMemory()
    tree = memory.process_tree_rss_bytes or MemoryUse()
    values = [
        (
            "GPU Memory",
            "memory.accelerator.allocated_peak_bytes",
            formatting.byte_size(accelerator.allocated_peak_bytes),
            "peak allocated",
        ),
        (
            "GPU Memory Reserved",
            "memory.accelerator.reserved_peak_bytes",
            formatting.byte_size(accelerator.reserved_peak_bytes),
            "peak reserved",
        ),
        (
            "CPU Memory",
            "memory.process_tree_rss_bytes.peak",
            formatting.byte_size(tree.peak),
            "peak resident, main process and workers",
        ),
        (
            "System Memory",
            "memory.system_memory_percent",
            formatting.percent(memory.system_memory_percent),
            "whole machine, including other programs",
        ),
    ]
    rows = [
        [MarkdownText(f"**{label}**"), wording.not_measured(baseline, path), ""]
        if text == formatting.NOT_MEASURED
        else [MarkdownText(f"**{label}**"), text, scope]
        for label, path, text, scope in values
    ]
    return table(["Resource", "Usage", "Scope"], rows, "lr")


def memory_over_time_table(baseline: Baseline) -> MarkdownText | None:
    """Memory from the run's start to its end, and within each phase."""
    memory = baseline.memory or Memory()
    uses = [
        ("Process tree", memory.process_tree_rss_bytes),
        ("Process tree, shared pages split (PSS)", memory.process_tree_pss_bytes),
        ("Main process", memory.main_rss_bytes),
        ("Loader workers", memory.workers_rss_bytes),
        *_phase_memory_uses(baseline),
    ]
    rows = [
        [
            label,
            formatting.byte_size(use.start),
            formatting.byte_size(use.end),
            formatting.byte_size(use.peak),
            formatting.byte_size(use.mean),
            _growth(use),
        ]
        for label, use in uses
        if use is not None
    ]
    headers = ["Memory", "Start", "End", "Peak", "Mean", "Growth"]
    return table(headers, rows, "lrrrrr") if rows else None


def _phase_memory_uses(baseline: Baseline) -> list[tuple[str, MemoryUse | None]]:
    """Label and use for each phase in which memory was sampled."""
    uses: list[tuple[str, MemoryUse | None]] = []
    for phase in baseline.phases:
        if phase.memory is None or phase.dataloader is not None:
            continue
        during = f"during {wording.stage_adjective(phase.name).lower()}"
        uses += [
            (f"Process tree {during}", phase.memory.process_tree_rss_bytes),
            (f"Accelerator allocated {during}", phase.memory.accelerator_allocated_bytes),
            (f"Accelerator reserved {during}", phase.memory.accelerator_reserved_bytes),
        ]
    return uses


def evidence_table(finding: Finding) -> MarkdownText:
    """The numbers that a finding rests on."""
    rows = [
        [code(item.metric), formatting.quantity(item.value, item.unit)] for item in finding.evidence
    ]
    return table(["Evidence", "Value"], rows, "lr")


def missing_table(baseline: Baseline) -> MarkdownText:
    """What has no value, and why."""
    rows = [
        [
            code(entry.metric),
            wording.MISSING_REASONS.get(entry.reason, entry.reason),
            entry.detail or "",
        ]
        for entry in baseline.missing
    ]
    return table(["Metric", "Reason", "Detail"], rows)


def line_table(baseline: Baseline) -> MarkdownText | None:
    """What the lines of the breakdowns mean, as far as they appear."""
    names = {line.name for phase in baseline.phases for line in phase.breakdown}
    rows = [[code(name), text] for name, text in wording.LINE_MEANINGS.items() if name in names]
    return table(["Line", "Time spent"], rows) if rows else None


def _sample_row(baseline: Baseline, name: PhaseName) -> list[MarkdownText | str]:
    sample_time_s = phase_or_empty(baseline, name).sample_time_s
    label = MarkdownText(f"**{wording.stage_adjective(name)} sample**")
    return [label, formatting.duration(sample_time_s), ""]


def _ratio_row(
    baseline: Baseline, label: str, field: str, ratio: Ratio | None, times: Sequence[str]
) -> list[str]:
    if ratio is None:
        return [label, *times, wording.not_measured(baseline, f"train_vs_validation.{field}"), ""]
    interval = ""
    if ratio.low is not None and ratio.high is not None:
        interval = f"{formatting.times(ratio.low)} to {formatting.times(ratio.high)}"
    return [label, *times, formatting.ratio(ratio.value), interval]


def _operation_name(operation: Operation) -> MarkdownText:
    """Return the name; an operation of the main process that nothing waited for ran in a thread."""
    name = code(operation.name)
    if operation.process == "main" and operation.waited_s is None:
        return MarkdownText(f"{name} (in another thread)")
    return name


def _growth(use: MemoryUse) -> str:
    growth = formatting.bytes_per_min(use.growth_bytes_per_min)
    low, high = use.growth_low_bytes_per_min, use.growth_high_bytes_per_min
    if low is None or high is None:
        return growth
    lowest, highest = (formatting.byte_size(value, signed=True) for value in (low, high))
    return f"{growth} ({lowest} to {highest})"


def spread_table(baseline: Baseline) -> MarkdownText | None:
    """Minimum, median and maximum over the ranks, per batch; None with only one rank."""
    rows = [
        [
            wording.stage_adjective(spread.phase),
            _RANK_METRICS[spread.metric],
            f"{formatting.duration(spread.min)} (rank {spread.min_rank})",
            formatting.duration(spread.median),
            f"{formatting.duration(spread.max)} (rank {spread.max_rank})",
        ]
        for spread in baseline.rank_spreads
    ]
    headers = ["Phase", "Time per batch", "Minimum", "Median", "Maximum"]
    return table(headers, rows, "llrrr") if rows else None


def rank_table(baseline: Baseline) -> MarkdownText | None:
    """Each rank's totals, of the first 16 ranks where there are more."""
    rows = [_rank_row(rank, phase) for rank in baseline.ranks[:MAX_RANKS] for phase in rank.phases]
    headers = ["Rank", "Status", "Phase", "Batches", "Samples", "Total", "Data wait", "Own work"]
    headers.append("Gradient wait per step")
    return table(headers, rows, "rllrrrrrr") if rows else None


def rank_notes(baseline: Baseline) -> list[str]:
    """Return what the tables cover."""
    notes = []
    if baseline.ranks and len(baseline.ranks) < baseline.world_size:
        notes.append(
            f"{len(baseline.ranks)} of {baseline.world_size} ranks left records in the folder that "
            "was read."
        )
    if len(baseline.ranks) > MAX_RANKS:
        left_out = len(baseline.ranks) - MAX_RANKS
        notes.append(
            f"{left_out} more ranks are in `baseline.json`; the spread covers all of them."
        )
    if any(
        phase.gradient_wait_mean_s is not None for rank in baseline.ranks for phase in rank.phases
    ):
        notes.append(
            "Gradient wait is the mean over the backward passes that DDP times itself: the first "
            "ten, then every hundredth."
        )
    return notes


def _rank_row(rank: Rank, phase: RankPhase) -> list[str]:
    wait_s = phase.gradient_wait_mean_s
    return [
        str(rank.rank),
        rank.status,
        wording.stage_adjective(phase.phase),
        formatting.count(phase.batches),
        formatting.count(phase.samples),
        formatting.duration(phase.total_s),
        formatting.duration(phase.data_wait_s),
        formatting.duration(phase.own_s),
        "" if wait_s is None else formatting.duration(wait_s),
    ]
