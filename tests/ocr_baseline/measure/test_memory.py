from __future__ import annotations

import mmap
import subprocess
import sys

import psutil
import pytest

from ocr_baseline.measure.memory import MemoryProbe


class Seconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    seconds = Seconds()
    monkeypatch.setattr("ocr_baseline.measure.memory.monotonic", seconds.monotonic)
    return seconds


def test_each_sample_holds_the_resident_memory_of_this_process() -> None:
    probe = MemoryProbe()
    before = probe.read().main_rss_bytes
    # A bytearray could be given memory that the process holds already.
    with mmap.mmap(-1, 64 * 2**20) as held:
        held[:: mmap.PAGESIZE] = b"x" * (len(held) // mmap.PAGESIZE)
        after = probe.read().main_rss_bytes

    assert before is not None
    assert after is not None
    assert after - before > 32 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="proportional sizes are Linux' own")
def test_the_proportional_size_is_read_after_five_seconds_and_each_half_minute(
    clock: Seconds,
) -> None:
    probe = MemoryProbe()
    has_size = {}
    for passed_s in (0, 4, 6, 7, 35, 37, 38):
        clock.now_s = 1000.0 + passed_s
        has_size[passed_s] = probe.read().tree_pss_bytes is not None

    assert [passed_s for passed_s, read in has_size.items() if read] == [6, 37]


def _started() -> subprocess.Popen[bytes]:
    """Return a process that waits, once it runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", "print('ready', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_worker_counts_from_the_first_sample_after_its_start(clock: Seconds) -> None:
    probe = MemoryProbe()
    before = probe.read().workers_rss_bytes
    with _started() as worker:
        # The clock stands still: asking every process again is not due.
        during = probe.read().workers_rss_bytes
        worker.communicate(b"\n")
    assert before is not None
    assert during is not None
    assert during > before


def test_workers_that_nobody_may_look_for_were_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "children", refuse)
    sample = MemoryProbe().read()
    assert sample.workers_rss_bytes is None
    assert sample.main_rss_bytes is not None
