"""All that one run has put in place in the framework, and what listens there."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.accounting import Accounting
from ocr_baseline.lightning.attach.action_lines import callback_lines
from ocr_baseline.lightning.attach.empty_hooks import EmptyHooks
from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.lightning.attach.framework_timing import FrameworkTiming
from ocr_baseline.lightning.attach.loader_starts import LoaderStarts
from ocr_baseline.lightning.attach.patches import Patches, handed_to_listener
from ocr_baseline.lightning.attach.profiler_actions import ProfilerListener
from ocr_baseline.lightning.attach.samples import SampleCounts, counts_of
from ocr_baseline.lightning.attach.trainer_parts import (
    callbacks_of,
    has_plain_profiler,
    is_module_of,
    keep_sampling_out_of_saved_handlers,
    profiler_of,
    running_stage,
)
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.recording.plain_values import plain_int
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import Callback

    from ocr_baseline.lightning.attach.batch_probes import BatchProbes
    from ocr_baseline.measure.batches import EpochRow, StageState
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Stage


class Attachment:
    """Listens to one trainer's run, from its `setup` to its end, in this process."""

    def __init__(
        self,
        trainer: Trainer,
        callback: Callback,
        recorder: Recorder,
        operations: Sequence[str],
        *,
        failed: Callable[[Exception], None],
        probes: BatchProbes | None = None,
    ) -> None:
        """Resolve the operations; nothing is in place before `apply`.

        Raises:
            OperationError: When an operation's name leads nowhere.
        """
        self.trainer = trainer
        self.probes = probes
        self._callback = callback
        self._recorder = recorder
        self._failed = failed
        self._timing = FrameworkTiming(recorder, operations)
        self._patches = Patches()
        self._listener: ProfilerListener | None = None
        self._counts: SampleCounts | None = None
        self._counts_pass: tuple[Stage, int | None] | None = None
        self._asks_log = False
        self._pid = os.getpid()

    @property
    def is_of_this_process(self) -> bool:
        """False in a process that was forked from the run's: nothing there is this run's."""
        return os.getpid() == self._pid

    def apply(
        self,
        *,
        on_epoch_closed: Callable[[Stage, EpochRow], None],
        on_exception: Callable[[BaseException], None],
        on_end: Callable[[], None],
    ) -> None:
        """Put everything in place.

        Args:
            on_epoch_closed: Called with each epoch that ends.
            on_exception: Called with an exception of which the callback isn't told otherwise.
            on_end: Called when the trainer's run is over and the callback isn't in its list.
        """
        trainer, recorder = self.trainer, self._recorder
        recorder.timeline.on_failure = self._failed
        starts = LoaderStarts(trainer, recorder, is_aside=self._is_aside, failed=self._failed)
        self.accounting = Accounting(
            recorder,
            callback_lines=callback_lines(callbacks_of(trainer)),
            does_nothing=EmptyHooks(trainer).holds,
            running_stage=lambda: running_stage(trainer),
            is_aside=self._is_aside,
            current_epoch=lambda: trainer.current_epoch,
            on_epoch_closed=on_epoch_closed,
            on_exception=on_exception,
            loader_startup=starts.of_hook(),
            failed=self._failed,
        )
        self._timing.apply(trainer, starts)
        self._listener = ProfilerListener(self.accounting, self._failed)
        self.follow_profiler()
        self._watch_strategy(on_exception, on_end)
        if self.probes is not None:
            self.probes.listen(self._patches)

    def follow_profiler(self) -> None:
        """Listen to the trainer's profiler as it is now: the user may have put another there."""
        profiler, listener = profiler_of(self.trainer), self._listener
        if listener is None or listener.profiler_id == id(profiler):
            return
        listener.listen_to(profiler, is_alone=has_plain_profiler(self.trainer))
        listener.attach(type(profiler), self._patches)

    @unchanged_random_state()
    def time_metrics(self, module: LightningModule) -> None:
        """Time the metrics that the module has by now."""
        self._timing.time_metrics(module)

    # -- as the run goes -------------------------------------------------------------------

    def loop_began(self, stage: Stage, module: LightningModule) -> None:
        """The callback's own hook says that a loop of its trainer begins."""
        self.follow_profiler()
        self.accounting.loop_began(stage)
        # Metrics may be made as late as here; the ones that are timed already are passed over.
        self.time_metrics(module)

    def begin_batch(self, batch: Any, batch_idx: int, dataloader_idx: int) -> StageState | None:
        """A batch goes to its step; return its stage's accounts, None where it isn't this run's."""
        self.follow_profiler()
        if not self.accounting.takes_batches():
            return None
        samples = self.samples_of(batch, batch_idx, dataloader_idx)
        self._recorder.begin_batch(batch_idx, dataloader_idx, samples)
        if self.probes is not None:
            self.probes.begin_batch(self._recorder.stages.current, batch_idx)
        return self._recorder.stages.current

    def note_empty_batch(self, batch_idx: int) -> None:
        """A batch that is None has gone by without a step."""
        if self.accounting.takes_batches():
            self._recorder.begin_batch(batch_idx, dataloader_idx=0, samples=0)
            self._recorder.finish_batch()

    def samples_of(self, batch: Any, batch_idx: int, dataloader_idx: int) -> int | None:
        """Return the samples of a batch that its loop hands to the step, None where unknown."""
        samples = None
        try:
            samples = self._counted(batch, batch_idx, dataloader_idx)
        except Exception as error:  # noqa: BLE001 - loaders are the user's and may raise anything
            let_through(error)
        if samples is None and not self._asks_log:
            self._asks_log = True
            self._listen_to_logged_sizes()
        return samples

    def _counted(self, batch: Any, batch_idx: int, dataloader_idx: int) -> int | None:
        state = self._recorder.stages.current
        if self._counts is None or self._counts_pass != (state.stage, state.epoch_start_ns):
            self._counts_pass = (state.stage, state.epoch_start_ns)
            module = self.trainer.lightning_module
            with unchanged_random_state():  # a sampler's length may draw
                self._counts = counts_of(self.trainer, module, state.stage)
        return self._counts.of_batch(batch, batch_idx, dataloader_idx)

    def _listen_to_logged_sizes(self) -> None:
        """Take the `batch_size` that a step gives to `self.log`, where nothing else knows it."""

        def told(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            try:
                if args and is_module_of(self.trainer, args[0]):
                    self._take_logged_size(kwargs.get("batch_size"))
            except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
                self._failed(error)
            return original(*args, **kwargs)

        owner = class_of(self.trainer, "core.module", "LightningModule")
        if owner is not None:
            with suppress(TypeError):  # a module that can't be watched: samples aren't measured
                self._patches.listen(owner, "log", told, handed_to_listener)

    def _take_logged_size(self, batch_size: Any) -> None:
        state = self._recorder.stages.current
        if state.samples is None and state.has_started_batch:
            state.samples = plain_int(batch_size)

    def stop_probes(self) -> None:
        """Look into no batch any more; harmless when repeated."""
        if self.probes is not None:
            self.probes.stop()

    def undo(self) -> None:
        """Take everything back; harmless when repeated."""
        try:
            self.stop_probes()
            if self._listener is not None:
                self._listener.let_go()
            self._patches.undo()
        finally:
            self._timing.undo()
            keep_sampling_out_of_saved_handlers(self.trainer)

    def _is_aside(self) -> bool:
        """Whether a tuner has put the callback aside for its trials."""
        # By identity: a callback of the user's may compare to nothing without an exception.
        return not any(one is self._callback for one in callbacks_of(self.trainer))

    def _watch_strategy(
        self, on_exception: Callable[[BaseException], None], on_end: Callable[[], None]
    ) -> None:
        """Learn how a run ends while the callback is out of the trainer's list.

        A tuner puts it aside for its trials, which may raise; another callback may take it out.
        """
        strategy = self.trainer.strategy

        def raised(original: Callable[..., Any], called: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                if called is strategy and args:
                    on_exception(args[0])
            except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
                self._failed(error)
            return original(called, *args, **kwargs)

        def ended(original: Callable[..., Any], called: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                if called is strategy and self._is_aside():
                    on_end()
            except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
                self._failed(error)
            return original(called, *args, **kwargs)

        for name, listener in (("on_exception", raised), ("teardown", ended)):
            with suppress(TypeError):  # a strategy that can't be watched: the next run cleans up
                self._patches.listen(type(strategy), name, listener, handed_to_listener)
