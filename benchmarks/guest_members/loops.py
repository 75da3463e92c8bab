"""Loops of the same trainer, and how they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.tuner.tuning import Tuner

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCHES, Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


class Searched(Net):
    """Has a learning rate and a batch size that can be searched for."""

    def __init__(self) -> None:
        super().__init__()
        self.lr = 0.1
        self.batch_size = 4

    def train_dataloader(self) -> Any:
        """Return a loader of the batch size."""
        return loader(batch_size=self.batch_size)

    val_dataloader = train_dataloader


class AtEpoch(LearningRateFinder):
    """Searches at the start of an epoch, as Lightning's documentation shows it."""

    def __init__(self, epoch: int) -> None:
        super().__init__(num_training_steps=5)
        self.epoch = epoch

    def on_fit_start(self, *args: Any) -> None:
        """Not here."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Here, once."""
        if trainer.current_epoch == self.epoch:
            self.epoch = -1
            self.lr_find(trainer, pl_module)


def _searched(guest: Guest, *callbacks: Callback, **arguments: Any) -> None:
    trainer = guest.trainer(*callbacks, **arguments)
    trainer.fit(guest.kept(Searched()))


@member
def rate_search_at_first_epoch(guest: Guest) -> None:
    """A learning-rate search at the start of the first epoch."""
    _searched(guest, AtEpoch(0), max_epochs=3)
    guest.true("train.epochs", 3)


@member
def rate_search_at_third_epoch(guest: Guest) -> None:
    """A learning-rate search at the start of the third epoch."""
    _searched(guest, AtEpoch(2), max_epochs=4)
    guest.true("train.epochs", 4)


@member
def rate_search_twice(guest: Guest) -> None:
    """Two searches at the start of two epochs."""
    _searched(guest, AtEpoch(1), AtEpoch(2), max_epochs=4)


@member
def rate_search_as_documented(guest: Guest) -> None:
    """LearningRateFinder as a callback, in on_fit_start."""
    _searched(guest, LearningRateFinder(num_training_steps=5))


@member
def size_search_in_fit(guest: Guest) -> None:
    """BatchSizeFinder as a callback of a fit."""
    _searched(guest, BatchSizeFinder(max_trials=2, init_val=2))


@member
def size_search_in_validation(guest: Guest) -> None:
    """BatchSizeFinder in trainer.validate: one epoch."""
    trainer = guest.trainer(BatchSizeFinder(max_trials=2, init_val=2))
    trainer.validate(guest.kept(Searched()), verbose=False)
    guest.true("validation.epochs", 1)


@member
def tuner_then_fit(guest: Guest) -> None:
    """Tuner searches the rate and the batch size before the fit."""
    trainer = guest.trainer()
    module = guest.kept(Searched())
    Tuner(trainer).lr_find(module, num_training=5)
    Tuner(trainer).scale_batch_size(module, max_trials=2, init_val=2)
    trainer.fit(module)


@member
def search_that_raises(guest: Guest) -> None:
    """The step raises inside a learning-rate search; the training ends with its exception."""

    class Raises(Searched):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if self.trainer.global_step == 2:
                raise ZeroDivisionError("in a trial")
            return super().training_step(batch, batch_idx)

    guest.trainer(AtEpoch(0)).fit(guest.kept(Raises()))


