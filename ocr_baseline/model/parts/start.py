"""Start-up and goodput in the document."""

from __future__ import annotations

from typing import Literal

from ocr_baseline.model.parts.base import DocumentModel, FiniteFloat
from ocr_baseline.model.parts.breakdown import FunctionShare


class StartPart(DocumentModel):
    """A part of the time to the first step: `share` of it.

    `cause` is, as in a line of the breakdown, the function that sampling met.
    """

    name: str
    total_s: FiniteFloat
    share: FiniteFloat | None = None
    cause: FunctionShare | None = None


class Start(DocumentModel):
    """The time until the run's first training batch ended, warm-up of that batch included.

    It counts from the start of the process where that is known (by `clock`), else from the
    trainer's `fit`, else from the callback's `setup`: `since` says which. The set-up ends when the
    first batch is asked for; the sanity check, 0 where there was none, isn't part of it.
    `breakdown` holds all of the time, in the order in which it passed; lines are named as in a
    phase, module hooks by their hook.
    """

    since: Literal["process", "fit", "setup"]
    clock: str | None = None
    process_to_setup_s: FiniteFloat | None = None
    fit_to_setup_s: FiniteFloat | None = None
    setup_s: FiniteFloat
    sanity_check_s: FiniteFloat
    first_batch_s: FiniteFloat
    time_to_first_step_s: FiniteFloat
    breakdown: list[StartPart] = []


class Goodput(DocumentModel):
    """The share of the run that trained.

    `productive_s` is the time of all training batches without waiting for data and without
    checkpoints. `wall_s` counts from the start of the process where that is known, else from the
    callback's `setup`, to the end of the run.
    """

    productive_s: FiniteFloat
    wall_s: FiniteFloat
    share: FiniteFloat
    since: Literal["process", "setup"]
