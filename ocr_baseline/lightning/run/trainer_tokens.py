"""Which run a trainer is in, where `LightningModule.configure_callbacks` makes callbacks anew."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ocr_baseline.recording.run_token import RunToken

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

_of_trainers: WeakKeyDictionary[Trainer, tuple[int, RunToken]] = WeakKeyDictionary()
"""With the process that recorded the run. What a child forked from it does is a run of its own."""

_MARK = "_ocr_baseline_run"
"""Of a trainer's state: the run's name, and the process that starts one for each stage."""


def token_of(trainer: Trainer, own: RunToken) -> RunToken:
    """Return the token of the trainer's run, which is a callback's own where it has none yet."""
    process, token = _of_trainers.get(trainer, (None, own))
    if process == os.getpid():
        return token
    token = _handed_on(trainer, own) if process is None else RunToken()
    _of_trainers[trainer] = os.getpid(), token
    return token


def _handed_on(trainer: Trainer, own: RunToken) -> RunToken:
    """Return the token of the stage before, which ran in a process of its own, else `own`.

    Of what a stage does in such a process, the trainer that starts the next one gets only the
    results, the weights and the state: the name of the run travels with the state.
    """
    if multiprocessing.parent_process() is None:
        return own
    name, starter = vars(trainer.state).get(_MARK, (own.name, None))
    token = own.named(name) if starter == os.getppid() else own
    vars(trainer.state)[_MARK] = (token.name, os.getppid())
    return token
