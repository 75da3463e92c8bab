"""The longest events of a window of torch.profiler, a row for each thread or stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.window import WindowRecord
    from ocr_baseline.reports.trace.events import Events


def window_events(
    events: Events, process: int, window: WindowRecord, offset_s: float
) -> Iterator[str]:
    """Yield the events; those of one row lie inside or after one another, as they were recorded."""
    for name in dict.fromkeys(event.track for event in window.events):
        track, made = events.track(process, f"torch.profiler: {name}")
        yield from made
        for event in window.events:
            if event.track == name:
                start_ns = events.instant_ns(event.start_s + offset_s)
                end_ns = events.instant_ns(event.start_s + event.duration_s + offset_s)
                yield events.slice(track, event.name, start_ns, end_ns)
