"""How many samples a batch of unknown make holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

SEARCH_DEPTH = 3


def batch_size_of(batch: Any) -> int | None:
    """Return the first dimension of the first tensor in a batch, None where there is none.

    A batch of the user's own kind may raise anything when it is looked into: that is None too.
    """
    try:
        return _first_dimension(batch, SEARCH_DEPTH)
    except Exception:  # noqa: BLE001 - a batch of the user's own kind may raise anything
        return None


def _first_dimension(batch: Any, depth: int) -> int | None:
    if isinstance(batch, torch.Tensor):
        return batch.shape[0] if batch.ndim else None
    if depth == 0:
        return None
    if isinstance(batch, dict | Mapping):  # `dict` first: asking an abstract class is slow
        batch = batch.values()
    elif not isinstance(batch, list | tuple):
        return None
    for item in batch:
        size = _first_dimension(item, depth - 1)
        if size is not None:
            return size
    return None
