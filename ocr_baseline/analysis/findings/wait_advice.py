"""What to do about a wait for batches: workers, where they help, or cheaper batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import INPUT_BOUND
from ocr_baseline.analysis.findings.more_workers import (
    MoreWorkers,
    more_workers,
    most_workers,
    worker_counts,
)
from ocr_baseline.vocabulary import FETCH_LINE, Line

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase, Workers

SHOWN_AS_NOTHING_S = 0.05
"""A saving below this is 0.0 s where seconds have one decimal."""
IF_DEALT_OUT = " if the dataset deals its samples out among workers"
_DEALING = (
    " Each worker iterates over the whole of an IterableDataset unless its __iter__ deals the "
    "samples out by torch.utils.data.get_worker_info()."
)


def advice_with_workers(measured: Measured, phase: Phase, workers: Workers) -> str:
    """Say how many more workers help, or that their work has to get cheaper where none do."""
    cores, more = measured.environment.cpu_count, more_workers(measured, phase)
    if cores is not None and not worker_counts(workers.count, most_workers(workers, cores)):
        return "Make the workers' work cheaper: the cores have no room for more of them."
    if more is None:
        return "Give the loader more workers while cores are idle, or make its work cheaper."
    if more.saving_s < INPUT_BOUND["medium"] * (phase.total_s or 0.0):
        return f"Make the workers' work cheaper. {_little_saved('More of them', more)}"
    saved = f"an estimated {more.saving_s:.1f} s{if_dealt_out(measured, phase, more)}"
    return (
        f"Set the loader's {more.settings}, which saves {saved}, or make its work cheaper."
        f"{dealing(measured, phase)}"
    )


def advice_about_sampler(measured: Measured, phase: Phase) -> str:
    """Say that the wait is for indices, and of workers only what little they would save."""
    more = more_workers(measured, phase)
    advice = cheaper_indices("the wait")
    if more is None or more.saving_s >= INPUT_BOUND["medium"] * (phase.total_s or 0.0):
        return advice
    return f"{advice} {_little_saved('More workers' if more.count else 'Workers', more)}"


def cheaper_indices(what: str) -> str:
    """Return what to do about a sampler that takes most of `what`."""
    return (
        f"Make the sampler's indices cheaper or all at once: most of {what} is in the sampler. The "
        "main process reads it, whatever num_workers is; a permutation can be built once."
    )


def if_dealt_out(measured: Measured, phase: Phase, workers: MoreWorkers) -> str:
    """Return the condition under which several workers help an `IterableDataset`, else nothing."""
    is_shared = workers.more > 1 and _reads_iterable_dataset(measured, phase)
    return IF_DEALT_OUT if is_shared else ""


def dealing(measured: Measured, phase: Phase) -> str:
    """Return what an `IterableDataset` has to do for more than one worker, else nothing."""
    return _DEALING if _reads_iterable_dataset(measured, phase) else ""


def _reads_iterable_dataset(measured: Measured, phase: Phase) -> bool:
    """Whether the main thread or a worker was sampled in reading one."""
    lines = (
        measured.sampled.get((phase.name, line)) for line in (Line.DATA_WAIT.value, FETCH_LINE)
    )
    return any(line is not None and line.reads_iterable_dataset for line in lines)


def advice_without_workers(measured: Measured, phase: Phase, first: MoreWorkers | None) -> str:
    """Say what workers would do, and what an iterable dataset needs before it has some."""
    sampled = measured.sampled.get((phase.name, Line.DATA_WAIT.value))
    is_set = phase.name == "train" and measured.environment.num_workers == 0
    if is_set or (sampled is not None and sampled.makes_batches):
        return _remedy_without_workers(measured, phase, first) + dealing(measured, phase)
    if phase.name == "train" and measured.environment.num_workers:
        return (
            f"Its loader has num_workers={measured.environment.num_workers}, of which none was "
            "recorded in this stage. Give it more workers while cores are idle, or make a batch "
            "cheaper."
        )
    return (
        "No loader worker was recorded in this stage. If its loader has none, the main thread "
        "makes the batches itself: set num_workers above 0."
    )


def _little_saved(who: str, more: MoreWorkers) -> str:
    if more.saving_s < SHOWN_AS_NOTHING_S:
        return f"{who} would save nothing here."
    return f"{who} would save little here, an estimated {more.saving_s:.1f} s."


def _remedy_without_workers(measured: Measured, phase: Phase, first: MoreWorkers | None) -> str:
    none = "The loader has no workers:"
    if first is None:
        return f"{none} set num_workers above 0, or make a batch cheaper."
    if first.saving_s < INPUT_BOUND["medium"] * (phase.total_s or 0.0):
        return (
            "The loader has no workers, so the main thread makes the batches itself: make a batch "
            f"cheaper. {_little_saved('Workers', first)}"
        )
    saved = f"an estimated {first.saving_s:.1f} s{if_dealt_out(measured, phase, first)}"
    return f"{none} set {first.settings}, which saves {saved}, or make a batch cheaper."
