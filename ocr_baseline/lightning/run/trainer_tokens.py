"""Which run a trainer is in, where `LightningModule.configure_callbacks` makes callbacks anew."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from ocr_baseline.recording.run_token import RunToken

_of_trainers: WeakKeyDictionary[Trainer, RunToken] = WeakKeyDictionary()


def token_of(trainer: Trainer, own: RunToken) -> RunToken:
    """Return the token of the trainer's run, which is a callback's own where it has none yet."""
    return _of_trainers.setdefault(trainer, own)
