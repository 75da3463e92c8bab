"""What lives as long as without us."""

from __future__ import annotations

import gc
import multiprocessing
import time
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any, TextIO

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.profilers import PyTorchProfiler, SimpleProfiler
from torch.utils.data import DataLoader, Dataset, IterableDataset

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCH_SIZE, Items, Net, loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.guest_members.session import Guest

member = Members()


def _alive(guest: Guest, make: Callable[[], list[Any]], *, collects: bool) -> None:
    """Train, let go of everything, and tell what is still alive."""
    gc.collect()
    gc.disable()
    references = [weakref.ref(thing) for thing in make()]
    guest.let_go()
    if collects:
        gc.collect()
    guest.tell(alive=[reference() is not None for reference in references])
    gc.enable()


def _trained(guest: Guest, **arguments: Any) -> list[Any]:
    dataset = Items()
    train = DataLoader(dataset, batch_size=BATCH_SIZE)
    module = Net()
    trainer = guest.trainer(**arguments)
    trainer.fit(module, train)
    return [trainer, module, train, dataset, trainer.profiler, trainer.strategy]  # type: ignore[attr-defined]  # declared nowhere


@member
def after_a_collection(guest: Guest) -> None:
    """Trainer, module, loader, dataset and profiler after a collection of garbage."""
    _alive(guest, lambda: _trained(guest), collects=True)


@member
def without_a_collection(guest: Guest) -> None:
    """The same without a collection."""
    _alive(guest, lambda: _trained(guest), collects=False)


@member
def sampled_methods(guest: Guest) -> None:
    """A logger takes so long that sampling meets its timed method; after a collection."""

    class Busy(DummyLogger):
        def log_metrics(self, *args: Any, **kwargs: Any) -> None:
            ends_s = time.thread_time() + 0.1
            while time.thread_time() < ends_s:
                pass

    _alive(guest, lambda: _trained(guest, logger=Busy(), log_every_n_steps=1), collects=True)


@member
def own_profiler(guest: Guest) -> None:
    """The user's profiler, without a collection."""

    def make() -> list[Any]:
        own = SimpleProfiler()
        _trained(guest, profiler=own)
        return [own]

    _alive(guest, make, collects=False)


