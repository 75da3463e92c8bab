"""A line of the breakdown takes too much of a stage: one row for each line that is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.analysis.findings import catalogue
from ocr_baseline.analysis.findings.catalogue import INPUT_BOUND
from ocr_baseline.analysis.findings.handover import waited_for_making_s
from ocr_baseline.analysis.findings.more_workers import more_workers
from ocr_baseline.analysis.findings.named_cause import (
    begin_with,
    cause_evidence,
    cause_of,
    is_users_code,
    with_cause,
)
from ocr_baseline.analysis.findings.rule import (
    count_evidence,
    quoted,
    seconds_evidence,
    share_evidence,
    share_of,
    title,
    too_few_batches,
)
from ocr_baseline.analysis.findings.wait_advice import (
    advice_about_sampler,
    advice_with_workers,
    advice_without_workers,
    cheaper_indices,
    if_dealt_out,
)
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.replay.savings import main_thread_saving
from ocr_baseline.analysis.sampler import sampler_waited_for, time_in_sampler_s
from ocr_baseline.model.document import BreakdownLine, Evidence, Finding, Phase
from ocr_baseline.vocabulary import PHASE_WORDS, PHASES, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.findings.kind import Kind
    from ocr_baseline.analysis.findings.rule import Silence
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.sampler import SamplerTime
    from ocr_baseline.model.document import NamedCause, Operation, Workers

NAMED_PART = 0.5
LEAST_PASSES = 2
OUTSIDE_BATCHES = 0.5
"""A line of so many passes, and so much of it outside their batches, is judged without batches."""
SHOWN_PARTS = 3


class Remedy(NamedTuple):
    """What to do about a line, what that would save, and the numbers that led to it.

    `low_s` is what the lesser of two remedies would save, in seconds.
    """

    saving_s: float
    basis: str
    advice: str
    evidence: tuple[Evidence, ...] = ()
    low_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class LineRule:
    """A line and the kind of finding that it is; `title` has a place for the stage.

    `remedy` is the advice where the line is work of the main thread, and a function where what to
    do depends on the loader. `of_own_code` takes its place where the cause is code of the user's,
    `outside_batches` where most of the line comes at the ends of epochs. `unnamed` is added to the
    advice where no function is named. A line that `is_needed` can become shorter and can't go,
    unless it is spent in code of the user's.
    """

    line: Line
    kind: Kind
    title: str
    remedy: str | Callable[[Measured, Phase, BreakdownLine], Remedy]
    of_own_code: str = ""
    outside_batches: str = ""
    unnamed: str = ""
    is_needed: bool = False


def lines(measured: Measured) -> Iterator[Finding | Silence]:
    """Find lines that take more of a stage than the catalogue's limits for them."""
    for phase in measured.whole_phases:
        for rule in LINE_RULES:
            line = _whole_line(measured, phase, rule.line)
            if line is None or not _is_heavy(rule, line):
                continue
            silence = too_few_batches(rule.kind, phase)
            if silence is not None and not _is_between_passes(measured, phase, line):
                yield silence
            else:
                yield _finding(measured, phase, rule, line)


def _is_between_passes(measured: Measured, phase: Phase, line: BreakdownLine) -> bool:
    """Whether a line is spent mostly outside of batches, and again in each pass.

    What comes once an epoch, as a hook at its end, needs no steady batches to be judged.
    """
    tails_s = _tails_s(measured, phase, line)
    return len(tails_s) >= LEAST_PASSES and _is_outside_batches(tails_s, line)


def _is_outside_batches(tails_s: list[float], line: BreakdownLine) -> bool:
    return sum(tails_s) >= OUTSIDE_BATCHES * line.total_s


def _tails_s(measured: Measured, phase: Phase, line: BreakdownLine) -> list[float]:
    """Return the line's seconds outside of batches in each pass that has any."""
    tails_s = (
        epoch.tail_s.get(line.name, 0.0)
        for stage, times in measured.times.items()
        if PHASES[stage] == phase.name
        for epoch in times.record.epochs
    )
    return [tail_s for tail_s in tails_s if tail_s > 0.0]


