"""What the first trials speak for.

A trial is a run of its own, so the records of the best one are replayed in turn; and settings that
each saved time in another phase are worth a trial together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.document import SMALL_SHARE_OF_RUN
from ocr_baseline.prove.candidates import (
    MOST_LATER,
    TRIED_PHASES,
    WHOLE_RUN,
    Candidate,
    Saving,
    merged,
    name_of,
)
from ocr_baseline.prove.judging import Tried, leader_of
from ocr_baseline.prove.loader_candidates import loader_candidates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def later_candidates(tried: Sequence[Tried]) -> list[Candidate]:
    """Return what to try beside what was; the first of these is the run as it is."""
    base, leader = tried[0], leader_of(tried)
    if leader is None or leader.candidate is None:
        return []
    replayed = sorted(
        _replayed(base, leader),
        key=lambda one: -one.predicted.value_s if one.predicted else 0.0,
    )
    known = {one.candidate.name for one in tried if one.candidate is not None}
    # The replay may speak for what is also worth a trial together: the first of equals stays.
    found: dict[str, Candidate] = {}
    for one in [*_together(tried, leader.candidate), *replayed]:
        if one.name not in known:
            found.setdefault(one.name, one)
    return list(found.values())[:MOST_LATER]


def _together(tried: Sequence[Tried], best: Candidate) -> Iterator[Candidate]:
    """Yield the best setting with the best of each other phase that it shortens."""
    base, *others = tried
    chosen = {best.phase: best}
    for one in sorted((one for one in others if one.counts), key=lambda one: one.mean_s()):
        candidate = one.candidate
        if candidate is None or candidate.phase in chosen:
            continue
        if max(one.times_s(candidate.phase)) < min(base.times_s(candidate.phase)):
            chosen[candidate.phase] = candidate
    if len(chosen) == 1:
        return
    settings = best.settings
    for candidate in chosen.values():
        settings = merged(settings, candidate.settings)
    yield Candidate(
        name=name_of(settings),
        settings=settings,
        phase=WHOLE_RUN,
        why="settings that each saved time, together",
        predicted=_sum_of([candidate.predicted for candidate in chosen.values()]),
    )


def _replayed(base: Tried, leader: Tried) -> Iterator[Candidate]:
    """Yield what the replay of the leader's last trial speaks for, as seconds of the run."""
    if leader.candidate is None or leader.last is None:
        return
    for name in TRIED_PHASES:
        phase = leader.last.phase(name)
        if phase is None or not phase.total_s or not leader.times_s(name):
            continue
        had_s, has_s = base.mean_s(name), leader.mean_s(name)
        for one in loader_candidates(leader.last, phase):
            if one.predicted is None:
                continue
            parts = [seconds / phase.total_s for seconds in one.predicted]
            if parts[0] * has_s < SMALL_SHARE_OF_RUN * leader.mean_s():
                continue
            settings = merged(leader.candidate.settings, one.settings)
            yield Candidate(
                name=name_of(settings),
                settings=settings,
                phase=name,
                why=f"{one.why} in the trial of {leader.candidate.name}",
                predicted=Saving(*(had_s - has_s * (1 - part) for part in parts)),
            )


def _sum_of(savings: Sequence[Saving | None]) -> Saving | None:
    known = [one for one in savings if one is not None]
    if len(known) < len(savings):
        return None
    return Saving(*(sum(values) for values in zip(*known, strict=True)))
