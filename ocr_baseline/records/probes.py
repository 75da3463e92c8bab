"""Records of single batches that were looked into; the first of each kind counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.run import Missing
from ocr_baseline.model.window import (
    FlopRecord,
    WindowEntry,
    WindowEvent,
    WindowRecord,
    WindowWait,
)
from ocr_baseline.records import checks
from ocr_baseline.records.format import MAX_WINDOW_ENTRIES, MAX_WINDOW_EVENTS
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BATCHES = 10_000
MOST_NOT_MEASURED = 20


@dataclass
class RecordedProbes:
    """The window, the count, and what could not be measured of either.

    Attributes:
        set_aside: Positions of the batches that are slower for it, by stage.
        batches_before: Batches of each stage that earlier processes of the run recorded.
    """

    window: WindowRecord | None = None
    flops: FlopRecord | None = None
    set_aside: dict[Stage, set[int]] = field(default_factory=lambda: defaultdict(set))
    batches_before: Mapping[Stage, int] = field(default_factory=dict)
    _why_not: dict[str, str] = field(default_factory=dict)

    def take_window(self, record: Mapping[str, Any]) -> None:
        """Take a window in; raise `ValueError` where it holds anything but names and times."""
        window = _window(record, self._position(record))
        self.set_aside[window.stage].update(
            range(window.position, window.position + window.batches)
        )
        self.window = self.window or window

    def take_flops(self, record: Mapping[str, Any]) -> None:
        """Take a count in; raise `ValueError` where it holds anything but numbers."""
        samples, peak, why = (
            record.get(key) for key in ("samples", "peak_flops_per_s", "why_no_peak")
        )
        counted = FlopRecord(
            stage=Stage(record["stage"]),
            position=self._position(record),
            samples=None if samples is None else checks.count(samples),
            flops=checks.whole_number(record["flops"]),
            peak_flops_per_s=None if peak is None else checks.number(peak),
            why_no_peak=None if why is None else checks.text(why),
        )
        self.set_aside[counted.stage].add(counted.position)
        self.flops = self.flops or counted

    def take_not_measured(self, record: Mapping[str, Any]) -> None:
        """Keep why something that was asked for wasn't measured."""
        if len(self._why_not) < MOST_NOT_MEASURED:
            self._why_not[checks.text(record["metric"])] = checks.text(record["why"])

    def missing(self) -> Iterator[Missing]:
        """Say what was asked for and could not be measured."""
        measured = {"profile_window": self.window, "flops": self.flops}
        for metric, why in self._why_not.items():
            if measured.get(metric) is None:
                yield Missing(metric=metric, reason="unsupported", detail=why)

    def _position(self, record: Mapping[str, Any]) -> int:
        before = self.batches_before.get(Stage(record["stage"]), 0)
        return checks.count(record["position"]) + before


def _window(record: Mapping[str, Any], position: int) -> WindowRecord:
    batches = checks.count(record["batches"])
    if batches > MOST_BATCHES:
        raise ValueError("a window over more batches than torch.profiler can hold")
    times = {key: _seconds(record[f"{key}_ns"]) for key in ("start", "duration", "cost")}
    busy_ns, why_no_stacks = record["device_busy_ns"], record["why_no_stacks"]
    return WindowRecord(
        stage=Stage(record["stage"]),
        epoch=checks.count(record["epoch"]),
        batch_idx=checks.count(record["batch_idx"]),
        position=position,
        batches=batches,
        start_s=times["start"],
        duration_s=times["duration"],
        cost_s=times["cost"],
        has_device=record["has_device"] is True,
        why_no_stacks=None if why_no_stacks is None else checks.text(why_no_stacks),
        left_out=checks.count(record["left_out"]),
        device_busy_s=None if busy_ns is None else _seconds(busy_ns),
        operators=_entries(record["operators"]),
        kernels=_entries(record["kernels"]),
        modules=_entries(record["modules"]),
        waits=_waits(record["waits"]),
        events=_events(record["events"]),
    )


def _entries(value: Any) -> tuple[WindowEntry, ...]:
    columns = _columns(value, ("name", "calls", "host_ns", "device_ns"), MAX_WINDOW_ENTRIES)
    return tuple(
        WindowEntry(
            name=checks.text(name),
            calls=checks.count(calls),
            host_s=_seconds(host_ns),
            device_s=_seconds(device_ns),
        )
        for name, calls, host_ns, device_ns in zip(*columns, strict=True)
    )


def _waits(value: Any) -> tuple[WindowWait, ...]:
    columns = _columns(value, ("operator", "place", "calls", "host_ns"), MAX_WINDOW_ENTRIES)
    return tuple(
        WindowWait(
            operator=checks.text(operator),
            place=None if place is None else checks.text(place),
            calls=checks.count(calls),
            host_s=_seconds(host_ns),
        )
        for operator, place, calls, host_ns in zip(*columns, strict=True)
    )


def _events(value: Any) -> tuple[WindowEvent, ...]:
    columns = _columns(value, ("name", "track", "start_ns", "duration_ns"), MAX_WINDOW_EVENTS)
    names, tracks = (dict(enumerate(map(checks.text, value[key]))) for key in ("names", "tracks"))
    return tuple(
        WindowEvent(
            name=names[checks.count(name)],
            track=tracks[checks.count(track)],
            start_s=_seconds(start_ns),
            duration_s=_seconds(duration_ns),
        )
        for name, track, start_ns, duration_ns in zip(*columns, strict=True)
    )


def _columns(value: Any, keys: tuple[str, ...], most: int) -> list[list[Any]]:
    columns = [checks.mapping(value)[key] for key in keys]
    if any(not isinstance(column, list) or len(column) > most for column in columns):
        raise ValueError("a column of a profile window is no list, or longer than one is kept")
    return columns


def _seconds(value_ns: Any) -> float:
    return float(checks.nanoseconds([value_ns])[0]) * SECONDS_PER_NS
