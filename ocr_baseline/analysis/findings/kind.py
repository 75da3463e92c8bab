"""What a kind of finding is, and the limits that several kinds share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.model.document import Severity

MIN_STEADY_BATCHES = 5
"""With five steady batches, one odd batch moves neither their median nor most of a share."""

EXPLAINED = 0.8
"""The share of an excess from which a line is named as its cause, as in TraceML."""

LEADS = 0.5
"""The part of the largest saving among findings on the same seconds that a leading one needs, where
a kind has no limit `explains` of its own."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of finding.

    Attributes:
        id: What the ids of its findings begin with.
        when: When it is found.
        basis: Its thresholds, with a place for each of `limits`, and their sources.
        saving: What the estimated saving of such a finding means.
        limits: The thresholds by name; `kind["high"]` reads one. Shares of time are shares of the
            stage.
    """

    id: str
    when: str
    basis: str
    saving: str
    limits: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, limit: str) -> float:
        return self.limits[limit]

    def severity(self, value: float) -> Severity:
        """Return high, medium or low, by the limits with those names."""
        if value >= self.limits.get("high", float("inf")):
            return "high"
        return "medium" if value >= self.limits["medium"] else "low"

    @property
    def thresholds(self) -> str:
        """The thresholds and their sources, in words."""
        return self.basis.format_map(self.limits)
