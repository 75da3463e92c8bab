"""How many samples a batch holds: from what knows it for certain, else not at all.

A loader with PyTorch's own batch sampler asks its dataset for a known number of items. Elsewhere
only the make of a batch is at hand, which tells the number where PyTorch's `default_collate` made
it. A batch is looked at only as far as it is made of PyTorch's and Python's own types.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, default_collate

from ocr_baseline.recording.plain_values import plain_int
from ocr_baseline.signal_errors import let_through

SEARCH_DEPTH = 3


class LoaderSamples:
    """What one loader knows of its batches, read as it stores it.

    Attributes:
        batches: How many there are in a pass, None where the sampler's length isn't known.
    """

    def __init__(self, loader: Any, is_changed_by_hooks: bool = False) -> None:
        """Read a loader; `is_changed_by_hooks` says that its batches change before the step."""
        is_torchs = issubclass(type(loader), DataLoader)  # `isinstance` asks for its `__class__`
        stored = vars(loader) if is_torchs else {}
        batch_sampler = stored.get("batch_sampler")
        # Lightning wraps the one of a prediction to see its indices.
        held = getattr(batch_sampler, "__dict__", {})
        batch_sampler = held.get("_batch_sampler", batch_sampler)
        is_batched = batch_sampler is not None or bool(stored.get("batch_size"))
        is_default = stored.get("collate_fn") is default_collate
        self._is_told_by_make = is_batched and is_default and not is_changed_by_hooks
        self.batches: int | None = None
        self._batch_size = 0
        if type(batch_sampler) is BatchSampler:
            self._batch_size = plain_int(batch_sampler.batch_size) or 0
            self._items = _length(batch_sampler.sampler)
            if self._batch_size and self._items is not None:
                rest = 0 if batch_sampler.drop_last else self._items % self._batch_size
                self.batches = self._items // self._batch_size + (rest > 0)

    def asked(self, batch_idx: int | None) -> int | None:
        """Return how many items the sampler asks for, None where that isn't known."""
        if self.batches is None or self._items is None or batch_idx is None:
            return None
        if not 0 <= batch_idx < self.batches:
            return None
        return min(self._batch_size, self._items - batch_idx * self._batch_size)

    def of_batch(self, batch: Any, batch_idx: int | None) -> int | None:
        """Return the samples of a batch of this loader, whose place in the pass may be unknown."""
        if self._is_told_by_make:
            made = _first_dimension(batch, SEARCH_DEPTH)
            if made is not None:
                # More than a batch has: somebody has changed it since the loader made it.
                return None if 0 < self._batch_size < made else made
        asked = self.asked(batch_idx)
        if asked is None:
            return None
        # A collate function or hook of the user's own may drop items, or make several of each;
        # a sampler may give fewer than its length says.
        sizes = _sizes(batch)
        return asked if not sizes or asked in sizes else None


def _length(sampler: Any) -> int | None:
    try:
        with torch._C.DisableTorchFunction():  # as in `_rows`
            return len(sampler)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a sampler of the user's own may raise anything
        let_through(error)
        return None


def _first_dimension(batch: Any, depth: int) -> int | None:
    """Return the first dimension of the first tensor in what `default_collate` made."""
    if type(batch) is torch.Tensor:
        return _rows(batch)
    if depth == 0:
        return None
    if type(batch) is dict:
        batch = list(batch.values())
    if type(batch) not in {list, tuple}:
        return None
    for part in batch:
        size = _first_dimension(part, depth - 1)
        if size is not None:
            return size
    return None


def _sizes(batch: Any) -> set[int]:
    """Return the numbers that a batch could mean, as far as its parts can be seen untouched."""
    if type(batch) is torch.Tensor:
        return _sizes_of_part(batch)
    own = {len(batch)} if type(batch) in {list, tuple} else set()
    return own.union(*(_sizes_of_part(part) for part in _visible_parts(batch)))


def _visible_parts(batch: Any) -> list[Any]:
    """Return what a collection or an object of the user's holds, by no method of its class."""
    kind = type(batch)  # `isinstance` asks an object for its class
    if issubclass(kind, dict):
        return list(dict.values(batch))
    if issubclass(kind, tuple):
        return list(tuple.__iter__(batch))
    if issubclass(kind, list):
        return list(list.__iter__(batch))
    held = _own_attributes(batch)
    inside = [part for one in held if type(one) is dict for part in one.values()]
    return held + inside  # a mapping of the user's own holds its parts in one of Python's


def _own_attributes(value: Any) -> list[Any]:
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return []
    return list(held.values()) if type(held) is dict else []


def _sizes_of_part(part: Any) -> set[int]:
    if type(part) is torch.Tensor:
        rows = _rows(part)
        return set() if rows is None else {rows}
    return {len(part)} if type(part) in {list, tuple} else set()


def _rows(tensor: torch.Tensor) -> int | None:
    """Return a tensor's first dimension; a mode of the user's that sees torch's calls sees none."""
    with torch._C.DisableTorchFunction():
        return tensor.shape[0] if tensor.ndim else None
