"""Where a profiler's runs are recorded: which folder each has, whose records it goes on with."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ocr_baseline.layout import RECORDS_FOLDER
from ocr_baseline.lightning.run.agreement import agreed
from ocr_baseline.lightning.run.description import OutputFolder
from ocr_baseline.lightning.run.trainer_tokens import token_of
from ocr_baseline.recording.accelerator_memory import AcceleratorProbe
from ocr_baseline.recording.cuda_clock import device_timeline
from ocr_baseline.recording.folder_claims import FolderClaim
from ocr_baseline.recording.rank import Rank
from ocr_baseline.recording.recording import Recording
from ocr_baseline.recording.run_token import RunToken

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.pytorch import Trainer
    from typing_extensions import Self


class RunRecords:
    """The records of one profiler's runs, one after the other.

    Attributes:
        output_folder: The report's.
        recording: Of the run that began last; None before the first, and where nothing of it was
            kept.
    """

    def __init__(self, output_dir: str | Path | None) -> None:
        """Take the callback's argument of that name."""
        self.output_folder = OutputFolder(output_dir)
        self.recording: Recording | None = None
        self._claim: FolderClaim | None = None
        self._token = RunToken()

    def __getstate__(self) -> dict[str, Any]:
        """The run that is recorded stays with this one."""
        return vars(self) | {"recording": None, "_claim": None}

    def of_copy(self) -> Self:
        """Return those of a copied callback: of the same run only where a strategy copied it."""
        copied = copy.copy(self)
        copied._token = self._token.of_copy()
        return copied

    def begin(self, trainer: Trainer, *, profile_memory: bool, sampling_hz: float) -> Recording:
        """Go on with the records of the run before if they are in this trainer's folder.

        Raises:
            OSError: When the records can't be written there, or rank 0 names no place for them.
            HungFolderError: When the folder does not answer.
        """
        if self.recording is not None and not self.recording.is_of_this_process:
            self._token = RunToken()  # the run stays with the process that this one is forked from
        own_token = token_of(trainer, self._token)
        place, token = agreed(trainer, self._claimed(trainer), own_token)
        folder = place / RECORDS_FOLDER
        if self.recording is not None:
            if self.recording.can_go_on_in(folder) and self.recording.reopen():
                return self.recording
            self.recording.close()
        device = trainer.strategy.root_device
        self.recording = Recording(
            folder,
            Rank(trainer.global_rank, trainer.world_size),
            token=token,
            profile_memory=profile_memory,
            sampling_hz=sampling_hz,
            accelerator=AcceleratorProbe(device),
            device=device_timeline(device),
        )
        return self.recording

    def _claimed(self, trainer: Trainer) -> Path:
        """Return the report's folder, or one beside it while another run of this process has it."""
        asked = self.output_folder.of(trainer)
        if not trainer.is_global_zero:
            return asked
        self._claim = FolderClaim(asked)
        if self._claim.folder != asked:
            self.output_folder.move(asked, self._claim.folder)
        return self._claim.folder

    def release(self) -> None:
        """Let the next run of the process have the folder."""
        if self._claim is not None:
            self._claim.release()
