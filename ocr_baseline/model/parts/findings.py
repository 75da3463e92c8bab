"""The findings in the document, and the order in which they count."""

from __future__ import annotations

from typing import Literal, get_args

from ocr_baseline.model.parts.base import Count, DocumentModel, FiniteFloat

Severity = Literal["high", "medium", "low", "info"]

SMALL_SHARE_OF_RUN = 0.02
"""A saving below 2% of the run is no bottleneck: runs of the same code vary by as much."""


class Evidence(DocumentModel):
    """A number of this document that a finding rests on."""

    metric: str
    value: FiniteFloat
    unit: str


class NamedCause(DocumentModel):
    """The function that sampling named as the cause of a finding.

    `share` is its part of the time of `of` (a path of the document), with its 95% interval.
    """

    name: str
    file: str
    line: Count
    share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    of: str


class Finding(DocumentModel):
    """A cause that was measured, what it cost, and what to do about it.

    `lines` are the lines that its seconds are in, as `train.data_wait`. Findings that share their
    seconds have one cause: the deepest leads, and the others name it in `part_of`. `share_of_run`
    is the estimated saving over the time of the run, and `doubt` says what else may have caused it.
    `saving_is_the_most` where the seconds can become fewer, but can't go as a whole.
    """

    id: str
    severity: Severity
    title: str
    evidence: list[Evidence]
    estimated_saving_s: FiniteFloat | None = None
    estimated_saving_low_s: FiniteFloat | None = None
    estimated_saving_high_s: FiniteFloat | None = None
    saving_is_the_most: bool = False
    saving_basis: str | None = None
    share_of_run: FiniteFloat | None = None
    advice: str
    lines: list[str] = []
    cause: NamedCause | None = None
    part_of: str | None = None
    doubt: str | None = None

    @property
    def is_small(self) -> bool:
        """Whether it would save less of the run than is worth a headline."""
        return self.share_of_run is not None and self.share_of_run < SMALL_SHARE_OF_RUN

    @property
    def limits_trust(self) -> bool:
        """Whether it is about the machine and not about the run: it limits all the others."""
        return self.id.startswith(("noisy-machine", "cpu-limit"))

    @property
    def rank(self) -> tuple[int, float, int, str]:
        """What findings are sorted by.

        What limits the trust in all others comes first; what is doubtful, what is small, and what
        another finding leads come last, in this order. Among equals the largest estimated saving
        comes first, then severity, then the id.
        """
        severities = get_args(Severity)
        tiers = (self.part_of is not None, self.is_small, self.doubt is not None)
        last = next((3 - place for place, holds in enumerate(tiers) if holds), 0)
        tier = -1 if self.limits_trust else last
        saving_s = self.estimated_saving_s or 0.0
        return tier, -saving_s, severities.index(self.severity), self.id
