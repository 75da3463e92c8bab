"""Checkpoints with us load without us, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint, OnExceptionCheckpoint

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net, loader

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.guest_members.session import Guest

member = Members()


def _trained(guest: Guest, ours: list[Callback] | None = None, **arguments: Any) -> Path:
    """Train two epochs and return the last checkpoint."""
    keeps = ModelCheckpoint(guest.folder / "ck", save_last=True)
    guest.fit(
        Net(rate=0.5), None, loader(8), keeps, ours=ours, enable_checkpointing=True, **arguments
    )
    return guest.folder / "ck" / "last.ckpt"


@member
def same_contents(guest: Guest) -> None:
    """A checkpoint has the same entries, callbacks and weights, and nothing of ours."""
    stored = torch.load(_trained(guest), weights_only=False)
    guest.tell(
        entries=sorted(stored),
        callbacks=[key.split("{")[0] for key in stored["callbacks"]],
        weights=[float(value.sum()) for value in stored["state_dict"].values()],
        ours="ocr_baseline" in str(stored),
    )


@member
def weights_only(guest: Guest) -> None:
    """A checkpoint loads with weights_only."""
    guest.tell(entries=sorted(torch.load(_trained(guest), weights_only=True)))


def _resume(guest: Guest, path: Path, ours: list[Callback] | None) -> None:
    trainer = guest.trainer(max_epochs=4, ours=ours)
    trainer.fit(guest.kept(Net(rate=0.5)), loader(), loader(8), ckpt_path=path, weights_only=False)
    guest.tell(step=trainer.global_step)


@member
def resumed_without(guest: Guest) -> None:
    """A training with us is resumed without us."""
    _resume(guest, _trained(guest), ours=[])


@member
def resumed_with(guest: Guest) -> None:
    """A training without us is resumed with us."""
    _resume(guest, _trained(guest, ours=[]), ours=None)
    guest.true("train.epochs", 2, run=1)


@member
def resumed_with_both(guest: Guest) -> None:
    """A training with us is resumed with us, into the folder of the first."""
    out = guest.folder / "out"
    path = _trained(guest, output_dir=out)
    trainer = guest.trainer(max_epochs=4, output_dir=out)
    trainer.fit(guest.kept(Net(rate=0.5)), loader(), loader(8), ckpt_path=path, weights_only=False)
    guest.reports.pop(0, None)  # the second run's report is in its place


@member
def loaded_from(guest: Guest) -> None:
    """load_from_checkpoint gives the module and its hyperparameters."""
    module = guest.kept(Net.load_from_checkpoint(_trained(guest), weights_only=False))
    guest.tell(rate=module.hparams["rate"])


@member
def saved_in_a_hook(guest: Guest) -> None:
    """A hook saves a checkpoint by the trainer's own method after each batch."""

    class Saves(Callback):
        def on_train_batch_end(self, trainer: Any, *args: Any) -> None:
            trainer.save_checkpoint(guest.folder / f"{trainer.global_step}.ckpt")

    guest.fit(None, None, None, Saves())
    guest.tell(files=len(list(guest.folder.glob("*.ckpt"))))


@member
def saved_at_an_exception(guest: Guest) -> None:
    """OnExceptionCheckpoint saves what an exception ends."""

    class Raises(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 2:
                raise ZeroDivisionError
            return super().training_step(batch, batch_idx)

    try:
        guest.fit(
            Raises(), None, None, OnExceptionCheckpoint(guest.folder), enable_checkpointing=True
        )
    except ZeroDivisionError:
        guest.tell(files=[path.name for path in guest.folder.glob("*.ckpt")])


@member
def whole_module_saved(guest: Guest) -> None:
    """torch.save of a state in a hook, and the same bytes."""
    import io

    class Saves(Net):
        def on_train_epoch_end(self) -> None:
            buffer = io.BytesIO()
            torch.save(self.layer, buffer)
            guest.tell(size=len(buffer.getvalue()))

    guest.fit(Saves())


@member
def saving_raises(guest: Guest) -> None:
    """A callback raises while a checkpoint is saved."""

    class Raises(Callback):
        def on_save_checkpoint(self, *args: Any) -> None:
            raise OSError("no space")

    guest.fit(
        None, None, None, Raises(), ModelCheckpoint(guest.folder / "ck"), enable_checkpointing=True
    )