def _whole_line(measured: Measured, phase: Phase, name: Line) -> BreakdownLine | None:
    """Return the line; of a wait, what was spent on making batches and in the sampler.

    The operations named in it are part of that.
    """
    line = line_of(phase, name.value)
    if line is None:
        return None
    if name is not Line.DATA_WAIT:
        return _without_only_collection(measured, phase, line)
    workers = measured.workers_of(phase)
    if workers is not None:
        making_s = waited_for_making_s(phase, workers, line)
        waited_s = min(making_s + time_in_sampler_s(measured, phase), line.total_s)
        return line.model_copy(update={"total_s": waited_s, "share": share_of(phase, waited_s)})
    within = measured.loader_operations(phase)
    if not within:
        return line
    return line.model_copy(
        update={
            "total_s": line.total_s + sum(part.total_s for part in within),
            "share": (line.share or 0.0) + sum(part.share or 0.0 for part in within),
            "parts": within,
        }
    )


def _without_only_collection(
    measured: Measured, phase: Phase, line: BreakdownLine
) -> BreakdownLine:
    """Return the line without the stage's only full garbage collection, if it came in it.

    An import before the stage may have brought that one on, and it comes in any line.
    """
    pauses = (one for one in measured.run.garbage if PHASES.get(one.stage) == phase.name)
    garbage = next(pauses, None)
    if garbage is None or garbage.full_collections != 1 or line.name not in garbage.lines_s:
        return line
    total_s = max(line.total_s - garbage.lines_s[line.name], 0.0)
    return line.model_copy(update={"total_s": total_s, "share": share_of(phase, total_s)})


def is_judged(measured: Measured, phase: Phase, name: str) -> bool:
    """Whether a rule here finds that a line takes too much."""
    return any(
        (line := _whole_line(measured, phase, rule.line)) is not None and _is_heavy(rule, line)
        for rule in LINE_RULES
        if rule.line.value == name
    )


def _is_heavy(rule: LineRule, line: BreakdownLine) -> bool:
    return (line.share or 0.0) >= rule.kind["medium"]


def _finding(measured: Measured, phase: Phase, rule: LineRule, line: BreakdownLine) -> Finding:
    share = line.share or 0.0
    cause = cause_of(measured, phase, line.name)
    if isinstance(rule.remedy, str):
        advice = _advice(measured, phase, rule, line, cause) or rule.remedy
        remedy = _without_the_line(measured, phase, line, advice)
    else:
        remedy = rule.remedy(measured, phase, line)
    parts = line.parts
    is_named = bool(parts) and parts[0].total_s >= NAMED_PART * line.total_s
    words = title(
        rule.title.format(stage=PHASE_WORDS[phase.name]),
        by=quoted(parts[0].name) if is_named else None,
    )
    unnamed = f" {rule.unnamed}" if rule.unnamed and cause is None else ""
    is_the_most = rule.is_needed and not is_users_code(cause)
    return Finding(
        id=f"{rule.kind.id}:{phase.name}",
        severity=rule.kind.severity(share),
        title=with_cause(words, cause),
        evidence=[
            *_line_evidence(phase, line_of(phase, line.name) or line),
            *cause_evidence(cause),
            *remedy.evidence,
        ],
        estimated_saving_s=remedy.saving_s,
        estimated_saving_low_s=0.0 if is_the_most else remedy.low_s,
        saving_is_the_most=is_the_most,
        saving_basis=remedy.basis,
        advice=begin_with(cause, remedy.advice) + unnamed,
        lines=[f"{phase.name}.{line.name}"],
        cause=cause,
    )


def _advice(
    measured: Measured,
    phase: Phase,
    rule: LineRule,
    line: BreakdownLine,
    cause: NamedCause | None,
) -> str:
    """Return the advice that fits what the line was spent on; empty where nothing special did."""
    if rule.of_own_code and is_users_code(cause):
        return rule.of_own_code
    if rule.outside_batches and _is_outside_batches(_tails_s(measured, phase, line), line):
        return rule.outside_batches
    return ""


def _line_evidence(phase: Phase, line: BreakdownLine) -> Iterator[Evidence]:
    yield share_evidence(phase, line.name, line.share or 0.0)
    yield seconds_evidence(f"phases.{phase.name}.breakdown.{line.name}.total_s", line.total_s)