@member
def after_a_failure(guest: Guest) -> None:
    """Trainer and module after a training that failed."""

    class Raises(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            raise ZeroDivisionError

    def make() -> list[Any]:
        module, trainer = Raises(), guest.trainer()
        try:
            trainer.fit(module, loader())
        except ZeroDivisionError:
            guest.tell(failed=True)
        return [trainer, module]

    _alive(guest, make, collects=True)


@member
def batches_freed(guest: Guest) -> None:
    """A batch is freed before the next but one is made."""
    alive: list[Any] = []
    most: list[int] = []

    class Counts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            alive.append(weakref.ref(batch[0]))
            most.append(sum(reference() is not None for reference in alive))
            return super().training_step(batch, batch_idx)

    gc.disable()
    guest.fit(Counts())
    guest.tell(most=max(most))


@member
def outputs_freed(guest: Guest) -> None:
    """The graph of a step's loss is freed after the step."""
    alive: list[Any] = []

    class Counts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = self.loss_of(batch)
            alive.append(weakref.ref(loss))
            guest.tell(most=sum(reference() is not None for reference in alive[:-2]))
            return loss

    guest.fit(Counts())


@member
def workers_end(guest: Guest) -> None:
    """Loader workers end with the training, persistent ones with their loader."""
    guest.fit(train=loader(num_workers=1))
    persistent = loader(num_workers=1, persistent_workers=True)
    guest.fit(train=persistent)
    guest.tell(children=len(multiprocessing.active_children()))
    del persistent
    gc.collect()
    guest.tell(left=len(multiprocessing.active_children()))


@member
def garbage_off(guest: Guest) -> None:
    """The garbage collection is off and frozen, and stays so."""
    gc.disable()
    gc.freeze()
    gc.set_threshold(12345)
    guest.fit()
    guest.tell(enabled=gc.isenabled(), threshold=gc.get_threshold(), callbacks=len(gc.callbacks))


@member
def memory_traced(guest: Guest) -> None:
    """Tracemalloc traces the training."""
    tracemalloc.start(3)
    guest.fit()
    guest.tell(traces=tracemalloc.is_tracing(), depth=tracemalloc.get_traceback_limit())


@member
def pytorch_profilers_collected(guest: Guest) -> None:
    """PyTorchProfilers of eight fits, each let go of with a collection."""
    for number in range(8):
        guest.fit(
            profiler=PyTorchProfiler(dirpath=guest.folder, filename=f"p{number}"), fast_dev_run=3
        )
        gc.collect()


@member
def torch_profiler_around(guest: Guest) -> None:
    """Torch's own profiler runs around the fit."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        guest.fit()
    linear = [event.count for event in profile.key_averages() if event.key == "aten::linear"]
    guest.tell(linear=linear)


@member
def finalizers_run(guest: Guest) -> None:
    """A module's finalizer runs once, when the module is let go of."""
    calls: list[int] = []

    def train() -> None:
        module = Net()
        weakref.finalize(module, calls.append, 1)
        trainer: Trainer = guest.trainer()
        trainer.fit(module, loader())

    train()
    gc.collect()
    guest.tell(calls=calls)


@member
def many_trainers(guest: Guest) -> None:
    """Twelve trainers one after the other leave no thread and no open file."""
    import psutil

    guest.fit(max_epochs=1)
    guest.fit(max_epochs=1)
    before = psutil.Process().num_fds(), psutil.Process().num_threads()
    for _ in range(10):
        guest.fit(max_epochs=1)
    after = psutil.Process().num_fds(), psutil.Process().num_threads()
    guest.tell(grown=[now > then + 2 for then, now in zip(before, after, strict=True)])


class _Exclusive(IterableDataset[torch.Tensor]):
    """Holds a file from the beginning of a pass until it is left, and that once at a time."""

    def __init__(self, folder: Path) -> None:
        self.taken, self.log = folder / "taken", folder / "log"

    def __iter__(self) -> Iterator[torch.Tensor]:
        self.taken.touch(exist_ok=False)
        try:
            yield from Items(400).rows
        finally:
            self.taken.unlink()
            with self.log.open("a") as log:
                log.write("left ")


@member
def stream_in_a_worker(guest: Guest) -> None:
    """A stream in a worker is left early in each epoch, and cleans up as the worker ends."""
    stream = _Exclusive(guest.folder)
    guest.fit(train=DataLoader(stream, batch_size=4, num_workers=1), limit_train_batches=3)
    guest.tell(log=stream.log.read_text())


@member
def stream_in_a_kept_worker(guest: Guest) -> None:
    """The same in a worker that is kept: its next pass begins after the one before was left."""
    train = DataLoader(
        _Exclusive(guest.folder), batch_size=4, num_workers=1, persistent_workers=True
    )
    guest.fit(train=train, limit_train_batches=3)


class _Written(Dataset[torch.Tensor]):
    """Writes a letter per row into a file that it opens in the worker and nobody closes."""

    def __init__(self, path: Path) -> None:
        self.rows, self.path = Items().rows, path
        self.file: TextIO | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        if self.file is None:
            self.file = self.path.open("a")
        self.file.write("x")
        return self.rows[index]


@member
def file_in_a_spawned_worker(guest: Guest) -> None:
    """A dataset's file is written as the dataset goes, at the end of a spawned worker."""
    train = DataLoader(
        _Written(guest.folder / "log"),
        batch_size=BATCH_SIZE,
        num_workers=1,
        multiprocessing_context="spawn",
    )
    guest.fit(train=train)
    guest.tell(log=(guest.folder / "log").read_text())
