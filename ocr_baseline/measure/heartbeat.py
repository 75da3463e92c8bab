"""The recorder's background thread: memory samples, and finished rows to the disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from ocr_baseline.measure.machine import MachineProbe
from ocr_baseline.measure.rows import memory_record

if TYPE_CHECKING:
    from ocr_baseline.measure.memory import MemoryProbe, MemorySample
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Stage

SAMPLE_INTERVAL_S = 1.0
FLUSH_INTERVAL_S = 5.0

logger = logging.getLogger(__name__)


class Heartbeat:
    """Samples memory every second and flushes the recorder every five, or when many rows wait."""

    def __init__(self, recorder: Recorder, *, probe: MemoryProbe | None) -> None:
        """Prepare the thread; `start` runs it. Without a probe memory is not sampled.

        Attributes:
            cpu_ns: Processor time of the thread so far, in nanoseconds.
            machine: What the machine did besides.
            failure: Why records could not be written, None while all could.
        """
        self._recorder = recorder
        self.machine = MachineProbe()
        self._probe = probe
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._samples: list[tuple[int, Stage, MemorySample]] = []
        self.cpu_ns = 0
        self.failure: str | None = None
        self._has_sampling_failed = False

    def start(self) -> None:
        """Begin, when not running."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, name="ocr-baseline-heartbeat", daemon=True
            )
            self._thread.start()
            self._recorder.early_flush.is_served = True

    def stop(self) -> None:
        """End the thread, take a last sample and write the samples."""
        self._recorder.early_flush.is_served = False
        if self._thread is not None:
            self._stop.set()
            self._recorder.early_flush.set()
            self._thread.join(timeout=10.0)
            self._thread = None
            self.beat(is_flush_due=True)

    def abandon(self) -> None:
        """Let the thread end by itself: it may be held by a file system that does not answer."""
        self._recorder.early_flush.is_served = False
        self._stop.set()
        self._recorder.early_flush.set()
        self._thread = None

    def _run(self) -> None:
        flush_at_s = time.monotonic() + FLUSH_INTERVAL_S
        sample_at_s = time.monotonic()
        began_cpu_ns = time.thread_time_ns()
        before_ns = self.cpu_ns
        while not self._stop.is_set():
            now_s = time.monotonic()
            is_flush_due = self._recorder.early_flush.is_set() or now_s >= flush_at_s
            is_sample_due = now_s >= sample_at_s
            self.beat(is_flush_due=is_flush_due, is_sample_due=is_sample_due)
            if is_flush_due:
                flush_at_s = now_s + FLUSH_INTERVAL_S
            if is_sample_due:
                sample_at_s = now_s + SAMPLE_INTERVAL_S
            self.cpu_ns = before_ns + time.thread_time_ns() - began_cpu_ns
            if not self._stop.is_set():  # a flush clears the event that `stop` sets
                self._recorder.early_flush.wait(SAMPLE_INTERVAL_S)

    def beat(self, *, is_flush_due: bool, is_sample_due: bool = True) -> None:
        """Sample memory if that is due, and write what waits for the disk if that is."""
        if is_sample_due:
            self._sample()
        if is_flush_due:
            try:
                self._write_samples()
                self._recorder.flush()
            except OSError as error:
                self._fail(error)

    def _sample(self) -> None:
        recorder = self._recorder
        try:
            self.machine.sample()
            if self._probe is not None:
                self._samples.append((recorder.now_ns(), recorder.stage, self._probe.read()))
        except Exception as error:  # noqa: BLE001 - rows must reach the disk whatever fails here
            self._probe = None
            if not self._has_sampling_failed:
                self._has_sampling_failed = True
                logger.warning("Memory can't be sampled any more in this run (%s).", error)

    def _fail(self, error: OSError) -> None:
        """Let go of the rows that can't be written, and warn once; a later beat tries again."""
        self._recorder.discard_rows()
        if self.failure is not None:
            return
        self.failure = str(error)
        logger.warning(
            "Performance records can't be written to %s (%s): the run goes on, and its report "
            "will say what it lacks. Free some space or choose another folder.",
            self._recorder.folder,
            error,
        )

    def _write_samples(self) -> None:
        if not self._samples:
            return
        samples, self._samples = self._samples, []
        self._recorder.write(memory_record(samples))
