"""From a run that was recorded to what is tried of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.analysis.findings import find
from ocr_baseline.errors import BaselineError
from ocr_baseline.prove.candidates import (
    MOST_AT_FIRST,
    TRIED_PHASES,
    Candidate,
    NotTried,
    most_promising,
)
from ocr_baseline.prove.finding_candidates import causes_without_setting, finding_candidates
from ocr_baseline.prove.loader_candidates import loader_candidates
from ocr_baseline.prove.shape import limits_of, shapes_of
from ocr_baseline.prove.thread_candidates import thread_candidates
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ocr_baseline.model.run import Run
    from ocr_baseline.prove.shape import StageShape
    from ocr_baseline.unchanged_script.settings import Limits


@dataclass(frozen=True, kw_only=True)
class Plans:
    """What a run speaks for, how long a trial of it is, and what can't be tried."""

    candidates: Sequence[Candidate]
    not_tried: Sequence[NotTried]
    shapes: Mapping[Stage, StageShape]
    limits: Limits


def plans_of(run: Run | None, seconds: float) -> Plans:
    """Return what to try; a trial takes about so many seconds of training and validation.

    Raises:
        BaselineError: When the run's batches weren't recorded, or it didn't train.
    """
    if run is None:
        raise BaselineError("prove needs the profiler's records of the run, not its document alone")
    measured = measure(run)
    shapes = shapes_of(measured)
    if Stage.TRAIN not in shapes:
        raise BaselineError("prove needs a run with recorded training batches")
    findings = find(measured).findings
    found: dict[str, Candidate] = {}
    phases = [phase for phase in measured.whole_phases if phase.name in TRIED_PHASES]
    for one in (
        *finding_candidates(measured, findings),
        *thread_candidates(measured, findings),
        *(one for phase in phases for one in loader_candidates(measured, phase)),
    ):
        found.setdefault(one.name, one)
    run_s = sum(shape.total_s for shape in shapes.values())
    return Plans(
        candidates=most_promising(found.values(), run_s, MOST_AT_FIRST),
        not_tried=list(causes_without_setting(findings)),
        shapes=shapes,
        limits=limits_of(shapes, seconds),
    )
