"""The device's time from the recorder to the document, on clocks that the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.measure.device import DeviceTimeline
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.records import reader as source
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from pathlib import Path


class LaggingDevice:
    """A device that does in 5 ms what the host queues in 1 ms."""

    name = "a device that lags behind"

    def __init__(self) -> None:
        self.busy_until_s = 0.0
        self.waits = 0

    def work(self) -> None:
        self.busy_until_s += 0.005

    def mark(self) -> float:
        return self.busy_until_s

    def elapsed_s(self, begin: float, end: float) -> float | None:
        return end - begin

    def wait(self, mark: float) -> None:
        self.waits += 1


def test_host_and_device_times_stand_side_by_side_each_with_its_clock(tmp_path: Path) -> None:
    now_ns = 0

    def host_clock() -> int:
        return now_ns

    device = LaggingDevice()
    recorder = Recorder(tmp_path, clock=host_clock, device=DeviceTimeline(device, every_batches=2))
    recorder.write_header({"clock": "the test's"})
    recorder.resume()
    forward = recorder.span(Line.FORWARD.value)
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(12):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        with forward:
            now_ns += 1_000_000
            device.work()
        recorder.finish_batch()
    recorder.close_stage(Stage.TRAIN)
    recorder.close()

    phase = analyze(source.load(tmp_path)).phase("train")

    assert phase is not None
    assert phase.batch_time_s is not None
    assert phase.device is not None
    assert phase.batch_time_s.mean == 0.001
    assert phase.device.clock == "a device that lags behind"
    assert phase.device.batches == 4, "batches 4, 6, 8 and 10: every second one, warm-up apart"
    assert phase.device.batch_time_s.mean == 0.005
    assert [line.name for line in phase.device.breakdown if line.total_s] == ["forward"]
