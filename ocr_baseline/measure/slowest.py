"""The batches and samples that took a worker longest, twenty of each, and no more memory."""

from __future__ import annotations

import os
from heapq import heappush, heapreplace
from typing import TYPE_CHECKING, Any

from ocr_baseline.records.format import MAX_SLOWEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.records.format import SlowestJson
    from ocr_baseline.vocabulary import Stage

MOST_INDICES = 256
"""Of a larger batch the indices aren't kept: twenty lists of them would fill the records."""


class Slowest:
    """Is offered every batch and sample of one worker, and keeps those that took longest.

    Attributes:
        file_of: Returns the file that the dataset reads for an index, None where that isn't
            certain.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.file_of: Callable[[int], str | None] = _no_file
        self._batches: list[tuple[int, int, list[int] | None]] = []
        self._samples: dict[int, tuple[int, int]] = {}
        self._least_ns = -1
        self._count = 0
        self._total_ns = 0
        self._has_news = False

    def offer_batch(self, took_ns: int, start_ns: int, indices: object) -> None:
        """Take a batch in; `indices` is what its worker was asked for."""
        batches = self._batches
        if len(batches) < MAX_SLOWEST:
            heappush(batches, (took_ns, start_ns, plain_indices(indices)))
        elif took_ns > batches[0][0]:
            heapreplace(batches, (took_ns, start_ns, plain_indices(indices)))
        else:
            return
        self._has_news = True

    def offer_sample(self, index: object, took_ns: int, start_ns: int) -> None:
        """Take a sample in whose index is a plain number; the slowest time of each index counts."""
        if type(index) is not int or index < 0:
            return
        self._count += 1
        self._total_ns += took_ns
        if took_ns > self._least_ns:
            self._keep(index, took_ns, start_ns)

    def _keep(self, index: int, took_ns: int, start_ns: int) -> None:
        samples = self._samples
        known = samples.get(index)
        if known is not None and known[0] >= took_ns:
            return
        samples[index] = (took_ns, start_ns)
        self._has_news = True
        if len(samples) > MAX_SLOWEST:
            del samples[min(samples, key=lambda one: samples[one])]
        if len(samples) == MAX_SLOWEST:
            self._least_ns = min(took for took, _ in samples.values())

    def let_go(self) -> None:
        """Hold the dataset no longer: it may do something as it goes, and does it in a worker."""
        self.file_of = _no_file

    def record(self, stage: Stage, worker: int, origin_ns: int) -> SlowestJson | None:
        """Return the slowest so far, None where they are those of the last record."""
        if not self._has_news:
            return None
        self._has_news = False
        batches = sorted(self._batches, reverse=True)
        samples = sorted(self._samples.items(), key=lambda item: item[1], reverse=True)
        return {
            "type": "slowest",
            "stage": stage.value,
            "worker": worker,
            "pid": os.getpid(),
            "batch_ns": [took for took, _, _ in batches],
            "batch_start_ns": [start - origin_ns for _, start, _ in batches],
            "batch_indices": [indices for _, _, indices in batches],
            "sample": [index for index, _ in samples],
            "sample_ns": [took for _, (took, _) in samples],
            "sample_start_ns": [start - origin_ns for _, (_, start) in samples],
            "sample_file": [self.file_of(index) for index, _ in samples],
            "samples": self._count,
            "samples_ns": self._total_ns,
        }


def _no_file(index: int) -> None:
    return None


def plain_indices(indices: object) -> list[int] | None:
    """Return a copy of a plain list of whole numbers from 0 up, None of anything else."""
    if type(indices) is not list or len(indices) > MOST_INDICES:
        return None
    taken: list[Any] = list(indices)
    return taken if all(type(one) is int and one >= 0 for one in taken) else None
