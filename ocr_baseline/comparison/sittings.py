"""Which runs share a sitting: runs of one machine, made one after the other.

Runs of a sitting share what the machine was like then (its temperature, its neighbours, what was in
memory), so they resemble each other more than runs of different days do, as the batches of one run
resemble each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import count, pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ocr_baseline.comparison.summary import RunSummary

SittingRule = Literal["auto", "run", "one"]

MAX_PAUSE = timedelta(minutes=30)
"""A longer pause between two runs of a machine ends a sitting."""
MIN_SWITCHES = 2
"""A A B B switches once: what changed meanwhile looks like the difference of the sides."""


def sittings_of(
    base: Sequence[RunSummary], new: Sequence[RunSummary] = (), rule: SittingRule = "auto"
) -> Mapping[str, int]:
    """Return the sitting of each run, as a number, by the run's `content`.

    Runs of one host share a sitting when no pause between them is longer than 30 minutes. Where
    all runs of one side came before those of the other, it counts as a sitting for each side: only
    sides that took turns have a number in common. A run whose start isn't known counts by itself.

    Args:
        base: Runs of the base, no two of the same content.
        new: The new runs.
        rule: `run` says that every run is a sitting of its own, `one` that all share one.
    """
    runs = [*base, *new]
    if rule != "auto":
        return {run.content: 0 if rule == "one" else place for place, run in enumerate(runs)}
    sides = {run.content: side for side, part in enumerate((base, new)) for run in part}
    found = {}
    for number, sitting in enumerate(_by_pauses(runs)):
        order = [sides[run.content] for run in sitting]
        is_shared = _took_turns(order)
        for run, side in zip(sitting, order, strict=True):
            found[run.content] = number if is_shared else number + side * len(runs)
    return found


def by_sitting(
    runs: Iterable[RunSummary], sittings: Mapping[str, int]
) -> dict[int, list[RunSummary]]:
    """Return runs by their sitting, sittings in the order of their first runs."""
    found: dict[int, list[RunSummary]] = {}
    for run in runs:
        found.setdefault(sittings[run.content], []).append(run)
    return found


def in_time_order(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Return the runs by when they started; as they are, when that of one is not known."""
    if any(run.info.started_at is None for run in runs):
        return list(runs)
    return sorted(runs, key=started_at)


def started_at(run: RunSummary) -> datetime:
    """Return when a run began, the first of all moments where that isn't known."""
    moment = run.info.started_at or datetime.min
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _by_pauses(runs: Sequence[RunSummary]) -> list[list[RunSummary]]:
    """Return the runs of each sitting, in the order of time."""
    found: dict[int, list[RunSummary]] = {}
    latest: dict[object, tuple[datetime, int]] = {}
    fresh = count()
    for run in sorted(runs, key=started_at):
        if run.info.started_at is None:
            found[next(fresh)] = [run]
            continue
        host, began = run.environment.volatile.get("hostname"), started_at(run)
        last_end, number = latest.get(host, (began, -1))
        if number < 0 or began - last_end > MAX_PAUSE:
            number = next(fresh)
        ended = began + timedelta(seconds=run.info.duration_s or 0.0)
        latest[host] = (max(ended, last_end), number)
        found.setdefault(number, []).append(run)
    return list(found.values())


def _took_turns(sides: Sequence[int]) -> bool:
    """Whether the sides alternated, given the side of each run in order; two runs are a pair."""
    switches = sum(one != other for one, other in pairwise(sides))
    return switches >= MIN_SWITCHES or len(sides) == MIN_SWITCHES == switches + 1
