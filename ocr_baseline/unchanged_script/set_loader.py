"""Setting a data loader from outside, after it was made and before it is first read.

A `DataLoader` reads its attributes when a pass over it begins, so that setting them is enough, and
whatever class it is of stays. What would change which data is read isn't set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.unchanged_script.settings import LoaderSettings

DEFAULT_PREFETCH_FACTOR = 2


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one setting: its value before and after, or why it couldn't be set."""

    what: str
    before: Any = None
    after: Any = None
    why_not: str | None = None


def set_loader(loader: object, stage: str, asked: LoaderSettings) -> list[Told]:
    """Set a loader of a stage; return what became of each setting that was asked for."""
    given = asked.given()
    if not isinstance(loader, DataLoader):
        why_not = f"its loader is a {type(loader).__name__} and not torch's DataLoader"
        return [Told(what=f"{stage}.{name}", why_not=why_not) for name in given]
    return [_set(loader, stage, name, value) for name, value in given.items()]


def _set(loader: DataLoader[Any], stage: str, name: str, value: Any) -> Told:
    what, before = f"{stage}.{name}", getattr(loader, name, None)
    why_not = _obstacle(loader, name, value)
    if why_not is not None:
        return Told(what=what, before=before, why_not=why_not)
    _SETTERS[name](loader, value)
    return Told(what=what, before=before, after=getattr(loader, name, value))


def _obstacle(loader: DataLoader[Any], name: str, value: Any) -> str | None:
    """Return why a setting can't be put in from outside, None where it can."""
    if name == "num_workers" and isinstance(loader.dataset, IterableDataset):
        return (
            "its dataset is an IterableDataset, which may deal out its data by the number of "
            "workers: another number may read other data"
        )
    if name == "batch_size" and type(loader.batch_sampler) is not BatchSampler:
        return "its batches come from a sampler of its own, or from the dataset"
    needs_workers = name in {"prefetch_factor", "persistent_workers", "worker_threads"}
    if needs_workers and value and loader.num_workers == 0:
        return "it has no workers"
    return None


def _set_workers(loader: DataLoader[Any], value: int) -> None:
    loader.num_workers = value
    if value and loader.prefetch_factor is None:
        loader.prefetch_factor = DEFAULT_PREFETCH_FACTOR
    if value == 0:
        loader.prefetch_factor = None
        loader.timeout = 0
        _overwrite(loader, "persistent_workers", False)


def _set_batch_size(loader: DataLoader[Any], value: int) -> None:
    drops_last = bool(loader.drop_last)
    _overwrite(loader, "batch_sampler", BatchSampler(loader.sampler, value, drops_last))
    _overwrite(loader, "batch_size", value)


def _set_worker_threads(loader: DataLoader[Any], value: int) -> None:
    loader.worker_init_fn = _SetThreads(loader.worker_init_fn, value)


class _SetThreads:
    """The loader's own `worker_init_fn`, and then the number of torch's threads; picklable."""

    def __init__(self, own: Callable[[int], None] | None, threads: int) -> None:
        self._own = own
        self._threads = threads

    def __call__(self, worker_id: int) -> None:
        if self._own is not None:
            self._own(worker_id)
        torch.set_num_threads(self._threads)


def _overwrite(loader: DataLoader[Any], name: str, value: Any) -> None:
    # DataLoader refuses these after its __init__, because they may have been read: not yet here.
    object.__setattr__(loader, name, value)


_SETTERS: dict[str, Callable[[DataLoader[Any], Any], None]] = {
    "num_workers": _set_workers,
    "prefetch_factor": lambda loader, value: setattr(loader, "prefetch_factor", value),
    "persistent_workers": lambda loader, value: _overwrite(loader, "persistent_workers", value),
    "pin_memory": lambda loader, value: setattr(loader, "pin_memory", value),
    "batch_size": _set_batch_size,
    "worker_threads": _set_worker_threads,
}
