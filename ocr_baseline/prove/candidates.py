"""What is worth trying: settings that the replay and the findings of a run speak for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.model.document import SMALL_SHARE_OF_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.unchanged_script.settings import Settings

MOST_AT_FIRST = 4
MOST_LATER = 2
"""Six candidates in all: those of the run, and those that the best trial then speaks for."""
MOST_OF_LOADER = 3
"""Settings of one stage's loader that are tried beside each other."""
LONGEST_NAME = 90
DIGEST_LENGTH = 8
TRIED_PHASES = ("train", "validation")
WHOLE_RUN = "run"
"""The phase of a candidate that is to shorten several."""


class Saving(NamedTuple):
    """Seconds of the run that a setting saves, with the range of it; below 0 where it costs."""

    value_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A setting to try.

    Attributes:
        name: Its arm's name.
        settings: What is put in from outside, without the limits of a trial.
        phase: The phase that it is to shorten.
        why: The finding, or the replay, that speaks for it.
        predicted: What it is said to save of the phase; None where nothing says how much.
    """

    name: str
    settings: Settings
    phase: str
    why: str
    predicted: Saving | None


@dataclass(frozen=True)
class NotTried:
    """What can't be set from outside, or wasn't worth a trial, and why."""

    what: str
    why: str


def name_of(settings: Settings) -> str:
    """Return a name for an arm, as `train.num_workers=2_train.persistent_workers=True`.

    It names a folder, so a longer one ends in a digest: other settings never have the same name.
    """
    name = "_".join(f"{name}={value}" for name, value in settings.given().items())
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{name[: LONGEST_NAME - 1 - DIGEST_LENGTH]}-{digest}"


def merged(first: Settings, second: Settings) -> Settings:
    """Return both settings together; where both set one thing, the second counts."""
    return replace(
        first,
        train=replace(first.train, **second.train.given()),
        validation=replace(first.validation, **second.validation.given()),
        trainer=replace(first.trainer, **second.trainer.given()),
    )


def most_promising(candidates: Iterable[Candidate], run_s: float, most: int) -> list[Candidate]:
    """Return the candidates that are said to save what is worth a headline, the most first.

    What nothing predicts comes last.
    """
    worth_it = [
        one
        for one in candidates
        if one.predicted is None or one.predicted.value_s >= SMALL_SHARE_OF_RUN * run_s
    ]
    ranked = sorted(worth_it, key=lambda one: -one.predicted.value_s if one.predicted else 0.0)
    return ranked[:most]