@member
def validation_by_a_callback(guest: Guest) -> None:
    """A callback runs the validation loop at the start of an epoch."""

    class Validates(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.validating = True
            trainer.fit_loop.epoch_loop.val_loop.run()
            trainer.training = True

    guest.fit(None, None, loader(8), Validates())


@member
def validate_inside_fit(guest: Guest) -> None:
    """A callback calls the same trainer's validate, at which Lightning itself may raise."""

    class Validates(Callback):
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.validate(pl_module, loader(8), verbose=False)

    guest.fit(None, None, None, Validates())


@member
def fit_twice(guest: Guest) -> None:
    """The same trainer fits again, for more epochs."""
    trainer = guest.trainer(max_epochs=1)
    module = guest.kept(Net())
    trainer.fit(module, loader())
    trainer.fit_loop.max_epochs = 3
    trainer.fit(module, loader())
    guest.true("train.epochs", 3)


@member
def all_entries(guest: Guest) -> None:
    """validate, fit, test and predict of one trainer."""
    trainer = guest.trainer()
    module = guest.kept(Net())
    trainer.validate(module, loader(8), verbose=False)
    trainer.fit(module, loader(), loader(8))
    trainer.test(module, loader(12), verbose=False)
    trainer.predict(module, loader(20))


@member
def fit_after_a_failure(guest: Guest) -> None:
    """A fit fails, and the same trainer fits again."""

    class FailsOnce(Net):
        failed = False

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 2 and not self.failed:
                self.failed = True
                raise ZeroDivisionError("once")
            return super().training_step(batch, batch_idx)

    trainer = guest.trainer()
    module = guest.kept(FailsOnce())
    try:
        trainer.fit(module, loader())
    except ZeroDivisionError as error:
        guest.tell(error=error)
    try:
        trainer.fit(module, loader())
    except Exception as error:  # noqa: BLE001 - told, and compared
        guest.tell(again=type(error))
    guest.true("train.batches", (2, 2 + 2 * BATCHES))


@member
def sanity_check(guest: Guest) -> None:
    """A sanity check before the training is no validation."""
    guest.fit(validation=loader(8), num_sanity_val_steps=2)


@member
def stopped_in_an_epoch(guest: Guest) -> None:
    """A callback stops the training after the second batch."""

    class Stops(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            trainer.should_stop = trainer.global_step == 2

    guest.fit(None, None, loader(8), Stops(), min_epochs=0)


@member
def skipped_epoch(guest: Guest) -> None:
    """on_train_batch_start returns -1 in the second epoch."""

    class Skips(Net):
        def on_train_batch_start(self, batch: Any, batch_idx: int) -> Any:
            return -1 if self.current_epoch == 1 and batch_idx == 1 else None

    guest.fit(Skips(), max_epochs=3)


@member
def limited_steps(guest: Guest) -> None:
    """max_steps ends the training inside an epoch."""
    guest.fit(validation=loader(8), max_steps=6, max_epochs=-1)


@member
def validation_in_the_epoch(guest: Guest) -> None:
    """A validation after every second batch."""
    guest.fit(validation=loader(8), val_check_interval=2)


@member
def validation_at_times(guest: Guest) -> None:
    """A validation every third epoch, then fast_dev_run."""
    guest.fit(validation=loader(8), check_val_every_n_epoch=3, max_epochs=4)
    guest.fit(validation=loader(8), fast_dev_run=2)


@member
def nothing_to_train(guest: Guest) -> None:
    """No epoch, and no batch."""
    guest.fit(max_epochs=0)
    guest.fit(limit_train_batches=0)


@member
def accumulated(guest: Guest) -> None:
    """Gradients of three batches, and a clip."""
    guest.fit(accumulate_grad_batches=3, gradient_clip_val=0.1)


@member
def manual(guest: Guest) -> None:
    """Manual optimization with two optimizers."""

    class Manual(Net):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False

        def training_step(self, batch: Any, batch_idx: int) -> None:
            for optimizer in self.optimizers():  # type: ignore[union-attr]  # two of them
                optimizer.zero_grad()
                self.manual_backward(self.loss_of(batch))
                optimizer.step()

        def configure_optimizers(self) -> Any:
            return [torch.optim.SGD(self.parameters(), lr=0.05) for _ in range(2)]

    guest.fit(Manual())


@member
def closure_of_a_manual_step(guest: Guest) -> None:
    """Manual optimization gives its step to the optimizer as a closure, which takes 0.2 s."""

    class Closes(Net):
        automatic_optimization = False

        def training_step(self, batch: Any, batch_idx: int) -> None:
            def closure() -> None:
                time.sleep(0.05)
                self.manual_backward(self.loss_of(batch))

            self.optimizers().step(closure=closure)  # type: ignore[union-attr]  # it is one

    guest.true("train.forward_s", (0.2, 0.4))
    guest.fit(Closes(), max_epochs=1)


@member
def closure_runs_twice(guest: Guest) -> None:
    """LBFGS calls the step several times a batch."""

    class Closes(Net):
        def configure_optimizers(self) -> Any:
            return torch.optim.LBFGS(self.parameters(), max_iter=3)

    guest.fit(Closes())


@member
def batches_by_iterator(guest: Guest) -> None:
    """A step that takes `dataloader_iter` fetches its batches itself."""

    class Fetches(Net):
        def training_step(self, dataloader_iter: Any) -> Any:  # type: ignore[override]  # another form
            batch, _, _ = next(dataloader_iter)
            return self.loss_of(batch)

    guest.fit(Fetches())


@member
def barebones(guest: Guest) -> None:
    """A trainer in its barebones mode."""
    trainer = guest.trainer(
        barebones=True,
        logger=None,
        enable_checkpointing=None,
        enable_progress_bar=None,
        enable_model_summary=None,
        num_sanity_val_steps=None,
        log_every_n_steps=None,
    )

    class Silent(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.loss_of(batch)

    trainer.fit(guest.kept(Silent()), loader())
