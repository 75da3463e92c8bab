"""What passed before the first batch, and which part of the run trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.call_tree import stacks_by_line
from ocr_baseline.analysis.functions.sampled_lines import SampledLine
from ocr_baseline.analysis.phases.builder import line_name
from ocr_baseline.model.document import Goodput, Start, StartPart
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.analysis.functions.call_tree import Stacks
    from ocr_baseline.analysis.phases.stage_times import StageTimes
    from ocr_baseline.model.run import Run, StackSamples, StartRecord

SANITY_CHECK, FIRST_FETCH, FIRST_STEP = "sanity_check", "first_fetch", "first_step"

UNPRODUCTIVE = (Line.LOADER_STARTUP, Line.DATA_WAIT, Line.CHECKPOINT)
"""Lines of training batches that Google's ml-goodput-measurement counts as badput, too."""


def start(run: Run) -> Start | None:
    """Return the time to the first step and what it went to, None where it wasn't recorded."""
    began = run.start
    if began is None:
        return None
    parts = _parts(began)
    total_s = sum(parts.values())
    sampled = _sampled(run.stack_samples)
    return Start(
        since=(
            "process" if began.process_s is not None else "setup" if began.fit_s is None else "fit"
        ),
        clock=began.clock,
        process_to_setup_s=began.process_s,
        fit_to_setup_s=began.fit_s,
        setup_s=sum(began.lines_s.values()),
        sanity_check_s=began.sanity_check_s,
        first_batch_s=began.first_fetch_s + began.first_step_s,
        time_to_first_step_s=total_s,
        breakdown=[
            StartPart(
                name=name,
                total_s=part_s,
                share=part_s / total_s if total_s > 0 else None,
                cause=sampled[name].cause if name in sampled else None,
            )
            for name, part_s in parts.items()
        ],
    )


def _parts(began: StartRecord) -> dict[str, float]:
    """Return the seconds of each part; a callback's hooks before and in the set-up are one."""
    parts = dict(began.before_s)
    for line, part_s in sorted(began.lines_s.items(), key=lambda item: -item[1]):
        parts[line_name(line)] = parts.get(line_name(line), 0.0) + part_s
    return parts | {
        SANITY_CHECK: began.sanity_check_s,
        FIRST_FETCH: began.first_fetch_s,
        FIRST_STEP: began.first_step_s,
    }


def _sampled(samples: tuple[StackSamples, ...]) -> dict[str, SampledLine]:
    """Return what was sampled in the main process, by part; the sanity check is one part."""
    stacks: dict[str, Stacks] = {}
    for one in samples:
        if one.process != "main" or one.stage not in (Stage.SETUP, Stage.SANITY_CHECK):
            continue
        for line, found in stacks_by_line(one).items():
            name = SANITY_CHECK if one.stage is Stage.SANITY_CHECK else line_name(line)
            stacks.setdefault(name, []).extend(found)
    return {
        name: SampledLine(found)
        for name, found in stacks.items()
        if any(ticks for _, ticks in found)
    }


def goodput(run: Run, times: Mapping[Stage, StageTimes]) -> Goodput | None:
    """Return the share of the run that trained, None where it isn't known."""
    train, duration_s = times.get(Stage.TRAIN), run.info.duration_s
    if train is None or train.table is None or not duration_s:
        return None
    lost_s = sum(
        float(train.table.lines_s[line].sum(dtype="float64"))
        for line in UNPRODUCTIVE
        if line in train.table.lines_s
    )
    productive_s = max(0.0, float(train.durations_s.sum()) - lost_s)
    process_s = None if run.start is None else run.start.process_s
    wall_s = duration_s + (process_s or 0.0)
    return Goodput(
        productive_s=productive_s,
        wall_s=wall_s,
        share=productive_s / wall_s,
        since="setup" if process_s is None else "process",
    )
