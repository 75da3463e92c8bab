"""One output folder and one token for all ranks, agreed on without a collective call.

Each rank may have named its own folder after its start time, and made a token of its own. A
collective call would hang a training whose ranks don't all have the callback, so rank 0 leaves its
word in the store through which the ranks found each other, and the others look there.
"""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import distributed

from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from ocr_baseline.recording.run_token import RunToken

PATIENCE = timedelta(seconds=30)
"""The ranks leave a barrier of Lightning's just before; a datamodule may prepare in between."""

_numbers = itertools.count()
"""Of the calls in this process: as many on each rank that has the callback."""


def agreed(
    trainer: Trainer, folder: Path, token: RunToken, patience: timedelta = PATIENCE
) -> tuple[Path, RunToken]:
    """Return rank 0's folder and token on every rank.

    Raises:
        TimeoutError: Rank 0 left none in time, as where it is without the callback.
    """
    if trainer.world_size == 1:
        return folder, token
    own = (str(folder.absolute()), token.name)
    store = _store()
    if store is None:
        place, name = trainer.strategy.broadcast(own)
    else:
        place, name = _left_by_rank_0(store, trainer.global_rank, own, patience)
    return Path(place), token.named(name)


def _left_by_rank_0(
    store: Any, rank: int, own: tuple[str, str], patience: timedelta
) -> tuple[str, str]:
    key = f"ocr-baseline/{next(_numbers)}"
    if rank == 0:
        store.set(key, json.dumps(own))
        return own
    try:
        store.wait([key], patience)
    except RuntimeError as error:
        raise TimeoutError(
            f"rank 0 named no folder within {patience.total_seconds():.0f} s: every rank needs "
            "the callback"
        ) from error
    place, name = json.loads(store.get(key))
    return place, name


def _store() -> Any:
    """Return the store of torch's process group, None where a strategy has none."""
    with suppress_failures():  # not built, not begun, or a torch that names it otherwise
        return distributed.distributed_c10d._get_default_store()
    return None
