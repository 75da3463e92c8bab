"""Records of what took workers longest: the last of each process counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.model.slowest import SlowBatchRecord, SlowestRecord, SlowSampleRecord
from ocr_baseline.records import checks
from ocr_baseline.records.format import MAX_SLOWEST
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


class _OfProcess(NamedTuple):
    batches: list[SlowBatchRecord]
    samples: list[SlowSampleRecord]
    samples_timed: int
    samples_s: float


@dataclass
class RecordedSlowest:
    """The last record of each worker process, by its stage, number and process id."""

    _records: dict[tuple[Stage, int, int], _OfProcess] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a record in; raise `ValueError` when its columns don't fit together."""
        stage = Stage(record["stage"])
        worker, pid = checks.count(record["worker"]), checks.whole_number(record["pid"])
        [samples_ns] = checks.nanoseconds([record["samples_ns"]])
        self._records[stage, worker, pid] = _OfProcess(
            batches=_batches(record, worker, pid),
            samples=_samples(record),
            samples_timed=checks.count(record["samples"]),
            samples_s=float(samples_ns) * SECONDS_PER_NS,
        )

    def records(self) -> tuple[SlowestRecord, ...]:
        """Return the slowest of each stage over all its workers."""
        stages = dict.fromkeys(stage for stage, _, _ in self._records)
        return tuple(self._of_stage(stage) for stage in stages)

    def _of_stage(self, stage: Stage) -> SlowestRecord:
        mine = [one for (of, _, _), one in self._records.items() if of is stage]
        batches = [batch for one in mine for batch in one.batches]
        return SlowestRecord(
            stage=stage,
            batches=tuple(sorted(batches, key=lambda batch: -batch.took_s)[:MAX_SLOWEST]),
            samples=tuple(_slowest_of_each(sample for one in mine for sample in one.samples)),
            samples_timed=sum(one.samples_timed for one in mine),
            samples_s=sum(one.samples_s for one in mine),
        )


def _slowest_of_each(samples: Iterable[SlowSampleRecord]) -> list[SlowSampleRecord]:
    """Return the slowest time of each index, the slowest first."""
    by_index: dict[int, SlowSampleRecord] = {}
    for sample in sorted(samples, key=lambda one: -one.took_s):
        by_index.setdefault(sample.index, sample)
    return list(by_index.values())[:MAX_SLOWEST]


def _batches(record: Mapping[str, Any], worker: int, pid: int) -> list[SlowBatchRecord]:
    took_ns, start_ns = _times(record, "batch_ns", "batch_start_ns")
    indices = record["batch_indices"]
    _check_length(indices, len(took_ns))
    return [
        SlowBatchRecord(
            start_s=float(start) * SECONDS_PER_NS,
            took_s=float(took) * SECONDS_PER_NS,
            worker=worker,
            pid=pid,
            indices=None if ones is None else tuple(checks.counts(ones).tolist()),
        )
        for took, start, ones in zip(took_ns, start_ns, indices, strict=True)
    ]


def _samples(record: Mapping[str, Any]) -> list[SlowSampleRecord]:
    took_ns, start_ns = _times(record, "sample_ns", "sample_start_ns")
    numbers, files = checks.counts(record["sample"]), record["sample_file"]
    _check_length(numbers, len(took_ns))
    _check_length(files, len(took_ns))
    return [
        SlowSampleRecord(
            index=int(index),
            start_s=float(start) * SECONDS_PER_NS,
            took_s=float(took) * SECONDS_PER_NS,
            file=None if file is None else checks.text(file),
        )
        for index, took, start, file in zip(numbers, took_ns, start_ns, files, strict=True)
    ]


def _times(record: Mapping[str, Any], took: str, start: str) -> tuple[NDArray[Any], NDArray[Any]]:
    took_ns, start_ns = checks.nanoseconds(record[took]), checks.nanoseconds(record[start])
    _check_length(start_ns, len(took_ns))
    if len(took_ns) > MAX_SLOWEST:
        raise ValueError("more slow ones than the recorder keeps")
    return took_ns, start_ns


def _check_length(column: Any, length: int) -> None:
    if isinstance(column, str) or len(column) != length:
        raise ValueError("columns of different lengths in a record of what was slowest")
