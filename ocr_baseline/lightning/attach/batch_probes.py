"""Single training batches that are looked into, where that was asked for: a window, a count."""

from __future__ import annotations

import importlib
import math
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch

from ocr_baseline.lightning.attach.framework import package_of
from ocr_baseline.lightning.attach.patches import handed_to_listener
from ocr_baseline.recording.flop_count import FlopCount
from ocr_baseline.recording.profile_window import ProfileWindow
from ocr_baseline.signal_errors import let_through, suppress_failures
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.lightning.attach.patches import Patches
    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.recorder import Recorder

_TOO_SHORT = "the training ended before a batch could be looked into"
_DTYPES = {
    "16": torch.float16,
    "bf16": torch.bfloat16,
    "32": torch.float32,
    "64": torch.float64,
}


def batch_probes(
    trainer: Trainer,
    module: LightningModule,
    recorder: Recorder,
    *,
    window: int,
    counts_flops: bool,
) -> BatchProbes:
    """Return what looks into the batches of a trainer's run.

    Args:
        trainer: Whose batches.
        module: What it trains.
        recorder: Where what is found goes.
        window: Batches of a window of torch.profiler; 0 opens none.
        counts_flops: Count the floating-point operations of one batch.
    """
    opened = counted = None
    if window:
        opened = ProfileWindow(recorder, trainer.strategy.root_device, window)
    if counts_flops:
        counted = FlopCount(recorder, module, peak_flops_per_s(trainer))
        if trainer.world_size > 1:
            counted.give_up("operations are counted in runs of one process alone")
    return BatchProbes(trainer, opened, counted)


class BatchProbes:
    """Opens and closes the probes of one run, between the hooks of its training batches."""

    def __init__(
        self, trainer: Trainer, window: ProfileWindow | None, flops: FlopCount | None
    ) -> None:
        """Look into the batches of `trainer`."""
        self._trainer = trainer
        self._window = window
        self._flops = flops
        self._has_trained = False

    def listen(self, patches: Patches) -> None:
        """Learn of any other profiler of torch that begins in this thread: two can't be on."""
        if self._window is None:
            return
        window = self._window

        def begins(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            with suppress_failures():  # a window is not worth a training
                window.other_begins()
            return original(*args, **kwargs)

        owner = torch.autograd.profiler.profile  # what `torch.profiler` begins too
        with suppress(TypeError):  # a torch that names it otherwise
            patches.listen(owner, "_prepare_trace", begins, handed_to_listener)

    def begin_batch(self, state: StageState, batch_idx: int) -> None:
        """A batch goes to its step; what another stage breaks into is ended."""
        if state.stage is not Stage.TRAIN:
            self._break_off()
            return
        self._has_trained = True
        if self._flops is not None:
            self._flops.begin_batch(state)
        if self._window is not None:
            left, in_a_pass = batches_left(self._trainer, batch_idx)
            self._window.begin_batch(state, batch_idx, left, in_a_pass)

    def _break_off(self) -> None:
        if self._window is not None:
            self._window.close()
        if self._flops is not None:
            self._flops.break_off()

    def end_batch(self, batch_idx: int) -> None:
        """The last hook of a training batch's step is called."""
        if self._flops is not None:
            self._flops.end_batch()
        if self._window is not None:
            self._window.end_batch(batches_left(self._trainer, batch_idx)[0])

    def stop(self) -> None:
        """Close what is open; harmless when repeated."""
        if not self._has_trained:
            return
        for probe in (self._flops, self._window):
            if probe is not None:
                probe.give_up(_TOO_SHORT)


def batches_left(trainer: Trainer, batch_idx: int) -> tuple[float, float]:
    """Return the training batches until the epoch ends or validation comes, this one too.

    The second number is how many lie between two such ends; infinite where nobody knows.
    """
    ends = (trainer.num_training_batches, getattr(trainer, "val_check_batch", None))
    known = [end for end in ends if isinstance(end, int | float) and 0 < end < math.inf]
    return (
        min((end - batch_idx % end for end in known), default=math.inf),
        min(known, default=math.inf),
    )


def peak_flops_per_s(trainer: Trainer) -> tuple[float | None, str | None]:
    """Return what Lightning's table says of the device in this precision, or why it doesn't."""
    device = trainer.strategy.root_device
    if device.type == "cpu":
        return None, "Lightning's table of peaks has no processors"
    precision = str(trainer.precision)
    dtype = _DTYPES.get(precision.partition("-")[0])
    if dtype is None:
        return None, f"Lightning's table of peaks has no precision {precision}"
    fabric = "lightning.fabric"
    if package_of(trainer) != "lightning.pytorch":
        fabric = "lightning_fabric"
    try:
        table = importlib.import_module(f"{fabric}.utilities.throughput")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peak = table.get_available_flops(device, dtype)
    except Exception as error:  # noqa: BLE001 - the table parses the names of cards it doesn't know
        let_through(error)
        peak = None
    if not peak:
        return None, "Lightning's table of peaks doesn't have this device in this precision"
    return float(peak), None
