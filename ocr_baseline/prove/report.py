"""A proof, and what would be tried, as text for a terminal and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import single_line
from ocr_baseline.reports.text.screen import grid, printed, styled
from ocr_baseline.reports.text.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from ocr_baseline.prove.candidates import Candidate, NotTried, Saving
    from ocr_baseline.prove.proof import Outcome, Proof
    from ocr_baseline.unchanged_script.settings import Limits, Settings

NOT_PREDICTED = "not predicted"
_NOT_BETTER = {
    "none better": "No setting that was measured is better than the run as it is: leave it.",
    "none measured": "No setting could be measured, so nothing is said of any.",
    "inconclusive": "Inconclusive: the trials vary by more than the settings may save. Try again "
    "on a quieter machine, with more --turns or longer ones (--seconds).",
}
_TRAINER_WORDS = {
    "torch_threads": "{} torch threads in the main process",
    "logging_interval_times": "logging {} times as seldom",
    "checkpoint_interval_times": "checkpoints {} times as seldom",
}


def plan_text(
    candidates: Sequence[Candidate],
    not_tried: Sequence[NotTried],
    limits: Limits,
    *,
    width: int,
    color: bool,
) -> str:
    """Return what would be tried."""
    blocks: list[RenderableType] = []
    if candidates:
        rows = [
            [words_of(one.settings), one.phase, _saved(one.predicted), single_line(one.why)]
            for one in candidates
        ]
        headers = ["Setting", "Saves in", "Predicted saving", "Basis"]
        blocks += [grid(Table(headers=headers, rows=rows, align="llrl"), "Would be tried")]
        blocks += [styled(f"Each trial: {_trial_words(limits)}.")]
    else:
        blocks += [styled("Nothing to try: no setting is said to save 2% of the run.")]
    return printed([*blocks, *_not_tried(not_tried)], width=width, color=color)


def proof_text(proof: Proof, limits: Limits, *, width: int, color: bool) -> str:
    """Return what came of the trials."""
    headers = ["Setting", "Saves in", "Predicted saving", "Measured saving", "Trials"]
    rows = [
        [
            words_of(one.candidate.settings),
            one.candidate.phase,
            _saved(one.candidate.predicted),
            _measured(one),
            formatting.count(one.trials),
        ]
        for one in proof.outcomes
    ]
    blocks: list[RenderableType] = [
        grid(Table(headers=headers, rows=rows, align="llrrr"), "Predicted and measured"),
        styled(
            f"Seconds of the whole run, by trials of {_trial_words(limits)}, with 95% intervals. "
            f"As it is, training and validation take {formatting.duration(proof.run_s)}."
        ),
        *_unlike(proof),
        *_best(proof),
        *_not_tried(proof.not_tried),
    ]
    return printed(blocks, width=width, color=color)


def _unlike(proof: Proof) -> Iterator[RenderableType]:
    if not proof.is_like_the_run:
        yield styled(
            f"The run itself took {formatting.duration(proof.recorded_s)}: the trials aren't like "
            "it, as on another or a busier machine, or where the first batches of an epoch aren't "
            "like the later ones. What is measured is of the trials."
        )


def _best(proof: Proof) -> Iterator[RenderableType]:
    yield styled("")
    if proof.best is None or proof.saving is None:
        yield styled(_NOT_BETTER[proof.verdict], "bold")
        return
    part = formatting.share(proof.saving.value_s / proof.run_s)
    yield styled(f"Best: saves {_saved(proof.saving)}, {part} of the run.", "bold")
    for line in proof.lines:
        yield styled(f"  `{line}`")


def _not_tried(not_tried: Sequence[NotTried]) -> Iterator[RenderableType]:
    if not_tried:
        yield styled("")
        yield styled("Not measured, or not set from outside", "bold")
        for one in not_tried:
            yield styled(f"  `{one.what}`: {one.why}")


def _measured(outcome: Outcome) -> str:
    if outcome.measured is None:
        return formatting.NOT_MEASURED
    dropped = ", dropped" if outcome.is_dropped else ""
    return _saved(outcome.measured) + dropped


def _saved(saving: Saving | None) -> str:
    if saving is None:
        return NOT_PREDICTED
    value, low, high = map(formatting.duration, saving)
    return f"{value} ({low} to {high})"


def words_of(settings: Settings) -> str:
    """Return settings in words, as `training: num_workers=2, persistent_workers=True`."""
    parts = [
        f"{phase}: " + ", ".join(f"{name}={value}" for name, value in loader.given().items())
        for phase, loader in (("training", settings.train), ("validation", settings.validation))
        if loader.given()
    ]
    parts += [
        _TRAINER_WORDS[name].format(value) for name, value in settings.trainer.given().items()
    ]
    return "; ".join(parts)


def _trial_words(limits: Limits) -> str:
    words = f"{formatting.count(limits.max_epochs)} epochs of {limits.train_batches} batches"
    if limits.validation_batches:
        words += f" and {limits.validation_batches} of validation"
    return words


def plan_document(
    candidates: Sequence[Candidate],
    not_tried: Sequence[NotTried],
    limits: Limits,
    command: Sequence[str],
) -> dict[str, Any]:
    """Return what would be tried, for programs."""
    return {
        "command": list(command),
        "limits": vars(limits),
        "candidates": [_candidate(one) for one in candidates],
        "not_tried": [vars(one) for one in not_tried],
    }


def proof_document(proof: Proof, limits: Limits, command: Sequence[str]) -> dict[str, Any]:
    """Return what came of the trials, for programs; times are seconds of the whole run."""
    return {
        "command": list(command),
        "limits": vars(limits),
        "run_s": proof.run_s,
        "recorded_s": proof.recorded_s,
        "verdict": proof.verdict,
        "outcomes": [
            {
                **_candidate(one.candidate),
                "phase_s": one.phase_s,
                "measured_saving_s": _saving(one.measured),
                "trials": one.trials,
                "why_not_measured": one.why_not,
                "is_dropped": one.is_dropped,
            }
            for one in proof.outcomes
        ],
        "best": None
        if proof.best is None
        else {
            "settings": proof.best.settings.given(),
            "saving_s": _saving(proof.saving),
            "lines": list(proof.lines),
        },
        "not_tried": [vars(one) for one in proof.not_tried],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "settings": candidate.settings.given(),
        "phase": candidate.phase,
        "why": candidate.why,
        "predicted_saving_s": _saving(candidate.predicted),
    }


def _saving(saving: Saving | None) -> dict[str, float] | None:
    if saving is None:
        return None
    return {"value": saving.value_s, "low": saving.low_s, "high": saving.high_s}
