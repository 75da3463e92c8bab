"""What the events of a window of torch.profiler come to: the columns of its record.

The events are `torch.autograd.profiler_util.FunctionEvent`s, whose times are microseconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from torch.autograd import DeviceType  # type: ignore[attr-defined]  # torch's gap

from ocr_baseline.records.format import MAX_WINDOW_ENTRIES, MAX_WINDOW_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ocr_baseline.records.format import (
        WindowEntriesJson,
        WindowEventsJson,
        WindowWaitsJson,
    )

NS_PER_US = 1000
MOST_LETTERS = 200
OF_THE_PROFILER = "ProfilerStep"
MODULE = "nn.Module: "
OPERATORS = "aten::"
WAITS = frozenset(
    {
        "aten::_local_scalar_dense",
        "cudaDeviceSynchronize",
        "cudaEventSynchronize",
        "cudaStreamSynchronize",
        "hipDeviceSynchronize",
        "hipEventSynchronize",
        "hipStreamSynchronize",
    }
)
"""What stands still until the device is done: reading a number, and the runtime's own calls."""

_FRAMEWORK = ("lightning/pytorch/", "pytorch_lightning/")
_BESIDE = (
    *_FRAMEWORK,
    *(
        "lightning/",
        "lightning_fabric/",
        "lightning_utilities/",
        "torch/",
        "torchmetrics/",
        "ocr_baseline/",
    ),
    *("contextlib.py(", "functools.py(", "<"),
)
"""What a place isn't looked for in: the framework, ourselves, wrappers, built-in functions."""


@dataclass
class _Entry:
    calls: int = 0
    host_us: float = 0.0
    device_us: float = 0.0


@dataclass
class WindowEvents:
    """The events of a window.

    Attributes:
        marker: The name of the event whose instant on the recorder's clock is known.
        left_out: How many later events were not read.
    """

    events: Sequence[Any]
    marker: str
    left_out: int = 0

    def __post_init__(self) -> None:
        """Tell the events of the host from those of the device."""
        self.host = [event for event in self.events if self._is_of_host(event)]
        self.device = [event for event in self.events if _is_of_device(event)]

    def operators(self) -> WindowEntriesJson:
        """Return operators: self time on the host, and the time of the kernels they launched."""
        entries: dict[str, _Entry] = defaultdict(_Entry)
        for event in self.host:
            _add_host(entries[event.name], event)
        return _columns(entries)

    def kernels(self) -> WindowEntriesJson:
        """Return kernels, copies and fills by name."""
        entries: dict[str, _Entry] = defaultdict(_Entry)
        for event in self.device:
            entries[event.name].calls += 1
            entries[event.name].device_us += _took_us(event)
        return _columns(entries)

    def modules(self) -> WindowEntriesJson:
        """Return modules by class and number: what ran in them and in none inside of them.

        An operator of the backward pass has the stack of the forward operator that its gradient is
        of, and so its module.
        """
        entries: dict[str, _Entry] = defaultdict(_Entry)
        for event in self.host:
            module = _innermost_module(event)
            if module is not None:
                _add_host(entries[module], event)
        return _columns(entries)

    def waits(self) -> WindowWaitsJson:
        """Return calls that waited for the device, by operator and place in the code."""
        entries: dict[tuple[str, str], _Entry] = defaultdict(_Entry)
        for event in self.host:
            around = list(_ancestors(event))
            if event.name in WAITS and not any(one.name in WAITS for one in around):
                chain = [event, *around]
                operators = [one for one in chain if one.name.startswith(OPERATORS)]
                operator = operators[-1] if operators else event
                entry = entries[operator.name, _place(chain)]
                entry.calls += 1
                entry.host_us += _took_us(event)
        heaviest = sorted(entries.items(), key=lambda item: -item[1].host_us)[:MAX_WINDOW_ENTRIES]
        return {
            "operator": [operator[:MOST_LETTERS] for (operator, _), _ in heaviest],
            "place": [place[:MOST_LETTERS] or None for (_, place), _ in heaviest],
            "calls": [entry.calls for _, entry in heaviest],
            "host_ns": [_ns(entry.host_us) for _, entry in heaviest],
        }

    def device_busy_ns(self) -> int:
        """Return how long the device ran anything, several things at once counted once."""
        busy_us, until_us = 0.0, 0.0
        for event in sorted(self.device, key=lambda one: one.time_range.start):
            begin_us = max(event.time_range.start, until_us)
            busy_us += max(0.0, event.time_range.end - begin_us)
            until_us = max(until_us, event.time_range.end)
        return _ns(busy_us)

    def longest(self, begins_ns: int) -> WindowEventsJson:
        """Return the longest events, in the order in which they began.

        Args:
            begins_ns: When the marker was, on the recorder's clock.
        """
        marker_us = next(
            (event.time_range.start for event in self.events if event.name == self.marker), 0.0
        )
        kept = sorted((*self.host, *self.device), key=_took_us)[-MAX_WINDOW_EVENTS:]
        kept.sort(key=lambda one: (one.time_range.start, -one.time_range.end))
        names = dict.fromkeys(event.name[:MOST_LETTERS] for event in kept)
        tracks = dict.fromkeys(map(_track, kept))
        name_number = {name: number for number, name in enumerate(names)}
        track_number = {track: number for number, track in enumerate(tracks)}
        return {
            "names": list(names),
            "tracks": list(tracks),
            "name": [name_number[event.name[:MOST_LETTERS]] for event in kept],
            "track": [track_number[_track(event)] for event in kept],
            "start_ns": [
                max(0, begins_ns + _ns(event.time_range.start - marker_us)) for event in kept
            ],
            "duration_ns": [_ns(_took_us(event)) for event in kept],
        }

    def _is_of_host(self, event: Any) -> bool:
        if event.device_type != DeviceType.CPU or event.is_async or event.name == self.marker:
            return False
        is_function = getattr(event, "is_python_function", False)
        return not is_function and not event.name.startswith(OF_THE_PROFILER)


