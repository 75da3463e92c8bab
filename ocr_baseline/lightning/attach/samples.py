"""How many samples a batch of a trainer's loop holds, whose loaders may be several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.lightning.attach.trainer_parts import is_fitting
from ocr_baseline.recording.samples import LoaderSamples
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning.pytorch import LightningModule, Trainer

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
        self._iterables = getattr(combined, "iterables", None)
        self._loaders = [LoaderSamples(loader, is_changed_by_hooks) for loader in loaders]
        self._began_at: int | None = None

    def of_batch(self, batch: Any, batch_idx: int, dataloader_idx: int) -> int | None:
        """Return the samples of a batch, None where nothing knows.

        A pass that a checkpoint resumes in its middle counts on, while most loaders begin anew.
        """
        if self._began_at is None:
            self._began_at = batch_idx
        if self._began_at:
            is_alone = len(self._loaders) == 1
            return self._loaders[0].of_batch(batch, None) if is_alone else None
        if self._mode == "sequential":
            if not 0 <= dataloader_idx < len(self._loaders):
                return None
            return self._loaders[dataloader_idx].of_batch(batch, batch_idx)
        if len(self._loaders) == 1:
            return self._loaders[0].of_batch(batch, batch_idx)
        parts = list(_parts(batch, self._iterables))
        if len(parts) != len(self._loaders):
            return None  # the batch has another make than its loaders
        counts = [
            self._part(loader, part, batch_idx)
            for loader, part in zip(self._loaders, parts, strict=True)
        ]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    def _part(self, loader: LoaderSamples, part: Any, batch_idx: int) -> int | None:
        """Return what one of several loaders adds to a batch; one that has ended adds nothing."""
        if loader.batches and batch_idx >= loader.batches:
            if self._mode != "max_size_cycle":
                return 0
            batch_idx %= loader.batches
        return loader.of_batch(part, batch_idx)


def _parts(batch: Any, iterables: Any) -> Iterator[Any]:
    """Yield each loader's part of a batch that is made as the collection of the loaders is."""
    if type(iterables) is dict and type(batch) is dict:
        for key, iterable in iterables.items():
            yield from _parts(batch.get(key), iterable)
    elif type(iterables) in {list, tuple} and type(batch) in {list, tuple}:
        for part, iterable in zip(batch, iterables, strict=True):
            yield from _parts(part, iterable)
    else:
        yield batch


def counts_of(trainer: Trainer, module: LightningModule, stage: Stage) -> SampleCounts:
    """Return the sample counts of the loop that runs a stage, as it is set up now."""
    loop = _loop_of(trainer, stage)
    hooks = class_of(trainer, "core.hooks", "DataHooks")
    owners = [module, getattr(trainer, "datamodule", None)]
    is_changed = any(
        name in vars(owner) or getattr(type(owner), name) is not getattr(hooks, name, None)
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
    return trainer.fit_loop.epoch_loop.val_loop if is_fitting(trainer) else trainer.validate_loop
