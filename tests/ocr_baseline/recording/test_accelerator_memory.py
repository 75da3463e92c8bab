"""A CUDA device that is not there: torch's own questions to it are answered here."""

from __future__ import annotations

import pytest
import torch

from ocr_baseline.measure.memory import AcceleratorSample
from ocr_baseline.recording.accelerator_memory import AcceleratorProbe

DEVICE = torch.device("cuda", 1)


class FakeDevice:
    """Answers as `torch.cuda` would for one device; `utilization` may be an error to raise."""

    def __init__(self) -> None:
        self.is_initialized = True
        self.utilization: float | Exception = 37
        self.asked = 0

    def answer_utilization(self, device: torch.device) -> float:
        assert device == DEVICE
        self.asked += 1
        if isinstance(self.utilization, Exception):
            raise self.utilization
        return self.utilization


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    fake = FakeDevice()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: fake.is_initialized)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 200)
    monkeypatch.setattr(torch.cuda, "utilization", fake.answer_utilization)
    return fake


def test_a_device_in_use_tells_its_allocators_memory_and_how_busy_it_is(
    device: FakeDevice,
) -> None:
    probe = AcceleratorProbe(DEVICE)
    first = probe()
    device.utilization = 80

    assert first == AcceleratorSample(100, 200, utilization_percent=37.0)
    assert probe() == AcceleratorSample(100, 200, utilization_percent=80.0)


@pytest.mark.parametrize("error", [ModuleNotFoundError("pynvml"), RuntimeError("not supported")])
def test_a_driver_that_can_not_be_asked_is_asked_once_and_memory_is_read_on(
    error: Exception, device: FakeDevice
) -> None:
    device.utilization = error
    probe = AcceleratorProbe(DEVICE)

    assert [probe(), probe(), probe()] == [AcceleratorSample(100, 200)] * 3
    assert device.asked == 1


def test_a_device_that_is_not_in_use_is_left_alone(device: FakeDevice) -> None:
    device.is_initialized = False

    assert AcceleratorProbe(DEVICE)() is None
    assert AcceleratorProbe(torch.device("cpu"))() is None
    assert device.asked == 0
