"""CUDA events as a device clock; marks go into the current stream and nothing waits for them."""

from __future__ import annotations

import torch

from ocr_baseline.measure.device import DeviceTimeline

MILLISECOND_S = 1e-3


class CudaClock:
    """The clock of the current CUDA device; resolution about half a microsecond."""

    name = "CUDA events (device)"

    def mark(self) -> torch.cuda.Event | None:
        """Record an event in the current stream; in a graph that is captured it would never be."""
        if torch.cuda.is_current_stream_capturing():
            return None
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's gap
        event.record()
        return event

    def elapsed_s(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float | None:
        """Return the seconds between two events, None while the second has not happened."""
        if not end.query():  # type: ignore[no-untyped-call]  # torch's gap
            return None
        return float(begin.elapsed_time(end)) * MILLISECOND_S

    def wait(self, mark: torch.cuda.Event) -> None:
        """Wait for an event; for the end of a run."""
        mark.synchronize()


def device_timeline(device: torch.device) -> DeviceTimeline | None:
    """Return the device's time on its own clock, None where it has none that takes marks."""
    return DeviceTimeline(CudaClock()) if device.type == "cuda" else None
