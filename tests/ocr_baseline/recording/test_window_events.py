"""What a window's events come to, on events as torch.profiler makes them of a CUDA device."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from torch.autograd import DeviceType  # type: ignore[attr-defined]  # torch's gap

from ocr_baseline.recording.window_events import WindowEvents
from ocr_baseline.records.format import MAX_WINDOW_ENTRIES, MAX_WINDOW_EVENTS

MARKER = "the window begins"
STEP = "train.py(12): training_step"
CALL = "lightning/pytorch/trainer/call.py(300): _call_strategy_hook"
MAIN = "train.py(90): main"


@dataclass
class Event:
    """One of `torch.autograd.profiler_util.FunctionEvent`, whose times are microseconds."""

    name: str
    start: float
    end: float
    parent: Event | None = None
    stack: list[str] = field(default_factory=list)
    device_type: Any = DeviceType.CPU
    thread: int = 1
    kernels: list[Any] = field(default_factory=list)
    is_async: bool = False
    device_index: int = 0
    is_user_annotation: bool = False
    self_us: float | None = None

    @property
    def time_range(self) -> Any:
        return SimpleNamespace(start=self.start, end=self.end)

    @property
    def cpu_parent(self) -> Event | None:
        return self.parent

    @property
    def self_cpu_time_total(self) -> float:
        return self.end - self.start if self.self_us is None else self.self_us


def kernel(name: str, start: float, end: float, stream: int = 7) -> Event:
    return Event(name, start, end, device_type=DeviceType.CUDA, thread=stream)


def copied_to_host(start: float, waited_us: float, stack: list[str]) -> list[Event]:
    """`.cpu()`: an operator around a call of the runtime, which has no stack."""
    end = start + waited_us
    moved = Event("aten::to", start, end, stack=stack, self_us=1.0)
    copy = Event("aten::copy_", start, end, parent=moved, stack=stack, self_us=1.0)
    return [moved, copy, Event("cudaStreamSynchronize", start, end, parent=copy)]


def test_operators_have_their_own_time_and_that_of_the_kernels_they_launched() -> None:
    launched = [SimpleNamespace(duration=30.0), SimpleNamespace(duration=10.0)]
    events = [
        Event("aten::linear", 0, 20, self_us=5.0),
        Event("aten::addmm", 2, 17, kernels=launched),
        Event("aten::addmm", 30, 40),
    ]
    assert WindowEvents(events, MARKER).operators() == {
        "name": ["aten::addmm", "aten::linear"],
        "calls": [2, 1],
        "host_ns": [25_000, 5_000],
        "device_ns": [40_000, 0],
    }


def test_kernels_are_what_ran_on_the_device_and_no_annotation_there() -> None:
    noted = kernel("ProfilerStep", 0, 100)
    noted.is_user_annotation = True
    events = [kernel("sgemm", 0, 30), kernel("sgemm", 40, 60), kernel("Memcpy HtoD", 5, 10), noted]
    kernels = WindowEvents(events, MARKER).kernels()
    assert kernels["name"] == ["sgemm", "Memcpy HtoD"]
    assert kernels["calls"] == [2, 1]
    assert kernels["device_ns"] == [50_000, 5_000]


def test_what_ran_at_once_on_two_streams_keeps_the_device_busy_once() -> None:
    events = [
        kernel("a", 0, 30),
        kernel("b", 10, 20, stream=8),
        kernel("c", 25, 40),
        kernel("d", 50, 60),
    ]
    assert WindowEvents(events, MARKER).device_busy_ns() == 50_000


def test_operators_belong_to_the_innermost_module_on_their_stack() -> None:
    inner = ["torch/nn/modules/linear.py(9): forward", "nn.Module: Linear_0", "nn.Module: Net_0"]
    events = [
        Event("aten::addmm", 0, 10, stack=inner),
        Event("aten::relu", 10, 14, stack=["nn.Module: Net_0"]),
        Event("aten::sum", 20, 21),
    ]
    modules = WindowEvents(events, MARKER).modules()
    assert modules["name"] == ["Linear_0", "Net_0"]
    assert modules["host_ns"] == [10_000, 4_000]


def test_a_copy_to_the_host_waits_in_its_operator_at_the_users_place() -> None:
    events = [*copied_to_host(0, 80, [STEP, CALL, MAIN]), *copied_to_host(200, 20, [STEP, CALL])]
    assert WindowEvents(events, MARKER).waits() == {
        "operator": ["aten::to"],
        "place": [STEP],
        "calls": [2],
        "host_ns": [100_000],
    }


def test_a_wait_inside_a_wait_counts_once() -> None:
    item = Event("aten::item", 0, 50, stack=[STEP, CALL])
    read = Event("aten::_local_scalar_dense", 1, 49, parent=item, stack=[STEP, CALL])
    inside = Event("cudaStreamSynchronize", 2, 48, parent=read)
    waits = WindowEvents([item, read, inside], MARKER).waits()
    assert (waits["operator"], waits["calls"], waits["host_ns"]) == (["aten::item"], [1], [48_000])


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        ([STEP, CALL, MAIN], STEP),
        (["torch/utils/data/_utils/fetch.py(9): fetch", STEP, CALL], STEP),
        (["lightning/pytorch/core/module.py(5): log", STEP, CALL, MAIN], STEP),
        (["/venv/lib/site-packages/lightning/pytorch/core/module.py(5): log", STEP, CALL], STEP),
        (
            ["lightning/fabric/a.py(1): to_item", "lightning/pytorch/b.py(2): log_metrics", MAIN],
            "lightning/pytorch/b.py(2): log_metrics",
        ),
        (["timm/loss.py(3): forward", CALL, MAIN], "timm/loss.py(3): forward"),
        ([], None),
    ],
    ids=["step", "below torch", "through log", "full paths", "the framework's", "library", "none"],
)
def test_a_place_is_the_users_where_the_framework_called_it(
    stack: list[str], place: str | None
) -> None:
    events = [Event("cudaDeviceSynchronize", 0, 50, stack=stack)]
    assert WindowEvents(events, MARKER).waits()["place"] == [place]


def test_events_begin_when_they_did_on_the_recorders_clock_and_keep_their_tracks() -> None:
    events = [Event(MARKER, 100, 101), Event("aten::mm", 110, 120), kernel("sgemm", 130, 160)]
    assert WindowEvents(events, MARKER).longest(1_000_000_000) == {
        "names": ["aten::mm", "sgemm"],
        "tracks": ["host thread 1", "device 0, stream 7"],
        "name": [0, 1],
        "track": [0, 1],
        "start_ns": [1_000_010_000, 1_000_030_000],
        "duration_ns": [10_000, 30_000],
    }


def test_of_many_the_heaviest_are_kept() -> None:
    events = [Event(f"op{number}", number, number + 1 + number) for number in range(5000)]
    found = WindowEvents(events, MARKER)
    assert len(found.longest(0)["name"]) == MAX_WINDOW_EVENTS
    assert found.operators()["name"][0] == "op4999"
    assert len(found.operators()["name"]) == MAX_WINDOW_ENTRIES
