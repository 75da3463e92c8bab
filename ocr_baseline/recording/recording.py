"""The records of one run on this rank: the recorder, its background thread, the run's ends."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ocr_baseline.layout import records_name
from ocr_baseline.measure.folder_answer import HungFolderError, wait_for_answer
from ocr_baseline.measure.heartbeat import Heartbeat
from ocr_baseline.measure.memory import MemoryProbe
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.recording.deferred_sigterm import deferred_sigterm
from ocr_baseline.recording.earlier_records import (
    earlier_process,
    is_any_set_aside,
    keep_set_aside,
    peaks_together,
    put_back,
    set_aside,
)
from ocr_baseline.recording.process_start import claim_process_start
from ocr_baseline.recording.rank_records import has_ended, wait_for_ranks
from ocr_baseline.recording.run_token import RunToken
from ocr_baseline.records.format import MAX_LINE_BYTES
from ocr_baseline.signal_errors import let_through, suppress_failures
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocr_baseline.measure.device import DeviceTimeline
    from ocr_baseline.measure.memory import AcceleratorSample
    from ocr_baseline.recording.accelerator_memory import AcceleratorProbe
    from ocr_baseline.recording.earlier_records import EarlierProcess
    from ocr_baseline.recording.rank import Rank
    from ocr_baseline.records.format import AcceleratorPeaksJson, HeaderFields, StartJson
    from ocr_baseline.vocabulary import RunStatus

logger = OutwardLogger(__name__)

MOST_SAMPLING_HZ = 1000
"""A tick takes up to a tenth of a millisecond: more often, a run would mostly measure itself."""


def _not_ended(cause: str) -> None:
    logger.warning("The performance records have no end (%s); the report says so.", cause)


class Recording:
    """Records one run, over several entry points of whatever drives it, into one folder.

    Before the training's own thread writes, the folder's file system is asked whether it answers,
    so that one that hangs does not hold the training for ever.

    Attributes:
        is_withdrawn: Whether the run ended before it had finished a batch, and gave its place back
            to the records of an earlier one.
    """

    def __init__(
        self,
        folder: Path,
        rank: Rank,
        *,
        token: RunToken | None = None,
        profile_memory: bool,
        sampling_hz: float = 0.0,
        accelerator: AcceleratorProbe | None = None,
        device: DeviceTimeline | None = None,
    ) -> None:
        """Go on with the records of this run in the folder, or replace those of an earlier one.

        Args:
            folder: Where the records go.
            rank: Which process of the run this is.
            token: The run's name, where other processes of it may have recorded in the folder.
            profile_memory: Sample the memory of the process tree once a second.
            sampling_hz: Sample call stacks so many times a second; 0 samples none.
            accelerator: The device whose memory is sampled too.
            device: The device's own clock.

        Raises:
            OSError: When the records can't be written there.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(folder)
        token = token or RunToken()
        earlier = None
        if token.is_shared_with_children:
            earlier = earlier_process(folder, rank.number, token.name)
        if earlier is None:
            set_aside(folder, rank.number, rank.world_size)
        # What may fail comes before the file that the recorder opens.
        probe = MemoryProbe(self._read_accelerator) if profile_memory else None
        self.recorder = Recorder(
            folder,
            rank=rank.number,
            device=device,
            sampling_hz=sampling_hz,
            started_ns=None if earlier is None else earlier.started_ns,
        )
        self._sampling_hz = sampling_hz
        self._rank = rank
        self._accelerator: AcceleratorProbe | None = None
        if accelerator is not None:
            self.sample_accelerator(accelerator)
        self._profile_memory = profile_memory
        self._heartbeat = Heartbeat(self.recorder, probe=probe)
        self._reports = 0
        self._id = token.name
        self._pid = os.getpid()
        self._has_begun = False
        self._is_broken_off = False
        self.is_withdrawn = False
        self._gradient_wait_s: float | None = None
        self._earlier_processes = 0
        self._earlier_peaks: AcceleratorPeaksJson | None = None
        if earlier is not None:
            self._add_up_with(earlier)
        self._read_gradient_wait_s: Callable[[], float | None] = lambda: None

    def _add_up_with(self, earlier: EarlierProcess) -> None:
        """Begin with what the earlier processes of the run came to."""
        status = earlier.status
        self._earlier_processes = earlier.processes
        self._earlier_peaks = status.get("memory")
        self._reports = status.get("reports", 0)
        self._gradient_wait_s = status.get("gradient_wait_s")
        self._heartbeat.cpu_ns = status.get("background_cpu_ns", 0)
        self.recorder.discarded_batches = status.get("discarded_batches", 0)

    @property
    def folder(self) -> Path:
        """Where the records are."""
        return self.recorder.folder

    @property
    def _path(self) -> Path:
        return self.folder / records_name(self._rank.number)

    @property
    def is_of_this_process(self) -> bool:
        """False in a process that was forked from the one that records."""
        return self._pid == os.getpid()

    def can_go_on_in(self, folder: Path) -> bool:
        """Whether a further stage of the run, in this process, is to be recorded here too."""
        return self.folder == folder and not self.is_withdrawn and self.is_of_this_process

    @property
    def goes_on(self) -> bool:
        """Whether an entry point of the run was recorded before, here or in another process."""
        return self._has_begun or self._earlier_processes > 0

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
        self.recorder.stages.peaks.read_bytes = accelerator.allocated_peak_bytes

    def note_gradient_wait(self) -> None:
        """Keep what DDP timed, while the model is still wrapped in it."""
        self._gradient_wait_s = self._read_gradient_wait_s() or self._gradient_wait_s

    def reopen(self) -> bool:
        """Go on with the run that had ended, unless one that has ended too has taken its place.

        Returns:
            Whether the run goes on: its end is not known any more.

        Raises:
            OSError: When the records can't be written, or those in their place have no end yet.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        if self.is_replaced():
            self.recorder.let_go()
            if has_ended(self._path):
                return False
            cause = "It has the records of another run that hasn't ended"
            raise FileExistsError(errno.EEXIST, cause, str(self.folder))
        self._write_status("unknown", None)
        return True

    @deferred_sigterm(_not_ended)
    def finish(self, status: RunStatus, ended_by: str | None) -> None:
        """End the records with the run's status, so that a report can be made.

        A run that ends before it has finished a batch leaves the records of an earlier one as
        they were.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        if self.is_withdrawn:
            return
        self.recorder.stop_listening()
        wait_for_answer(self.folder)
        self._reports += 1
        if not self._is_broken_off:
            self._write_the_rest()
        self._write_status(status, ended_by)
        self._give_or_take_the_place()
        self.recorder.release()

    def _write_the_rest(self) -> None:
        """Write what is not on disk yet; a failure that isn't the disk's breaks the run off."""
        try:
            self.note_gradient_wait()
            self.recorder.pause()
            self._heartbeat.beat()
            self.recorder.flush(with_samples=True)
        except (OSError, HungFolderError):
            raise
        except Exception as error:  # noqa: BLE001 - a report of what is on disk must still come
            let_through(error)
            cause = error_text(error)
            self.break_off(cause)
            logger.warning(
                "Performance measuring stopped as the run ended (%s): the report covers what was "
                "recorded before.",
                cause,
            )

    def _give_or_take_the_place(self) -> None:
        """Decide between this run's records and those that were there before."""
        if self.recorder.rank or self._earlier_processes or self.is_replaced():
            return
        if self.recorder.has_finished_batches:
            keep_set_aside(self.folder)
        elif is_any_set_aside(self.folder):
            self.recorder.let_go()  # first: what is written from here on has no place any more
            put_back(self.folder)
            self.is_withdrawn = True
            self._heartbeat.stop()
            self.recorder.close()

    def wait_for_ranks(self) -> None:
        """Wait, for some seconds at most, until the other ranks have finished as often."""
        wait_for_ranks(self.folder, world_size=self._rank.world_size, reports=self._reports)

    def pause(self) -> None:
        """Stop charging time until `begin`, and hold no file open meanwhile.

        In a process that was forked from the run's this does nothing: the run goes on elsewhere.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        if not self.is_of_this_process:
            return
        self.recorder.stop_listening()
        wait_for_answer(self.folder)
        self.recorder.pause()
        self._heartbeat.stop()
        self.recorder.release()

    def break_off(self, cause: str) -> bool:
        """Measure no more from here on, and note why; return whether there is anything to report.

        The batch that was under way is dropped: nothing tells how far it came.
        """
        self._is_broken_off = True
        with suppress_failures():  # first, for what hangs or fails below must not leave it behind
            self.recorder.stop_listening()
        with suppress_failures():  # whatever is broken, the training is waiting
            wait_for_answer(self.folder)
            at_s = self.recorder.now_ns() * SECONDS_PER_NS
            text = f"measuring stopped {at_s:.1f} s after it began ({cause}): nothing that ran "
            self.recorder.write({"type": "warning", "text": f"{text}later is in this report"})
            with suppress_failures():  # the accounts may be what is broken
                self.recorder.pause()
            self._heartbeat.stop()
            self.recorder.release()
            return self._has_begun
        self._heartbeat.abandon()
        return False

    def is_replaced(self) -> bool:
        """Whether another run has put its records of this rank in the place of this one's."""
        try:
            with self._path.open("rb") as file:
                first = json.loads(file.readline(MAX_LINE_BYTES))
        except (OSError, ValueError):
            return False  # nothing is there that could be taken for this run's
        found = first.get("recording") if isinstance(first, dict) else None
        return found is not None and found != self._id

    def close(self) -> None:
        """End for good, whatever can still be written; in a forked process this is not its own."""
        if not self.is_of_this_process:
            return
        self.recorder.stop_listening()
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
                "memory": peaks_together(
                    self._earlier_peaks,
                    None if self._accelerator is None else self._accelerator.peaks(),
                ),
                "stage_peaks": {
                    stage.value: peak
                    for stage, peak in self.recorder.stages.peaks.of_stages.items()
                },
                "gradient_wait_s": self._gradient_wait_s,
            }
        )

    def _own_header(self, before: StartJson) -> HeaderFields:
        own: HeaderFields = {
            "recording": self._id,
            "started_ns": self.recorder.started_ns,
            "earlier_processes": self._earlier_processes,
            "written_at": datetime.now(timezone.utc).isoformat(),
            "clock": "time.perf_counter_ns (host)",
            "world_size": self._rank.world_size,
        }
        if self._rank.is_zero:
            own["profile_memory"] = self._profile_memory
            own["sampling_hz"] = self._sampling_hz
            own["no_sampling"] = self.recorder.no_sampling
            if not self.goes_on:
                own["start"] = before | claim_process_start(self.recorder.now_ns())
        return own

    def _read_accelerator(self) -> AcceleratorSample | None:
        return None if self._accelerator is None else self._accelerator()
