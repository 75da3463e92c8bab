"""The two sides of a comparison made fit for it, and what a reader should know about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.comparison.identity import fingerprint
from ocr_baseline.errors import ComparisonError

if TYPE_CHECKING:
    from ocr_baseline.comparison.metrics import Metric
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.summary import RunSummary


BUSY_LOAD_PER_CPU = 0.5
UNFINISHED = ("failed", "interrupted", "running")
MAX_NAMED_RUNS = 3
MAX_SITTINGS = 40
"""More of a history don't count: a mean of long ago is not what a new run should meet."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison."""

    runs: tuple[RunSummary, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the runs are called."""
        return tuple(run.label for run in self.runs)

    @property
    def fingerprint(self) -> str:
        """The environment's fingerprint of the first run."""
        return fingerprint(self.runs[0].environment.identity)


def distinct(runs: Sequence[RunSummary], side: str) -> tuple[list[RunSummary], list[str]]:
    """Return the runs without copies of each other, and a note on each copy."""
    kept: dict[str, RunSummary] = {}
    notes = []
    for run in runs:
        if run.content in kept:
            notes.append(
                f"{side}: {run.label} is a copy of {kept[run.content].label}; it counts once"
            )
        else:
            kept[run.content] = run
    return list(kept.values()), notes


def check_sides(base: Sequence[RunSummary], new: Sequence[RunSummary], options: Options) -> None:
    """Refuse sides that say nothing.

    Raises:
        ComparisonError: When a side is empty, when a run is on both, or when pairs don't match.
    """
    for runs, side in ((base, "base"), (new, "new")):
        if not runs:
            raise ComparisonError(f"the {side} side is empty: there is no run to compare")
    labels = {run.content: run.label for run in base}
    for run in new:
        if run.content in labels:
            raise ComparisonError(
                f"{run.label} is on both sides (as {labels[run.content]} in the base): "
                "a run compared with itself says nothing"
            )
    if options.is_paired and (len(base) != len(new) or len(base) < 2):
        raise ComparisonError(
            f"paired runs need as many on each side, two or more: {len(base)} v {len(new)} given"
        )


def latest(
    base: Sequence[RunSummary], new: Sequence[RunSummary], sittings: Mapping[str, int]
) -> tuple[list[RunSummary], list[str]]:
    """Cut a base, in the order of time, to its latest 40 sittings, or as many as the new have."""
    order = list(dict.fromkeys(sittings[run.content] for run in base))
    most = max(MAX_SITTINGS, len({sittings[run.content] for run in new}))
    if len(order) <= most:
        return list(base), []
    kept = set(order[-most:])
    runs = [run for run in base if sittings[run.content] in kept]
    return runs, [f"base: the last {len(runs)} of {len(base)} runs count"]


def reading_notes(
    base: Sequence[RunSummary], new: Sequence[RunSummary], options: Options, calibrated: bool
) -> list[str]:
    """Return what a reader should know before the numbers: what was not recorded, what was busy."""
    notes = []
    if not base[0].environment.identity or not new[0].environment.identity:
        notes.append("the environment of one side was not recorded, so the machines may differ")
    if (base[0].workload.config is None) != (new[0].workload.config is None):
        notes.append("the config of one side was not recorded, so it may have done different work")
    if options.calibration is not None and not calibrated:
        notes.append("the calibration is for another environment or workload, so it was not used")
    runs = [*base, *new]
    return [*notes, *_notes_on_runs(runs), *_busy_machine(runs)]


def _notes_on_runs(runs: Sequence[RunSummary]) -> list[str]:
    """Return each warning and each unfinished status once, with the runs that it is about."""
    labels: dict[str, list[str]] = {}
    for run in runs:
        for warning in run.measurement.warnings:
            labels.setdefault(warning, []).append(run.label)
        if run.info.status in UNFINISHED:
            unfinished = f"{run.info.status}; totals are of a part of the run"
            labels.setdefault(unfinished, []).append(run.label)
    return [f"{_named(found)}: {text}" for text, found in labels.items()]


def _busy_machine(runs: Sequence[RunSummary]) -> list[str]:
    """Return one note on the runs that began while the machine had other work."""
    busy = [
        (run.label, load)
        for run in runs
        if (load := _load_per_cpu(run)) is not None and load > BUSY_LOAD_PER_CPU
    ]
    if not busy:
        return []
    labels, loads = zip(*busy, strict=True)
    return [
        f"the machine was busy when {_named(labels)} began: a load of up to {max(loads):.2f} on "
        "each processor; unless that was the run before, repeat on a quiet machine"
    ]


def _load_per_cpu(run: RunSummary) -> float | None:
    known = run.environment.known
    cores = known.machine_cpu_count or known.cpu_count
    if known.load_avg_1min is None or cores is None:
        return None
    return known.load_avg_1min / cores


def _named(labels: Sequence[str]) -> str:
    """Return the names of runs, the first three where there are more."""
    rest = len(labels) - MAX_NAMED_RUNS
    return ", ".join(labels[:MAX_NAMED_RUNS]) + (f" and {rest} more" if rest > 0 else "")


def level_notes(
    levels: Mapping[Metric, Sequence[Sequence[RunSummary]]], recent: Sequence[RunSummary]
) -> list[str]:
    """Return where metrics of the base moved to the level that new runs are held against.

    Args:
        levels: The base's runs by level, for each metric.
        recent: The base's runs since its last accepted change.
    """
    moved: dict[str, list[str]] = {}
    for metric, runs in levels.items():
        first = next((run for run in recent if metric.key in run.values), None)
        if not runs[-1] or first is None or runs[-1][0] is first:
            continue
        before, after = (
            metric.mean([run.values[metric.key] for run in level]) for level in runs[-2:]
        )
        told = f"{metric.key} {_moved(metric, before, after)}"
        moved.setdefault(runs[-1][0].label, []).append(told)
    return [
        f"the base's level moved at {label} ({', '.join(told)}), and only runs since then count; "
        "if it's meant to stay, accept it: ocr-baseline baseline accept NAME RUN"
        for label, told in moved.items()
    ]


def _moved(metric: Metric, before: float, after: float) -> str:
    is_log = metric.scale == "log"
    change = f"{after / before - 1:+.1%}" if is_log else f"{after - before:+.3g} {metric.unit}"
    return f"{change} ({'worse' if metric.is_worse(after - before) else 'better'})"
