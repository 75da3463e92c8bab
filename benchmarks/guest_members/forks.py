"""Children that are forked as a run goes or after it, and train too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback, Trainer

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCHES, Net, loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.guest_members.session import Guest

member = Members()
RIGHT = 7


class Forks(Callback):
    """Forks once, after the second batch; a child that is given something to do ends with it."""

    def __init__(self, in_child: Callable[[Trainer], bool] | None = None) -> None:
        self.child: int | None = None
        self._in_child = in_child

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Fork."""
        if trainer.global_step != 2:
            return
        self.child = os.fork()
        if self.child == 0 and self._in_child is not None:
            leave(lambda: self._in_child is not None and self._in_child(trainer))

    def status(self) -> int:
        """Wait for the child and return its exit status."""
        return status_of(self.child or 0)


def status_of(child: int) -> int:
    """Wait for a child and return its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def leave(act: Callable[[], bool]) -> None:
    """Do the last thing in a child, and end it as it came out."""
    status = 1
    try:
        status = RIGHT if act() else 2
    finally:
        os._exit(status)


@member
def fits_with_the_same_callbacks(guest: Guest) -> None:
    """The child fits with our callbacks, in another trainer of the same folder."""

    def fit(trainer: Trainer) -> bool:
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared nowhere
        own = [one for one in callbacks if getattr(one, "measures_the_run", False)]
        other = Trainer(
            max_epochs=1,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=trainer.default_root_dir,
            callbacks=own,
        )
        other.fit(Net(), loader())
        return other.global_step == BATCHES

    forks = Forks(fit)
    guest.fit(Net(), loader(), loader(), forks)
    guest.tell(child=forks.status())


@member
def fits_with_the_same_trainer(guest: Guest) -> None:
    """The child goes on with its parent's training, and then fits with the trainer again."""
    forks = Forks()
    module = Net()
    trainer = guest.fit(module, loader(), loader(), forks)
    if forks.child == 0:

        def again() -> bool:
            trainer.fit_loop.max_epochs = 3
            trainer.fit(module, loader())
            return trainer.global_step == 3 * BATCHES

        leave(again)
    guest.tell(child=forks.status())


@member
def goes_on(guest: Guest) -> None:
    """The child goes on with its parent's training, for thousands of batches."""
    forks = Forks()
    trainer = guest.fit(Net(), loader(4 * 2200), None, forks, max_epochs=1)
    if forks.child == 0:
        leave(lambda: trainer.global_step == 2200)
    guest.tell(child=forks.status())


@member
def fits_after_the_run(guest: Guest) -> None:
    """A child that is forked once the run has ended goes on with its trainer and callbacks."""
    module = Net()
    trainer = guest.fit(module, loader())
    guest.true("train.batches", BATCHES)  # of the child's run, whose report is the last
    child = os.fork()
    if child == 0:

        def again() -> bool:
            trainer.fit_loop.max_epochs = 3
            trainer.fit(module, loader())
            return trainer.global_step == 3 * BATCHES

        leave(again)
    guest.tell(child=status_of(child))
