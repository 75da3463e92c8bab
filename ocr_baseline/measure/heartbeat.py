"""The recorder's background thread: memory samples, and finished rows to the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.clocks import monotonic, thread_time_ns
from ocr_baseline.measure.machine import MachineProbe
from ocr_baseline.measure.own_threads import own_thread, start
from ocr_baseline.measure.rows import memory_record
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from threading import Thread

    from ocr_baseline.measure.memory import MemoryProbe, MemorySample
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Stage

INTERVAL_S = 1.0
SAMPLES_PER_RECORD = 5

logger = OutwardLogger(__name__)


class Heartbeat:
    """Every second, samples memory and writes the recorder's finished rows; earlier when asked.

    Memory samples are written five at a time: a run that is killed loses seconds of them.
    """

    def __init__(self, recorder: Recorder, *, probe: MemoryProbe | None) -> None:
        """Prepare the thread; `start` runs it. Without a probe memory is not sampled.

        Attributes:
            cpu_ns: Processor time of the thread so far, in nanoseconds.
            machine: What else the machine did.
            failure: Why records could not be written, None while all could.
        """
        self._recorder = recorder
        self.machine = MachineProbe()
        self._probe = probe
        self._is_stopping = False
        self._thread: Thread | None = None
        self._samples: list[tuple[int, Stage, MemorySample]] = []
        self.cpu_ns = 0
        self.failure: str | None = None
        self._has_sampling_failed = False

    def start(self) -> None:
        """Begin, when not running."""
        if self._thread is None:
            self._is_stopping = False
            thread = own_thread(self._guarded_run, "ocr-baseline-heartbeat")
            start(thread)
            self._thread = thread
            self._recorder.flush_request.serve()

    def stop(self) -> None:
        """End the thread, take a last sample and write what is left."""
        if self._thread is not None:
            self._is_stopping = True
            self._recorder.flush_request.stop_serving()
            self._thread.join(timeout=10.0)
            self._thread = None
            self.beat()

    def abandon(self) -> None:
        """Let the thread end by itself: it may be held by a file system that doesn't answer."""
        self._is_stopping = True
        self._recorder.flush_request.stop_serving()
        self._thread = None

    def beat(self) -> None:
        """Sample memory and write everything that waits for the disk."""
        self._sample()
        self._write(with_samples=True)

    def _guarded_run(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - nobody is there to catch it
            self._fail(error)

    def _run(self) -> None:
        began_cpu_ns = thread_time_ns()
        before_ns = self.cpu_ns
        beat_at_s = monotonic()
        while not self._is_stopping:
            now_s = monotonic()
            # First, for the training's thread may wait for it; to sample can take far longer.
            self._write(with_samples=len(self._samples) >= SAMPLES_PER_RECORD)
            if now_s >= beat_at_s:
                beat_at_s = now_s + INTERVAL_S
                self._sample()
            self.cpu_ns = before_ns + thread_time_ns() - began_cpu_ns
            if not self._is_stopping:  # a flush takes back the request that `stop` woke us with
                self._recorder.flush_request.wait(max(0.0, beat_at_s - monotonic()))

    def _write(self, *, with_samples: bool) -> None:
        try:
            if with_samples:
                self._write_samples()
            self._recorder.flush()
        except Exception as error:  # noqa: BLE001 - the disk's trouble or ours: the rest goes on
            let_through(error)
            self._fail(error)

    def _sample(self) -> None:
        recorder = self._recorder
        try:
            self.machine.sample()
            if self._probe is not None:
                self._samples.append((recorder.now_ns(), recorder.stage, self._probe.read()))
        except Exception as error:  # noqa: BLE001 - rows must reach the disk whatever fails here
            let_through(error)
            self._probe = None
            if not self._has_sampling_failed:
                self._has_sampling_failed = True
                logger.warning("Memory can't be sampled any more in this run (%s).", error)

    def _fail(self, error: Exception) -> None:
        """Let go of the rows that can't be written, and warn once; a later beat tries again."""
        self._recorder.discard_rows()
        if self.failure is not None:
            return
        self.failure = str(error)
        logger.warning(
            "Performance records can't be written to %s (%s): the run goes on, and its report "
            "will say what it lacks.%s",
            self._recorder.folder,
            error if isinstance(error, OSError) else error_text(error),
            " Free some space or choose another folder." if isinstance(error, OSError) else "",
        )

    def _write_samples(self) -> None:
        if not self._samples:
            return
        samples, self._samples = self._samples, []
        self._recorder.write(memory_record(samples))
