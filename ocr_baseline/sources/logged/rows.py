"""Rows of logged metrics → epochs of each stage, memory, and what is missing and why.

A row is one call of a logger: a mapping of keys to values with, perhaps, its epoch and step. No
row holds everything: loggers get the keys of a stage in several calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.model.run import MemorySamples, Missing, ReportedEpoch, StageRecord
from ocr_baseline.sources.logged.keys import STATISTICS, MetricKey, parse_key
from ocr_baseline.sources.logged.memory import memory_of
from ocr_baseline.sources.logged.numbers import NotANumber
from ocr_baseline.sources.logged.values import (
    LoggedValue,
    best_forks,
    collect,
    one_prefix,
    summary_values,
)
from ocr_baseline.vocabulary import REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ocr_baseline.sources.logged.keys import KeyParser

_COMPARED_STAGES = (Stage.TRAIN, Stage.VALIDATION)
"""Stages whose absence is told even though nothing of them was logged."""


@dataclass(frozen=True, kw_only=True)
class MetricReading:
    """All that rows of logged metrics say."""

    stages: tuple[StageRecord, ...]
    memory: MemorySamples | None
    missing: tuple[Missing, ...]
    warnings: tuple[str, ...]


@dataclass
class _Epoch:
    """The values of one epoch of a stage, as they come in."""

    epoch: int | None
    step: int | None
    values: dict[str, LoggedValue] = field(default_factory=dict)

    def takes(self, value: LoggedValue) -> bool:
        """Say whether the value belongs to this epoch and not to a later one."""
        if None not in (self.epoch, value.epoch) and self.epoch != value.epoch:
            return False
        held = self.values.get(value.key.name)
        if held is None or (value.key.fork == "_step" and value.epoch is not None):
            return True
        is_same_step = value.step is not None and held.step == value.step
        return is_same_step and held.number == value.number

    def put(self, value: LoggedValue) -> None:
        """Hold the value; of a step's values the last of the epoch stays."""
        self.values[value.key.name] = value
        self.epoch = value.epoch if self.epoch is None else self.epoch
        self.step = value.step if value.step is not None else self.step


def read_rows(
    rows: Iterable[Mapping[str, object]],
    summary: Mapping[str, object] | None = None,
    *,
    parse: KeyParser = parse_key,
) -> MetricReading:
    """Return what the rows say; `summary` fills in only for keys that no row holds.

    Values of one stage belong to one epoch until the logged epoch changes or a key comes again.
    A value that is no finite number, negative, or (a count) not whole is left out with a
    `Missing` entry that says what stood there. Nothing is ever filled in for an absent key.
    """
    values, prefix_warnings = one_prefix(collect(rows, parse))
    logged = {value.key.canonical for value in values}
    extra, summary_warnings = summary_values(summary or {}, logged, parse)
    kept = [*best_forks(values), *extra]
    epochs = _epochs_by_stage([value for value in kept if not value.key.is_memory])
    memory, memory_missing, memory_warnings = memory_of(
        [value for value in kept if value.key.is_memory]
    )
    return MetricReading(
        stages=tuple(_stage_record(place, found) for place, found in epochs.items()),
        memory=memory,
        missing=(*_missing_statistics(epochs), *memory_missing),
        warnings=(*prefix_warnings, *summary_warnings, *memory_warnings),
    )


_Place = tuple[Stage, "int | None"]


def _epochs_by_stage(values: Sequence[LoggedValue]) -> dict[_Place, list[_Epoch]]:
    places: dict[_Place, list[_Epoch]] = {}
    for value in values:
        if value.key.stage is None:
            continue
        epochs = places.setdefault((value.key.stage, value.key.dataloader_idx), [])
        if not epochs or not epochs[-1].takes(value):
            epochs.append(_Epoch(value.epoch, value.step))
        epochs[-1].put(value)
    return dict(sorted(places.items(), key=_in_order_of_report))


def _in_order_of_report(entry: tuple[_Place, list[_Epoch]]) -> tuple[int, int]:
    stage, dataloader_idx = entry[0]
    return REPORTED_STAGES.index(stage), -1 if dataloader_idx is None else dataloader_idx


def _stage_record(place: _Place, epochs: Sequence[_Epoch]) -> StageRecord:
    stage, dataloader_idx = place
    return StageRecord(
        stage=stage,
        dataloader_idx=dataloader_idx,
        reported=tuple(_reported_epoch(epoch) for epoch in epochs),
    )


def _reported_epoch(epoch: _Epoch) -> ReportedEpoch:
    numbers = {
        name: value.number
        for name, value in epoch.values.items()
        if not isinstance(value.number, NotANumber)
    }
    batches = numbers.get("num_batches")
    return ReportedEpoch(
        epoch=epoch.epoch,
        step=epoch.step,
        epoch_time_s=numbers.get("epoch_time"),
        num_batches=None if batches is None else int(batches),
        num_samples=numbers.get("num_samples"),
        batch_mean_s=numbers.get("batch_mean"),
        batch_median_s=numbers.get("batch_median"),
        batch_p95_s=numbers.get("batch_p95"),
        batch_p99_s=numbers.get("batch_p99"),
        batch_std_s=numbers.get("batch_std"),
    )


def _missing_statistics(epochs: Mapping[_Place, Sequence[_Epoch]]) -> list[Missing]:
    seen = {stage for stage, _ in epochs}
    missing = [
        Missing(
            metric=f"phases.{stage.value}",
            reason="not_collected",
            detail=f"no performance/{stage.metric_prefix}_… was logged",
        )
        for stage in _COMPARED_STAGES
        if stage not in seen
    ]
    for (stage, dataloader_idx), found in epochs.items():
        missing.extend(_missing_in_stage(stage, dataloader_idx, found))
    return missing


def _missing_in_stage(
    stage: Stage, dataloader_idx: int | None, epochs: Sequence[_Epoch]
) -> Iterable[Missing]:
    for name in STATISTICS:
        key = MetricKey(name=name, stage=stage, dataloader_idx=dataloader_idx, fork="", prefix="")
        values = [epoch.values[name] for epoch in epochs if name in epoch.values]
        if not values:
            detail = f"no {key.canonical} was logged"
            yield Missing(metric=key.document_path, reason="not_collected", detail=detail)
        unusable = [value.number for value in values if isinstance(value.number, NotANumber)]
        if unusable:
            reasons = ", ".join(sorted({number.reason for number in unusable}))
            where = f"in {len(unusable)} of {len(values)} epochs"
            detail = f"{key.canonical} was logged as {reasons} {where}"
            yield Missing(metric=key.document_path, reason="failed", detail=detail)
