"""What a phase's time went to in the document: lines, sampled functions, operations."""

from __future__ import annotations

from typing import Literal

from ocr_baseline.model.parts.base import Count, Distribution, DocumentModel, FiniteFloat


class FunctionShare(DocumentModel):
    """A function that sampling met in a line, as shares of the line's samples.

    `self_share` is the function's own code and the C functions that it calls, `inclusive_share`
    everything that it calls; `low` and `high` are the 95% interval of the latter. `line` is the
    function's first line in `file`. `framework` is torch and Lightning.
    """

    name: str
    file: str
    line: Count
    origin: Literal["user", "library", "framework", "stdlib"]
    self_share: FiniteFloat
    inclusive_share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class BreakdownLine(DocumentModel):
    """One line of a phase's time: `share` of the phase's total, mean seconds per batch.

    `parts` splits `callbacks` by callback class; a part is in its line's total already.
    `functions` are the heaviest that sampling met in the line, `cause` is the one of them that the
    line's time is in, None where the samples show no single one or there are too few.
    """

    name: str
    total_s: FiniteFloat
    share: FiniteFloat | None
    per_batch_s: FiniteFloat | None
    parts: list[BreakdownLine] = []
    functions: list[FunctionShare] = []
    cause: FunctionShare | None = None


class Operation(DocumentModel):
    """A named operation in one phase.

    `exclusive_s` leaves out operations nested inside. `waited_s` is what the main thread waited
    for it: all of it in the main thread, what waits for batches overlapped in workers.
    `share_of_phase` is exclusive time over the phase's total; in workers, over the time that they
    spent making batches.
    """

    name: str
    phase: str
    process: Literal["main", "worker"]
    calls: Count
    total_s: FiniteFloat
    exclusive_s: FiniteFloat
    waited_s: FiniteFloat | None = None
    share_of_phase: FiniteFloat | None = None
    call_time_s: Distribution | None = None
