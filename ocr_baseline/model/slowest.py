"""What took the loader workers of a stage longest, as a source read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_baseline.vocabulary import Stage


@dataclass(frozen=True, kw_only=True)
class SlowBatchRecord:
    """A batch that its worker took long to make; `indices` are those of its samples.

    They are None where the worker wasn't asked for plain whole numbers, or for very many.
    """

    start_s: float
    took_s: float
    worker: int
    pid: int
    indices: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class SlowSampleRecord:
    """The slowest time in which the dataset returned one sample; `file` where that is certain."""

    index: int
    start_s: float
    took_s: float
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class SlowestRecord:
    """The slowest batches and samples of all workers of one stage, the slowest first.

    `samples_timed` samples took `samples_s` together.
    """

    stage: Stage
    batches: tuple[SlowBatchRecord, ...] = ()
    samples: tuple[SlowSampleRecord, ...] = ()
    samples_timed: int = 0
    samples_s: float = 0.0
