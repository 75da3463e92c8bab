"""The head of a report: which run, how it ended, where it ran, and the verdict.

The verdict is two or three sentences, each of them made of numbers that the document holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.plain_text import name_of
from ocr_baseline.sources import find_source

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, KnownEnvironment, Phase, Ratio, WaterfallStep


COMMIT_LENGTH = 12


def header_facts(baseline: Baseline) -> list[tuple[str, str]]:
    """Return label and text of each known fact; names stand between single backticks.

    The run's name is left to the renderer, which may link it.
    """
    run = baseline.run
    environment = baseline.environment.known
    facts = [
        ("Run ID", quoted(run.id) if run.id else None),
        ("Status", _status(baseline)),
        ("Started", formatting.instant(run.started_at) if run.started_at else None),
        ("Duration", formatting.duration(run.duration_s) if run.duration_s is not None else None),
        ("Commit", _commit(environment)),
        ("Source", find_source(run.source).basis),
        ("Hardware", _hardware(environment)),
        ("Software", _software(environment)),
        ("Settings", _settings(environment)),
        ("Generated", _generated(baseline)),
    ]
    return [(label, text) for label, text in facts if text]


def run_place(baseline: Baseline) -> str | None:
    """Return `entity/project` of the run, as far as they are known."""
    return "/".join(part for part in (baseline.run.entity, baseline.run.project) if part) or None


def _status(baseline: Baseline) -> str:
    run = baseline.run
    return f"{run.status}, ended by {quoted(run.ended_by)}" if run.ended_by else run.status


def _commit(environment: KnownEnvironment) -> str | None:
    if not environment.git_commit:
        return None
    dirty = ", with uncommitted changes" if environment.git_dirty else ""
    return quoted(environment.git_commit[:COMMIT_LENGTH]) + dirty


def _hardware(environment: KnownEnvironment) -> str | None:
    accelerator = environment.accelerator_name or environment.accelerator
    if accelerator == "cpu":
        accelerator = None
    cpu, memory = environment.cpu_model, environment.memory_bytes
    parts = [
        quoted(accelerator) if accelerator else None,
        quoted(cpu) if cpu else None,
        _counted(environment.cpu_count, "CPU", "CPUs"),
        f"{formatting.byte_size(memory)} memory" if memory is not None else None,
    ]
    return _joined(parts)


def _software(environment: KnownEnvironment) -> str | None:
    versions = {
        "python": environment.python,
        "torch": environment.torch,
        "lightning": environment.lightning,
    }
    parts = [f"{name} {quoted(version)}" for name, version in versions.items() if version]
    return _joined([*parts, quoted(environment.os) if environment.os else None])


def _settings(environment: KnownEnvironment) -> str | None:
    precision, batch_size = environment.precision, environment.batch_size
    return _joined(
        [
            f"precision {quoted(precision)}" if precision else None,
            _counted(environment.devices, "device", "devices"),
            f"batch size {formatting.count(batch_size)}" if batch_size is not None else None,
            _counted(environment.num_workers, "loader worker", "loader workers"),
        ]
    )


def _generated(baseline: Baseline) -> str:
    generator = baseline.generator
    moment = formatting.instant(baseline.generated_at)
    return f"{moment} by {quoted(f'{generator.name} {generator.version}')}"


def _counted(value: float | None, singular: str, plural: str) -> str | None:
    if value is None:
        return None
    return f"{formatting.count(value)} {singular if value == 1 else plural}"


def _joined(parts: list[str | None]) -> str | None:
    return ", ".join(part for part in parts if part) or None


def verdict(baseline: Baseline) -> list[str]:
    """Return the sentences, in which names stand between single backticks.

    First comes what limits the numbers, then what to do, then the comparison that explains it.
    """
    sentences = [_ending(baseline)]
    if wording.is_empty(baseline):
        sentences.append(_nothing_measured(baseline))
    else:
        sentences.extend(_trust(baseline))
        sentences.extend((_top_finding(baseline), _comparison(baseline), _largest_lines(baseline)))
    return [sentence for sentence in sentences if sentence]


def _trust(baseline: Baseline) -> list[str]:
    """Return what limits the numbers, which comes before them."""
    limits = (finding for finding in baseline.ranked_findings if finding.limits_trust)
    return [f"{finding.title.rstrip('.')}." for finding in limits]


def quoted(name: str) -> str:
    """Return a name between single backticks, with any backtick of its own replaced."""
    return f"`{name_of(name.replace('`', chr(39)))}`"


def _ending(baseline: Baseline) -> str | None:
    run = baseline.run
    if run.status not in ("failed", "interrupted", "running"):
        return None
    if run.status == "running":
        return "The run hadn't ended when it was read: the numbers cover what was recorded by then."
    after = f" after {formatting.duration(run.duration_s)}" if run.duration_s is not None else ""
    by = f" ({quoted(run.ended_by)})" if run.ended_by else ""
    word = "failed" if run.status == "failed" else "was interrupted"
    return f"The run {word}{after}{by}: the numbers cover what was recorded until then."


def _nothing_measured(baseline: Baseline) -> str:
    why = wording.reason(baseline, "phases")
    return f"Nothing was measured in this run{f' ({why})' if why else ''}."


def _comparison(baseline: Baseline) -> str | None:
    train = baseline.phase("train")
    validation = baseline.phase("validation")
    compared = baseline.train_vs_validation
    early = _too_early(train, validation)
    if compared is not None and early is not None:
        return early
    if compared is not None and compared.sample_ratio is not None:
        ratio = compared.sample_ratio
        cause = "" if _covers_one(ratio) else _main_difference(compared.waterfall_s_per_sample)
        return f"{_ratio_sentence(ratio, 'per sample', _sample_times(train, validation))}{cause}."
    if compared is not None and compared.batch_ratio is not None:
        return _ratio_sentence(compared.batch_ratio, "per batch", None) + "."
    absent = [
        wording.stage_adjective(name).lower()
        for name, phase in (("train", train), ("validation", validation))
        if not wording.has_measurements(phase)
    ]
    if absent:
        verb = "was" if len(absent) == 1 else "were"
        return (
            f"Training and validation can't be compared: {' and '.join(absent)} {verb} not "
            "measured."
        )
    return None


def _too_early(train: Phase | None, validation: Phase | None) -> str | None:
    """Return that a recorded stage has no steady batch, without which a ratio says nothing."""
    short = [
        wording.stage_adjective(phase.name).lower()
        for phase in (train, validation)
        if phase is not None and phase.batch_time_scope == "all batches"
    ]
    if not short:
        return None
    return f"Training and validation don't compare yet: {' and '.join(short)} had no steady batch."


def _covers_one(ratio: Ratio) -> bool:
    return ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high


def _ratio_sentence(ratio: Ratio, scope: str, times: str | None) -> str:
    details = [times] if times else []
    if ratio.low is not None and ratio.high is not None:
        low, high = formatting.times(ratio.low), formatting.times(ratio.high)
        details.append(f"95% interval {low} to {high}")
    within = f" ({'; '.join(details)})" if details else ""
    value = formatting.times(ratio.value)
    doubt = "; the interval includes 1, so this run doesn't show which is slower"
    return (
        f"Validation takes {value} times as long {scope} as training{within}"
        f"{doubt if _covers_one(ratio) else ''}"
    )


def _sample_times(train: Phase | None, validation: Phase | None) -> str | None:
    if train is None or validation is None:
        return None
    if train.sample_time_s is None or validation.sample_time_s is None:
        return None
    validation_time = formatting.duration(validation.sample_time_s)
    return f"{validation_time} vs. {formatting.duration(train.sample_time_s)}"


def _main_difference(steps: list[WaterfallStep]) -> str:
    """Return the step that goes furthest in the direction of the whole difference."""
    difference_s = sum(step.delta_s for step in steps)
    if difference_s == 0:
        return ""
    leading = max(steps, key=lambda step: step.delta_s / difference_s)
    part = leading.delta_s / difference_s
    if part <= 1:
        return f"; {quoted(leading.name)} accounts for {formatting.share(part)} of the difference"
    signed = formatting.duration(leading.delta_s, signed=True)
    return f"; the largest difference in that direction is {quoted(leading.name)} ({signed})"


def _largest_lines(baseline: Baseline) -> str | None:
    parts: list[str] = []
    for phase in baseline.whole_phases:
        if not phase.breakdown:
            continue
        largest = max(phase.breakdown, key=lambda line: line.total_s)
        if largest.share is None or phase.total_s is None:
            continue
        amount = f"{formatting.share(largest.share)} of {formatting.duration(phase.total_s)}"
        stage = wording.stage_adjective(phase.name).lower()
        parts.append(f"{quoted(largest.name)} in {stage} ({amount})")
    return f"The largest line is {', '.join(parts)}." if parts else None


def _top_finding(baseline: Baseline) -> str | None:
    findings = [one for one in baseline.leading_findings if one.estimated_saving_s is not None]
    if not findings:
        return None
    top = findings[0]
    if top.is_small:
        return wording.NO_LARGE_FINDING
    doubt = f" (in doubt: {top.doubt})" if top.doubt else ""
    title = top.title.rstrip(".")
    return f"{title}. Mending that would save an estimated {wording.saving(top)}{doubt}."
