"""The records of one run on this rank: the recorder, its background thread, the run's ends."""

from __future__ import annotations

import functools
import json
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.layout import MAIN_RECORDS_NAME
from ocr_baseline.lightning.attach.cuda_clock import CudaClock
from ocr_baseline.lightning.attach.gradient_exchange import gradient_wait_s
from ocr_baseline.lightning.run import accelerator_memory
from ocr_baseline.lightning.run import description as run_description
from ocr_baseline.lightning.run.accelerator_memory import AcceleratorProbe
from ocr_baseline.lightning.run.deferred_sigterm import deferred_sigterm
from ocr_baseline.lightning.run.rank_records import (
    remove_earlier_records,
    wait_for_ranks,
)
from ocr_baseline.measure import environment
from ocr_baseline.measure.device import DeviceTimeline
from ocr_baseline.measure.folder_answer import HungFolderError, wait_for_answer
from ocr_baseline.measure.heartbeat import Heartbeat
from ocr_baseline.measure.memory import MemoryProbe
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.records.format import MAX_LINE_BYTES
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.records.format import HeaderFields
    from ocr_baseline.vocabulary import RunStatus

logger = OutwardLogger(__name__)


def _not_ended(cause: str) -> None:
    logger.warning("The performance records have no end (%s); the report says so.", cause)


class Recording:
    """Records one run, over several entry points of a trainer, into one folder.

    Before the training's own thread writes, the folder's file system is asked whether it answers,
    so that one that hangs does not hold the training for ever.
    """

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        *,
        profile_memory: bool,
        config_policy: run_description.ConfigPolicy,
    ) -> None:
        """Replace what an earlier run left of this rank in the folder.

        Raises:
            OSError: When the records can't be written there.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(folder)
        self._device = device = trainer.strategy.root_device
        remove_earlier_records(folder, trainer.global_rank, trainer.world_size)
        self.recorder = Recorder(
            folder,
            rank=trainer.global_rank,
            device=DeviceTimeline(CudaClock()) if device.type == "cuda" else None,
        )
        self._profile_memory = profile_memory
        self._config_policy = config_policy
        self._heartbeat = Heartbeat(
            self.recorder,
            probe=MemoryProbe(AcceleratorProbe(device)) if profile_memory else None,
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

    def begin(self, trainer: Trainer, module: LightningModule) -> None:
        """Go on charging time and say who is running.

        Raises:
            OSError: When the records can't be written.
            HungFolderError: When the folder does not answer.
        """
        wait_for_answer(self.folder)
        self.recorder.resume()
        self.recorder.write_header(self._header(trainer, module))
        self._has_begun = True
        self._heartbeat.start()
        self._read_gradient_wait_s = functools.partial(gradient_wait_s, trainer)

    def describe_loader(self, trainer: Trainer) -> None:
        """Add what is known of the training loader once there is one."""
        identity = run_description.loader_identity(trainer)
        # The heartbeat warns of a disk that can't be written, the run's end of one that hangs.
        with suppress(OSError, HungFolderError):
            wait_for_answer(self.folder)
            self.recorder.write_header({"environment": {"identity": identity}})

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

    @deferred_sigterm(_not_ended)
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

    def wait_for_ranks(self, world_size: int) -> None:
        """Wait, for some seconds at most, until the other ranks have finished as often."""
        wait_for_ranks(self.folder, world_size=world_size, reports=self._reports)

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
        return self.recorder.rank == 0 and found != self._id

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
                "memory": accelerator_memory.peaks(self._device),
                "gradient_wait_s": self._gradient_wait_s,
            }
        )

    def _header(self, trainer: Trainer, module: LightningModule) -> HeaderFields:
        own: HeaderFields = {
            "recording": self._id,
            "written_at": datetime.now(timezone.utc).isoformat(),
            "clock": "time.perf_counter_ns (host)",
            "world_size": trainer.world_size,
        }
        if not trainer.is_global_zero:  # whose loggers are dummies, and whose report is rank 0's
            return own
        config, config_hash = run_description.run_config(trainer, module, self._config_policy)
        return {
            **own,
            "run": run_description.run_identity(trainer),
            "environment": {
                "identity": run_description.environment_identity(trainer),
                "volatile": environment.volatile(Path.cwd()),
            },
            "config": config,
            "config_hash": config_hash,
            "include_config": self._config_policy.include,
            "profile_memory": self._profile_memory,
        }
