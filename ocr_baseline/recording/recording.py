"""The records of one run on this rank: the recorder, its background thread, the run's ends."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ocr_baseline.layout import MAIN_RECORDS_NAME
from ocr_baseline.measure.folder_answer import HungFolderError, wait_for_answer
from ocr_baseline.measure.heartbeat import Heartbeat
from ocr_baseline.measure.memory import MemoryProbe
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.recording.deferred_sigterm import deferred_sigterm
from ocr_baseline.recording.process_start import claim_process_start
from ocr_baseline.recording.rank_records import remove_earlier_records, wait_for_ranks
from ocr_baseline.records.format import MAX_LINE_BYTES
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocr_baseline.measure.device import DeviceTimeline
    from ocr_baseline.measure.memory import AcceleratorSample
    from ocr_baseline.recording.accelerator_memory import AcceleratorProbe
    from ocr_baseline.recording.rank import Rank
    from ocr_baseline.records.format import HeaderFields, StartJson
    from ocr_baseline.vocabulary import RunStatus


class Recording:
    """Records one run, over several entry points of whatever drives it, into one folder.

    Before the training's own thread writes, the folder's file system is asked whether it answers,
    so that one that hangs does not hold the training for ever.
    """

    def __init__(
        self,
        folder: Path,
        rank: Rank,
        *,
        profile_memory: bool,
        sampling_hz: float = 0.0,
        accelerator: AcceleratorProbe | None = None,
        device: DeviceTimeline | None = None,
    ) -> None:
        """Replace what an earlier run left of this rank in the folder.

        Args:
            folder: Where the records go.
            rank: Which process of the run this is.
            profile_memory: Sample the memory of the process tree once a second.
            sampling_hz: Sample call stacks so many times a second; 0 samples none.
            accelerator: The device whose memory is sampled too.
            device: The device's own clock.

        Raises:
            OSError: When the records can't be written there.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(folder)
        remove_earlier_records(folder, rank.number, rank.world_size)
        self.recorder = Recorder(folder, rank=rank.number, device=device, sampling_hz=sampling_hz)
        self._sampling_hz = sampling_hz
        self._rank = rank
        self._accelerator = accelerator
        self._profile_memory = profile_memory
        self._heartbeat = Heartbeat(
            self.recorder, probe=MemoryProbe(self._read_accelerator) if profile_memory else None
        )
        self._reports = 0
        self._id = uuid.uuid4().hex
        self._has_begun = False
        self._is_broken_off = False
        self._gradient_wait_s: float | None = None
        self._read_gradient_wait_s: Callable[[], float | None] = lambda: None

    @property
    def folder(self) -> Path:
        """Where the records are."""
        return self.recorder.folder

    def begin(
        self,
        header: HeaderFields,
        *,
        before: StartJson | None = None,
        read_gradient_wait_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """Go on charging time and say who is running.

        Args:
            header: Which run this is, where and with what.
            before: What the driver of the run knows of the time before; the first counts.
            read_gradient_wait_s: Returns how long a backward pass waits for other ranks, where
                that is known.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        self.recorder.resume()
        self.recorder.write_header(self._own_header(before or {}) | header)
        self._has_begun = True
        self._heartbeat.start()
        self._read_gradient_wait_s = read_gradient_wait_s

    def describe(self, header: HeaderFields) -> None:
        """Add what is known of the run only now."""
        # The heartbeat warns of a disk that can't be written, the run's end of one that hangs.
        with suppress(OSError, HungFolderError):
            wait_for_answer(self.folder)
            self.recorder.write_header(header)

    def sample_accelerator(self, accelerator: AcceleratorProbe) -> None:
        """Sample the memory of this device too from now on."""
        self._accelerator = accelerator

    def note_gradient_wait(self) -> None:
        """Keep what DDP timed, while the model is still wrapped in it."""
        self._gradient_wait_s = self._read_gradient_wait_s() or self._gradient_wait_s

    def reopen(self) -> None:
        """The run that had ended goes on: its end is not known any more.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        self._write_status("unknown", None)

    @deferred_sigterm()
    def finish(self, status: RunStatus, ended_by: str | None) -> None:
        """End the records with the run's status, so that a report can be made.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        self._reports += 1
        if not self._is_broken_off:
            self.note_gradient_wait()
            self.recorder.pause()
            self._heartbeat.beat()
            self.recorder.flush(with_samples=True)
        self._write_status(status, ended_by)

    def wait_for_ranks(self) -> None:
        """Wait, for some seconds at most, until the other ranks have finished as often."""
        wait_for_ranks(self.folder, world_size=self._rank.world_size, reports=self._reports)

    def pause(self) -> None:
        """Stop charging time until `begin`.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        self.recorder.pause()
        self._heartbeat.stop()

    def break_off(self, cause: str) -> bool:
        """Measure no more from here on, and note why; return whether there is anything to report.

        The batch that was under way is dropped: nothing tells how far it came.
        """
        self._is_broken_off = True
        with suppress(Exception):  # whatever is broken, the training is waiting
            wait_for_answer(self.folder)
            at_s = self.recorder.now_ns() * SECONDS_PER_NS
            text = f"measuring stopped {at_s:.1f} s after it began ({cause}): nothing that ran "
            self.recorder.write({"type": "warning", "text": f"{text}later is in this report"})
            with suppress(Exception):  # the accounts may be what is broken
                self.recorder.pause()
            self._heartbeat.stop()
            return self._has_begun
        self._heartbeat.abandon()
        return False

    def is_replaced(self) -> bool:
        """Whether another run has put its records in the place of this one's."""
        try:
            with (self.folder / MAIN_RECORDS_NAME).open("rb") as file:
                first = json.loads(file.readline(MAX_LINE_BYTES))
        except (OSError, ValueError):
            return False  # nothing is there that could be taken for this run's
        found = first.get("recording") if isinstance(first, dict) else None
        return self._rank.is_zero and found != self._id

    def close(self) -> None:
        """End for good, whatever can still be written."""
        try:
            wait_for_answer(self.folder)
        except HungFolderError:
            self._heartbeat.abandon()
            return
        with suppress(OSError):
            self._heartbeat.stop()
        with suppress(OSError):
            self.recorder.close()

    def _write_status(self, status: RunStatus, ended_by: str | None) -> None:
        self.recorder.write(
            {
                "type": "status",
                "status": status,
                "ended_by": ended_by,
                "reports": self._reports,
                "at_ns": self.recorder.now_ns(),
                "event_cost_ns": self.recorder.event_cost_ns,
                "background_cpu_ns": self._heartbeat.cpu_ns,
                "discarded_batches": self.recorder.discarded_batches,
                "volatile": self._heartbeat.machine.summary(),
                "memory": None if self._accelerator is None else self._accelerator.peaks(),
                "gradient_wait_s": self._gradient_wait_s,
            }
        )

    def _own_header(self, before: StartJson) -> HeaderFields:
        own: HeaderFields = {
            "recording": self._id,
            "written_at": datetime.now(timezone.utc).isoformat(),
            "clock": "time.perf_counter_ns (host)",
            "world_size": self._rank.world_size,
        }
        if self._rank.is_zero:
            own["profile_memory"] = self._profile_memory
            own["sampling_hz"] = self._sampling_hz
            own["no_sampling"] = self.recorder.no_sampling
            if not self._has_begun:
                own["start"] = before | claim_process_start(self.recorder.now_ns())
        return own

    def _read_accelerator(self) -> AcceleratorSample | None:
        return None if self._accelerator is None else self._accelerator()