def _without_the_line(measured: Measured, phase: Phase, line: BreakdownLine, advice: str) -> Remedy:
    where = f"phases.{phase.name}.breakdown.{line.name}"
    evidence = [
        seconds_evidence(f"{where}.parts.{part.name}.total_s", part.total_s)
        for part in line.parts[:SHOWN_PARTS]
    ]
    if line.per_batch_s is not None:
        evidence.insert(0, seconds_evidence(f"{where}.per_batch_s", line.per_batch_s))
    saving_s, basis = main_thread_saving(measured, phase, line.name, line.total_s, "without it")
    return Remedy(saving_s, basis, advice, tuple(evidence))


def _with_less_logging(measured: Measured, phase: Phase, line: BreakdownLine) -> Remedy:
    """`log_every_n_steps` and `on_step` are for training; evaluation adds up at every batch."""
    if phase.name == "train":
        remedy = "Log less often (log_every_n_steps, on_epoch instead of on_step), log fewer values"
    else:
        remedy = "Log fewer values, or add them up and log them once at the end of the epoch"
    advice = f"{remedy}, and don't log images or histograms at every batch."
    return _without_the_line(measured, phase, line, advice)


def _batches_in_time(measured: Measured, phase: Phase, line: BreakdownLine) -> Remedy:
    """With the data ready in time the stage would be shorter by the whole wait."""
    sampler = sampler_waited_for(measured, phase)
    if sampler is not None:
        return _indices_in_time(measured, phase, sampler)
    basis = "batches ready when they are asked for"
    workers = measured.workers_of(phase)
    if workers is None:
        evidence = [
            seconds_evidence(f"phases.{phase.name}.breakdown.{part.name}.total_s", part.total_s)
            for part in line.parts
        ]
        first = more_workers(measured, phase)
        if first is not None:
            basis += f"; at its low end, {first.workers}{if_dealt_out(measured, phase, first)}"
        return Remedy(
            line.total_s,
            basis,
            advice_without_workers(measured, phase, first),
            tuple(evidence),
            None if first is None else min(max(first.saving_s, 0.0), line.total_s),
        )
    evidence = [count_evidence(f"workers.{phase.name}.count", workers.count)]
    advice = advice_with_workers(measured, phase, workers)
    heaviest = _waited_for_longest(measured, phase)
    if heaviest is not None and heaviest.waited_s:
        where = f"operations.{heaviest.name}.{phase.name}"
        evidence.append(seconds_evidence(f"{where}.waited_s", heaviest.waited_s))
        advice += (
            f" Of the named operations, the main thread waited longest for {quoted(heaviest.name)}."
        )
    return Remedy(line.total_s, basis, advice, tuple(evidence))


def _indices_in_time(measured: Measured, phase: Phase, sampler: SamplerTime) -> Remedy:
    """A sampler that takes no time leaves the rest of the wait."""
    where = f"phases.{phase.name}.breakdown.{Line.DATA_WAIT.value}"
    evidence = Evidence(metric=f"{where}.sampler_share", value=sampler.share, unit="share")
    return Remedy(
        sampler.total_s,
        "indices ready when they are asked for: the wait's sampled share in the sampler",
        advice_about_sampler(measured, phase),
        (evidence,),
        sampler.low_s,
    )


def _waited_for_longest(measured: Measured, phase: Phase) -> Operation | None:
    return max(
        (o for o in measured.operations if o.phase == phase.name and o.process == "worker"),
        key=lambda operation: operation.waited_s or 0.0,
        default=None,
    )


def _ready_at_once(measured: Measured, phase: Phase, line: BreakdownLine) -> Remedy:
    """The whole line would go; workers that could be kept are a finding of their own."""
    workers = measured.workers_of(phase)
    own = _advice_about_start(measured, phase, line)
    if workers is None:
        evidence: tuple[Evidence, ...] = ()
        ways = "dataset is created, use a smaller first batch"
    else:
        evidence = tuple(_startup_evidence(workers))
        ways = "dataset and its workers are created, use fewer workers or a smaller first batch"
    return Remedy(
        line.total_s,
        "first batches ready when they are asked for",
        own
        or f"Make the first batch cheaper to reach: do less work when the {ways}, or run longer "
        "passes.",
        evidence,
    )


