"""What every part of the document is made of: the model, its numbers, a distribution."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A whole number that every reader can hold: nothing in a run is counted beyond it."""


class DocumentModel(BaseModel):
    """Frozen; fields that a newer minor version added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Distribution(DocumentModel):
    """Statistics of a time in seconds; `std` is the sample standard deviation (n - 1)."""

    count: Count | None
    mean: FiniteFloat | None = None
    median: FiniteFloat | None = None
    p95: FiniteFloat | None = None
    p99: FiniteFloat | None = None
    std: FiniteFloat | None = None
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
