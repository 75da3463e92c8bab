"""One output folder for all ranks, agreed on without a collective call.

Each rank may have named its own after its start time. A collective call would hang a training
whose ranks don't all have the callback, so rank 0 leaves its folder in the store through which the
ranks found each other, and the others look there.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import distributed

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

PATIENCE = timedelta(seconds=30)
"""The ranks leave a barrier of Lightning's just before; a datamodule may prepare in between."""

_numbers = itertools.count()
"""Of the calls in this process: as many on each rank that has the callback."""


def shared_folder(trainer: Trainer, folder: Path, patience: timedelta = PATIENCE) -> Path:
    """Return rank 0's folder on every rank.

    Raises:
        TimeoutError: Rank 0 named none in time, as where it is without the callback.
    """
    if trainer.world_size == 1:
        return folder
    named = str(folder.absolute())
    store = _store()
    if store is None:
        return Path(trainer.strategy.broadcast(named))
    key = f"ocr-baseline/folder/{next(_numbers)}"
    if trainer.global_rank == 0:
        store.set(key, named)
        return Path(named)
    try:
        store.wait([key], patience)
    except RuntimeError as error:
        raise TimeoutError(
            f"rank 0 named no folder within {patience.total_seconds():.0f} s; every rank needs "
            "the callback"
        ) from error
    return Path(store.get(key).decode())


def _store() -> Any:
    """Return the store of torch's process group, None where a strategy has none."""
    with suppress(Exception):  # not built, not begun, or a torch that names it otherwise
        return distributed.distributed_c10d._get_default_store()
    return None