def _is_of_device(event: Any) -> bool:
    return event.device_type != DeviceType.CPU and not getattr(event, "is_user_annotation", False)


def _add_host(entry: _Entry, event: Any) -> None:
    entry.calls += 1
    entry.host_us += event.self_cpu_time_total
    entry.device_us += sum(kernel.duration for kernel in event.kernels)


def _columns(entries: dict[str, _Entry]) -> WindowEntriesJson:
    heaviest = sorted(
        entries.items(), key=lambda item: (-item[1].device_us, -item[1].host_us, item[0])
    )[:MAX_WINDOW_ENTRIES]
    return {
        "name": [name[:MOST_LETTERS] for name, _ in heaviest],
        "calls": [entry.calls for _, entry in heaviest],
        "host_ns": [_ns(entry.host_us) for _, entry in heaviest],
        "device_ns": [_ns(entry.device_us) for _, entry in heaviest],
    }


def _ancestors(event: Any) -> Iterator[Any]:
    parent = event.cpu_parent
    while parent is not None:
        yield parent
        parent = parent.cpu_parent


def _innermost_module(event: Any) -> str | None:
    """Return the module that an operator runs in; a stack begins with its innermost function."""
    inside = next((one for one in event.stack or () if one.startswith(MODULE)), None)
    return None if inside is None else inside.removeprefix(MODULE)


def _place(chain: Iterable[Any]) -> str:
    """Return the innermost function of the user's around a call, where the framework called it.

    Where the framework reads a number by itself, it is the framework's own innermost function: the
    user's functions further out began the training, and are no place.
    """
    stack: list[str] = next((one.stack for one in chain if one.stack), [])
    frames = [_Frame(entry) for entry in stack if not entry.startswith(MODULE)]
    of_framework = [n for n, frame in enumerate(frames) if frame.path.startswith(_FRAMEWORK)]
    calls_of_users = [n for n in of_framework if frames[n].calls_users]
    own = [
        frame
        for n in (of_framework[:1] or [len(frames)]) + calls_of_users[:1]
        for frame in frames[:n]
        if not frame.path.startswith(_BESIDE)
    ]
    chosen = own or [frames[n] for n in of_framework] or frames
    return chosen[0].entry if chosen else ""


class _Frame(NamedTuple):
    """A function on a stack, as `train.py(12): step`; built-in ones have no path."""

    entry: str

    @property
    def path(self) -> str:
        """The path from the folder of installed packages on, where it is in one."""
        return self.entry.replace("\\", "/").rpartition("site-packages/")[2]

    @property
    def calls_users(self) -> bool:
        """Whether the framework calls hooks and steps here: what began the training isn't one."""
        return "trainer/call.py(" in self.path and "_call_and_handle_interrupt" not in self.path


def _track(event: Any) -> str:
    if event.device_type == DeviceType.CPU:
        return f"host thread {event.thread}"
    return f"device {event.device_index}, stream {event.thread}"


def _took_us(event: Any) -> float:
    return float(event.time_range.end - event.time_range.start)


def _ns(microseconds: float) -> int:
    return max(0, round(microseconds * NS_PER_US))
