"""The device's timeline, against a device whose clock the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from ocr_baseline.measure.device import DeviceTimeline
from ocr_baseline.vocabulary import Stage


@dataclass
class FakeDevice:
    """A device that passes its marks when told to, at the times given when they were made."""

    name: str = "a clock that the test moves"
    now_s: float = 0.0
    passed_until_s: float = float("inf")
    waits: int = 0
    questions: int = 0
    captures: bool = False
    marks: list[float] = field(default_factory=list)

    def mark(self) -> float | None:
        if self.captures:
            return None
        self.marks.append(self.now_s)
        return self.now_s

    def elapsed_s(self, begin: float, end: float) -> float | None:
        self.questions += 1
        return end - begin if end <= self.passed_until_s else None

    def wait(self, mark: float) -> None:
        self.waits += 1
        self.passed_until_s = max(self.passed_until_s, mark)


def run_step(timeline: DeviceTimeline, device: FakeDevice, position: int) -> None:
    """1 s of waiting, 1 s before the step, 2 s forward, 4 s optimizer with 3 s backward inside."""
    timeline.begin_batch(position, "data_wait")
    device.now_s += 1
    timeline.end_fetch()
    device.now_s += 1
    timeline.enter("forward")
    device.now_s += 2
    timeline.leave()
    timeline.enter("optimizer")
    device.now_s += 1
    timeline.enter("backward")
    device.now_s += 3
    timeline.leave()
    device.now_s += 3
    timeline.leave()
    timeline.end_batch(Stage.TRAIN, 0, position, is_first=position == 0)


def test_the_lines_of_a_batch_are_exclusive_and_sum_to_its_device_time() -> None:
    device = FakeDevice()
    timeline = DeviceTimeline(device, every_batches=1)
    run_step(timeline, device, 0)
    (record,) = timeline.records(wait=True)
    assert record["lines_ns"] == {
        "data_wait": 1_000_000_000,
        "other": 1_000_000_000,
        "forward": 2_000_000_000,
        "optimizer": 4_000_000_000,
        "backward": 3_000_000_000,
    }
    assert record["clock"] == "a clock that the test moves"


def test_a_batch_that_the_device_has_not_finished_is_read_later() -> None:
    device = FakeDevice(passed_until_s=11.0)
    timeline = DeviceTimeline(device, every_batches=1)
    run_step(timeline, device, 0)
    run_step(timeline, device, 1)
    assert [record["position"] for record in timeline.records()] == [0]
    assert list(timeline.records()) == []
    device.passed_until_s = 22.0
    run_step(timeline, device, 2)
    assert [record["position"] for record in timeline.records()] == [1]


def test_the_device_is_asked_by_the_thread_that_marks_alone() -> None:
    device = FakeDevice()
    timeline = DeviceTimeline(device, every_batches=1)
    run_step(timeline, device, 0)
    asked_before = device.questions
    list(timeline.records())
    assert device.questions == asked_before


def test_a_batch_in_which_the_device_takes_no_mark_is_not_told() -> None:
    device = FakeDevice()
    timeline = DeviceTimeline(device, every_batches=1)
    timeline.begin_batch(0, "data_wait")
    device.captures = True
    timeline.enter("forward")
    device.captures = False
    timeline.leave()
    timeline.end_batch(Stage.TRAIN, 0, 0, is_first=True)
    run_step(timeline, device, 1)
    assert [record["position"] for record in timeline.records(wait=True)] == [1]


def test_only_the_end_of_a_run_waits_for_the_device() -> None:
    device = FakeDevice(passed_until_s=0.0)
    timeline = DeviceTimeline(device, every_batches=1)
    run_step(timeline, device, 0)
    assert list(timeline.records()) == []
    assert device.waits == 0
    assert len(list(timeline.records(wait=True))) == 1
    assert device.waits == 1


def test_one_batch_in_every_so_many_is_marked() -> None:
    device = FakeDevice()
    timeline = DeviceTimeline(device, every_batches=4)
    for position in range(9):
        run_step(timeline, device, position)
    assert [record["position"] for record in timeline.records(wait=True)] == [0, 4, 8]
    assert len(device.marks) == 3 * 9


def test_a_batch_that_another_stage_interrupts_is_not_reported() -> None:
    device = FakeDevice()
    timeline = DeviceTimeline(device, every_batches=1)
    timeline.begin_batch(0, "data_wait")
    timeline.enter("forward")
    timeline.abandon_batch()
    timeline.leave()
    timeline.end_batch(Stage.TRAIN, 0, 0, is_first=True)
    assert list(timeline.records()) == []