def _advice_about_start(measured: Measured, phase: Phase, line: BreakdownLine) -> str:
    """Return what to do about a sampler, or code of the user's, before a first batch, else nothing.

    Code that makes the batch has to run for it: a smaller first batch or more of them help there.
    """
    sampled = measured.sampled.get((phase.name, line.name))
    cause = cause_of(measured, phase, line.name)
    if sampled is None or cause is None:
        return ""
    if sampled.in_sampler.share >= NAMED_PART:
        return cheaper_indices("this time")
    if sampled.in_fetching.share >= NAMED_PART or not is_users_code(cause):
        return ""
    return (
        "Do less in the project's own code that runs before the first batch of a pass, or do it "
        "once where it runs at each pass."
    )


def _startup_evidence(workers: Workers) -> Iterator[Evidence]:
    where = f"workers.{workers.phase}"
    yield count_evidence(f"{where}.count", workers.count)
    yield count_evidence(f"{where}.processes", workers.processes)
    if workers.startup_mean_s is not None:
        yield seconds_evidence(f"{where}.startup_mean_s", workers.startup_mean_s)


LINE_RULES = (
    LineRule(
        line=Line.TRANSFER,
        kind=catalogue.TRANSFER_BOUND,
        title="{stage} spends much of its time moving batches to the device",
        remedy="Pin the loader's memory (pin_memory=True) so that copies overlap with work, send "
        "smaller types (uint8 images, converted on the device), and leave out what the step "
        "doesn't use.",
        of_own_code="This is code of the project that runs as a batch is moved to the device. Do "
        "in it only what every batch needs, or let the loader's workers do it.",
        is_needed=True,
    ),
    LineRule(
        line=Line.OPTIMIZER,
        kind=catalogue.HEAVY_OPTIMIZER,
        title="{stage} spends much of its time in the optimizer",
        remedy="Use the optimizer's fused or foreach implementation, accumulate gradients over "
        "more batches, or clip them less often.",
        of_own_code="This is code of the project that runs around the optimizer's step. Do in it "
        "only what every step needs, or let it run in fewer of them.",
        is_needed=True,
    ),
    LineRule(
        line=Line.METRICS,
        kind=catalogue.HEAVY_METRICS,
        title="{stage} spends much of its time on metrics",
        remedy="Collect predictions at each batch and compute the metric once per epoch, on fewer "
        "samples, or with a faster implementation of its slowest part.",
        outside_batches="Compute the metric on fewer samples, after fewer epochs, or with a faster "
        "implementation of its slowest part.",
        unnamed="Sections inside the metric will name that part.",
    ),
    LineRule(
        line=Line.LOGGING,
        kind=catalogue.HEAVY_LOGGING,
        title="{stage} spends much of its time on logging",
        remedy=_with_less_logging,
    ),
    LineRule(
        line=Line.CHECKPOINT,
        kind=catalogue.HEAVY_CHECKPOINT,
        title="{stage} spends much of its time writing checkpoints",
        remedy="Save less often (every_n_epochs), save only the weights (save_weights_only=True), "
        "or save to a faster disk.",
    ),
    LineRule(
        line=Line.CALLBACKS,
        kind=catalogue.HEAVY_CALLBACKS,
        title="{stage} spends much of its time in callbacks",
        remedy="Let the callback act on fewer batches, or move its work to the end of the epoch.",
        outside_batches="Let the callback act after fewer epochs, or do less each time.",
    ),
    LineRule(
        line=Line.MODULE_HOOKS,
        kind=catalogue.HEAVY_MODULE_HOOKS,
        title="{stage} spends much of its time in the LightningModule's own hooks",
        remedy="This is time in the module's hooks around its steps (on_*_batch_start, on_*_end "
        "and the like). Do in each only what every call of it needs.",
        unnamed="Put sections around their parts to see which one is slow.",
    ),
    LineRule(
        line=Line.DATA_WAIT,
        kind=INPUT_BOUND,
        title="{stage} waits for data",
        remedy=_batches_in_time,
    ),
    LineRule(
        line=Line.LOADER_STARTUP,
        kind=catalogue.LOADER_STARTUP,
        title="{stage} spends much of its time starting its data loader",
        remedy=_ready_at_once,
    ),
)
