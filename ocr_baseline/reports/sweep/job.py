"""The jobs of a sweep, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


@dataclass(frozen=True, kw_only=True)
class SweepJob:
    """One job; `baseline` is None where there is none, and `problem` says why."""

    name: str
    overrides: tuple[str, ...] = ()
    baseline: Baseline | None = None
    problem: str | None = None
