"""A callback that sets a trial's Trainer and its loaders, and keeps the trial's files together."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback
from typing_extensions import override

from ocr_baseline.files import write_text_atomically
from ocr_baseline.lightning.attach.framework import DISTRIBUTIONS, is_a, package_of
from ocr_baseline.lightning.attach.trainer_parts import callbacks_of
from ocr_baseline.unchanged_script.set_loader import Told, set_loader
from ocr_baseline.unchanged_script.settings import TOLD_NAME
from ocr_baseline.unchanged_script.trial_files import keep_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.unchanged_script.settings import Trial

_STAGES = {"train": "train", "sanity_check": "validation", "validate": "validation"}
"""By the values of Lightning's `RunningStage`."""

_LOOPS = ("fit_loop", "evaluation_loop")


class SetTrainer(Callback):
    """Sets what a trial asks for as soon as its Trainer begins, before any loader is read."""

    def __init__(self, trial: Trial) -> None:
        """Nothing is set before a Trainer's `setup`, but for where its loggers write."""
        self._trial = trial
        self._told: dict[str, Told] = {}
        for package in DISTRIBUTIONS:
            connector = _logger_connector(package)
            if connector is not None:
                self._listen_to_loggers(connector)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._keep_together(trainer)
        self._limit(trainer)
        for told in self._set_trainer(trainer):
            self._told[told.what] = told
        for module in _loop_modules(trainer):
            self._listen_to_loaders(trainer, module)
        self._write()

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Limit the epochs from here: the epoch of a checkpoint isn't restored before."""
        most = self._trial.settings.limits.max_epochs
        if most is None:
            return
        last, own = trainer.current_epoch + most, trainer.max_epochs
        trainer.fit_loop.max_epochs = last if own in (None, -1) else min(last, own)

    def _keep_together(self, trainer: Trainer) -> None:
        for told in keep_together(trainer, self._trial.folder):
            self._told[told.what] = told

    def _listen_to_loggers(self, connector: type[Any]) -> None:
        """Move this trainer's loggers as it is made: the script may write to them before `fit`."""
        original: Callable[..., Any] = connector.on_trainer_init

        def made(of: Any, *args: Any, **kwargs: Any) -> None:
            original(of, *args, **kwargs)
            # By identity: a callback of the user's may compare to nothing without an exception.
            if any(one is self for one in callbacks_of(of.trainer)):
                self._keep_together(of.trainer)

        connector.on_trainer_init = made

    def _limit(self, trainer: Any) -> None:
        """Shorten epochs; where the run validated, it comes at the end of each."""
        limits = self._trial.settings.limits
        if limits.max_epochs is not None and limits.validation_batches is not None:
            trainer.check_val_every_n_epoch = 1
            trainer.val_check_interval = 1.0
        if limits.train_batches is not None and trainer.limit_train_batches != 0:
            trainer.limit_train_batches = limits.train_batches
        # A run that was ended before it validated, or that tests later, says no length for these.
        most = limits.validation_batches or limits.train_batches
        if most is not None:
            for name in ("limit_val_batches", "limit_test_batches", "limit_predict_batches"):
                own = getattr(trainer, name)
                if own != 0:
                    setattr(trainer, name, min(own, most) if isinstance(own, int) else most)

    def _set_trainer(self, trainer: Any) -> Iterator[Told]:
        asked = self._trial.settings.trainer
        if asked.torch_threads is not None:
            before = torch.get_num_threads()
            torch.set_num_threads(asked.torch_threads)
            after = torch.get_num_threads()
            yield Told(what="trainer.torch_threads", before=before, after=after)
        if asked.logging_interval_times is not None:
            before = trainer.log_every_n_steps
            trainer.log_every_n_steps = before * asked.logging_interval_times
            yield Told(
                what="trainer.logging_interval_times",
                before=before,
                after=trainer.log_every_n_steps,
            )
        if asked.checkpoint_interval_times is not None:
            yield _set_checkpoints(trainer, asked.checkpoint_interval_times)

    def _listen_to_loaders(self, trainer: Trainer, module: ModuleType) -> None:
        """Set each loader of this trainer as its loop takes it over from the user's code."""
        original: Callable[..., Any] = module._process_dataloader

        def processed(of: Any, function: Any, stage: Any, loader: object) -> object:
            found = original(of, function, stage, loader)
            if of is trainer:
                self._set_loader(_STAGES.get(stage.value), found)
            return found

        module._process_dataloader = processed  # type: ignore[attr-defined]  # see above

    def _set_loader(self, stage: str | None, loader: object) -> None:
        if stage is None:
            return
        for told in set_loader(loader, stage, getattr(self._trial.settings, stage)):
            before = self._told.get(told.what)
            # Where a stage has several loaders, the one that couldn't be set is what counts.
            if before is None or before.why_not is None:
                self._told[told.what] = told
        self._write()

    def _write(self) -> None:
        text = json.dumps([asdict(told) for told in self._told.values()], default=str)
        write_text_atomically(self._trial.folder / TOLD_NAME, text)


def _logger_connector(package: str) -> type[Any] | None:
    """Return what gives a Trainer its loggers, None where a version has it otherwise."""
    module = sys.modules.get(f"{package}.trainer.connectors.logger_connector.logger_connector")
    found = getattr(module, "_LoggerConnector", None)
    return found if hasattr(found, "on_trainer_init") else None


def _loop_modules(trainer: Trainer) -> Iterator[ModuleType]:
    """Yield the modules of the loops that train and validate, which take loaders over."""
    package = package_of(trainer)
    for name in _LOOPS:
        module = sys.modules.get(f"{package}.loops.{name}")
        if hasattr(module, "_process_dataloader"):
            yield module  # type: ignore[misc]  # what has the attribute isn't None


def _set_checkpoints(trainer: Trainer, times: int) -> Told:
    """Make the interval of each ModelCheckpoint so many times as long."""
    what = "trainer.checkpoint_interval_times"
    found = [
        (name, getattr(callback, f"_{name}"), callback)
        for callback in callbacks_of(trainer)
        if is_a(callback, trainer, "callbacks", "ModelCheckpoint")
        for name in ("every_n_train_steps", "every_n_epochs")
        if (getattr(callback, f"_{name}", 0) or 0) >= 1
    ]
    if not found:
        return Told(what=what, why_not="no ModelCheckpoint has an interval of steps or epochs")
    for name, before, callback in found:
        setattr(callback, f"_{name}", before * times)
    return Told(
        what=what,
        before={name: before for name, before, _ in found},
        after={name: before * times for name, before, _ in found},
    )
