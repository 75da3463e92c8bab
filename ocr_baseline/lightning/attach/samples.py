"""How many samples a batch holds: from what knows it for certain, else not at all.

A loader with PyTorch's own batch sampler asks its dataset for a known number of items. Elsewhere
only the make of a batch is at hand, which tells the number where PyTorch's `default_collate` made
it. A batch is looked at only as far as it is made of PyTorch's and Python's own types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import BatchSampler, DataLoader, default_collate

from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.recording.plain_values import plain_int
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

SEARCH_DEPTH = 3
_CHANGING_HOOKS = ("on_before_batch_transfer", "on_after_batch_transfer")


class SampleCounts:
    """The sample counts of one pass over a stage's loaders."""

    def __init__(self, combined: Any, *, is_changed_by_hooks: bool) -> None:
        """Read the loop's CombinedLoader, None where there is none.

        `is_changed_by_hooks` says that the module or its datamodule changes batches before the
        step: their make tells nothing then.
        """
        loaders = getattr(combined, "flattened", ())
        self._mode = getattr(combined, "_mode", "")
        self._loaders = [_Loader(loader, is_changed_by_hooks) for loader in loaders]

    def of_batch(self, batch: Any, batch_idx: int, dataloader_idx: int) -> int | None:
        """Return the samples of a batch, None where nothing knows."""
        if self._mode == "sequential":
            if not 0 <= dataloader_idx < len(self._loaders):
                return None
            return self._loaders[dataloader_idx].of_batch(batch, batch_idx)
        if len(self._loaders) == 1:
            return self._loaders[0].of_batch(batch, batch_idx)
        counts = [self._part(loader, batch_idx) for loader in self._loaders]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    def _part(self, loader: _Loader, batch_idx: int) -> int | None:
        """Return what one of several loaders adds to a batch; one that has ended adds nothing."""
        if loader.batches and batch_idx >= loader.batches:
            if self._mode != "max_size_cycle":
                return 0
            batch_idx %= loader.batches
        return loader.asked(batch_idx)


class _Loader:
    """What one loader knows of its batches, read as it stores it.

    Attributes:
        batches: How many there are in a pass, None where the sampler's length isn't known.
    """

    def __init__(self, loader: Any, is_changed_by_hooks: bool) -> None:
        stored = vars(loader) if isinstance(loader, DataLoader) else {}
        batch_sampler = stored.get("batch_sampler")
        # Lightning wraps the one of a prediction to see its indices.
        held = getattr(batch_sampler, "__dict__", {})
        batch_sampler = held.get("_batch_sampler", batch_sampler)
        is_batched = batch_sampler is not None or bool(stored.get("batch_size"))
        is_default = stored.get("collate_fn") is default_collate
        self._is_told_by_make = is_batched and is_default and not is_changed_by_hooks
        self._has_own_make = not is_default or is_changed_by_hooks
        self.batches: int | None = None
        if type(batch_sampler) is BatchSampler:
            self._batch_size = plain_int(batch_sampler.batch_size) or 0
            self._items = _length(batch_sampler.sampler)
            if self._batch_size and self._items is not None:
                rest = 0 if batch_sampler.drop_last else self._items % self._batch_size
                self.batches = self._items // self._batch_size + (rest > 0)

    def asked(self, batch_idx: int) -> int | None:
        """Return how many items the sampler asks for, None where that isn't known."""
        if self.batches is None or self._items is None or not 0 <= batch_idx < self.batches:
            return None
        return min(self._batch_size, self._items - batch_idx * self._batch_size)

    def of_batch(self, batch: Any, batch_idx: int) -> int | None:
        """Return the samples of a batch of this loader."""
        if self._is_told_by_make:
            made = _first_dimension(batch, SEARCH_DEPTH)
            if made is not None:
                return made
        asked = self.asked(batch_idx)
        if asked is None or not self._has_own_make:
            return asked
        # A collate function or hook of the user's own may drop items, or make several of each.
        sizes = _sizes(batch)
        return asked if not sizes or asked in sizes else None


def _length(sampler: Any) -> int | None:
    try:
        return len(sampler)
    except Exception:  # noqa: BLE001 - a sampler of the user's own may raise anything
        return None


def _first_dimension(batch: Any, depth: int) -> int | None:
    """Return the first dimension of the first tensor in what `default_collate` made."""
    if type(batch) is torch.Tensor:
        return batch.shape[0] if batch.ndim else None
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
    """Return the numbers that a batch of plain parts could mean; none for any other batch."""
    if type(batch) is torch.Tensor:
        return {batch.shape[0]} if batch.ndim else set()
    if type(batch) is dict:
        return set().union(*(_sizes_of_part(part) for part in batch.values()))
    if type(batch) in {list, tuple}:
        return {len(batch)}.union(*(_sizes_of_part(part) for part in batch))
    return set()


def _sizes_of_part(part: Any) -> set[int]:
    if type(part) is torch.Tensor:
        return {part.shape[0]} if part.ndim else set()
    return {len(part)} if type(part) in {list, tuple} else set()


def counts_of(trainer: Trainer, module: LightningModule, stage: Stage) -> SampleCounts:
    """Return the sample counts of the loop that runs a stage, as it is set up now."""
    loop = _loop_of(trainer, stage)
    hooks = class_of(trainer, "core.hooks", "DataHooks")
    owners = [module, getattr(trainer, "datamodule", None)]
    is_changed = any(
        getattr(type(owner), name) is not getattr(hooks, name, None)
        for owner in owners
        if owner is not None
        for name in _CHANGING_HOOKS
        if hasattr(type(owner), name)
    )
    return SampleCounts(getattr(loop, "_combined_loader", None), is_changed_by_hooks=is_changed)


def _loop_of(trainer: Trainer, stage: Stage) -> Any:
    if stage is Stage.TRAIN:
        return trainer.fit_loop
    if stage is Stage.TEST:
        return trainer.test_loop
    if stage is Stage.PREDICT:
        return trainer.predict_loop
    is_fit = trainer.state.fn is not None and trainer.state.fn.value == "fit"
    return trainer.fit_loop.epoch_loop.val_loop if is_fit else trainer.validate_loop
