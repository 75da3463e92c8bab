"""Never alone: other trainers, threads, processes, patches, runs in the same folder."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset, IterableDataset

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCH_SIZE, BATCHES, Items, Net, loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.guest_members.session import Guest

member = Members()


class At(Callback):
    """Calls a function once, at the start of the second epoch."""

    def __init__(self, act: Callable[[Trainer], Any]) -> None:
        self.act = act

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Call it."""
        if trainer.current_epoch == 1:
            self.act(trainer)


@member
def loader_in_a_worker(guest: Guest) -> None:
    """A stream in a worker reads another loader and drops its last, slow batch."""

    class Slow(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            time.sleep(0.6 * (index == 3))
            return super().__getitem__(index)

    class Stream(IterableDataset[torch.Tensor]):
        def __iter__(self) -> Iterator[torch.Tensor]:
            for number, rows in enumerate(DataLoader(Slow(4), batch_size=1)):
                if number < 3:
                    yield rows[0]

    guest.fit(train=DataLoader(Stream(), batch_size=None, num_workers=1), max_epochs=1)


@member
def loader_in_a_dataset(guest: Guest) -> None:
    """A dataset in the main process reads another loader for each item."""

    class Nested(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            return torch.stack([batch[0].sum(0) for batch in loader(8)]).sum(0)

    guest.fit(train=DataLoader(Nested(8), batch_size=BATCH_SIZE))
    guest.true("train.samples", 16)


@member
def loader_with_workers_in_a_step(guest: Guest) -> None:
    """A step reads a loader with a worker of its own."""

    class Reads(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            seen.append(len(list(loader(8, num_workers=int(batch_idx == 1)))))
            return super().training_step(batch, batch_idx)

    seen: list[int] = []
    guest.fit(Reads())
    guest.tell(seen=seen)


@member
def loader_left_half_read(guest: Guest) -> None:
    """A callback leaves a loader with a worker after one batch."""
    guest.fit(None, None, None, At(lambda _: next(iter(loader(num_workers=1)))))


@member
def trainers_in_threads(guest: Guest) -> None:
    """Two trainers in two threads at once, of different lengths."""

    class Slow(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            time.sleep(0.002)
            return super().__getitem__(index)

    trainers = [guest.trainer(max_epochs=epochs) for epochs in (2, 4)]
    threads = [
        threading.Thread(target=trainer.fit, args=(Net(), DataLoader(Slow(), batch_size=4)))
        for trainer in trainers
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    guest.fit()


@member
def trainers_in_a_pool(guest: Guest) -> None:
    """Six short trainings in a pool of three threads, with and without loader workers."""

    def train(number: int) -> None:
        trainer = guest.trainer(max_epochs=1, default_root_dir=guest.folder / f"run{number}")
        trainer.fit(Net(), loader(num_workers=number % 2))

    with ThreadPoolExecutor(1) as pool:
        list(pool.map(train, range(6)))


@member
def trainer_in_a_hook(guest: Guest) -> None:
    """A callback trains another module with our callbacks too."""
    guest.fit(None, None, None, At(lambda _: guest.fit(max_epochs=1)))


@member
def plain_trainer_in_a_step(guest: Guest) -> None:
    """A step trains another module without our callbacks."""

    class Trains(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 1:
                guest.fit(ours=[], max_epochs=1)
            return super().training_step(batch, batch_idx)

    guest.fit(Trains())


@member
def trainer_in_on_fit_end(guest: Guest) -> None:
    """A callback trains another module when the fit ends."""

    class Continues(Callback):
        def on_fit_end(self, *args: Any) -> None:
            guest.fit(max_epochs=1)

    guest.fit(None, None, None, Continues())


@member
def trainer_in_a_thread_of_a_hook(guest: Guest) -> None:
    """A hook trains another module in a thread and waits for it."""

    def act(_: Trainer) -> None:
        thread = threading.Thread(target=lambda: guest.fit(max_epochs=1))
        thread.start()
        thread.join()

    guest.fit(None, None, None, At(act))


@member
def forked_child_exits(guest: Guest) -> None:
    """A hook forks a child that exits by sys.exit, through the trainer's own handlers."""

    def act(_: Trainer) -> None:
        child = os.fork()
        if child == 0:
            sys.exit(7)
        guest.tell(child=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    parent = os.getpid()
    try:
        guest.fit(None, None, None, At(act))
    finally:
        if os.getpid() != parent:
            os._exit(7)
    guest.true("run.status", "finished")


@member
def forked_child_trains(guest: Guest) -> None:
    """A process forked from a hook trains another module."""

    def train() -> None:
        guest.fit(max_epochs=1)

    def act(_: Trainer) -> None:
        process = multiprocessing.get_context("fork").Process(target=train)
        process.start()
        process.join(60)
        guest.tell(code=process.exitcode)

    guest.fit(None, None, None, At(act))


@member
def pool_in_a_hook(guest: Guest) -> None:
    """A hook uses a pool of processes."""

    def act(_: Trainer) -> None:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
            guest.tell(power=pool.submit(pow, 2, 3).result())

    guest.fit(None, None, None, At(act))


@member
def forks_in_a_worker(guest: Guest) -> None:
    """A dataset forks a child inside a loader worker."""

    class Forks(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return super().__getitem__(index)

    guest.fit(train=DataLoader(Forks(), batch_size=BATCH_SIZE, num_workers=1), max_epochs=1)


@member
def threads_in_a_worker(guest: Guest) -> None:
    """A dataset times sections in threads inside a loader worker."""
    from ocr_baseline import section

    class Threads(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            def work() -> None:
                with section("decode"):
                    pass

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return super().__getitem__(index)

    guest.fit(train=DataLoader(Threads(), batch_size=BATCH_SIZE, num_workers=1), max_epochs=1)


@member
def threads_in_actions(guest: Guest) -> None:
    """Two threads enter actions of the trainer's profiler all the time."""

    class Busy(Callback):
        def on_train_start(self, trainer: Any, *args: Any) -> None:
            self.stop = threading.Event()

            def act() -> None:
                while not self.stop.is_set():
                    with trainer.profiler.profile("mine"):
                        pass

            for _ in range(2):
                threading.Thread(target=act, daemon=True).start()

        def on_train_end(self, *args: Any) -> None:
            self.stop.set()

    sys.setswitchinterval(1e-5)
    guest.fit(None, None, None, Busy(), max_epochs=4)
    guest.true("run.status", "finished")


@member
def two_runs_in_one_folder(guest: Guest) -> None:
    """A second process trains into the folder of the first, which is under way."""
    folder = guest.folder / "shared"

    def act(_: Trainer) -> None:
        child = os.fork()
        if child == 0:
            threading.Thread(target=lambda: None).start()
            inner = guest.trainer(max_epochs=1, output_dir=folder)
            inner.fit(Net(), loader(8))
            os._exit(0)
        os.waitpid(child, 0)

    guest.fit(None, None, None, At(act), output_dir=folder, max_epochs=3)


@member
def runs_inside_in_one_folder(guest: Guest) -> None:
    """A callback trains twice more into the folder of the run that it is in."""
    folder = guest.folder / "shared"

    def act(_: Trainer) -> None:
        for epochs in (1, 3):
            guest.fit(max_epochs=epochs, output_dir=folder)

    guest.fit(None, None, None, At(act), output_dir=folder)
    beside = guest.folder / "shared-2"
    earlier = list((beside / "earlier").glob("*")) if guest.measured else []
    guest.reports |= {1: earlier[0] if len(earlier) == 1 else folder / "none", 2: beside}
    guest.tell(folders=len(earlier) == guest.measured)


@member
def runs_in_threads_in_one_folder(guest: Guest) -> None:
    """Two trainers in two threads at once have one folder, and loader workers."""
    both = threading.Barrier(2)

    class Meets(Callback):
        def on_train_start(self, *args: Any) -> None:
            both.wait(60)

    folder = guest.folder / "shared"
    trainers = [guest.trainer(Meets(), output_dir=folder, max_epochs=n) for n in (2, 4)]
    threads = [
        threading.Thread(target=trainer.fit, args=(Net(), loader(num_workers=1)))
        for trainer in trainers
    ]
    for thread in threads:
        thread.start()
        while guest.measured and not list(guest.folder.glob("shared*/records/rank_0.jsonl")):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    guest.reports[1] = guest.folder / "shared-2"


@member
def batch_size_of_another(guest: Guest) -> None:
    """A step trains a module that logs a batch size; nobody knows that of the step's own batch."""

    class Logs(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.log("other", 1.0, batch_size=77)
            return super().training_step(batch, batch_idx)

    class Trains(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 1:
                guest.fit(Logs(), ours=[], max_epochs=1)
            return self.loss_of(batch)

    class Rows(IterableDataset[torch.Tensor]):
        def __iter__(self) -> Iterator[torch.Tensor]:
            return iter(torch.ones(16, 8))

    guest.fit(Trains(), iter(DataLoader(Rows(), batch_size=BATCH_SIZE)), max_epochs=1)
    guest.true("train.samples", None)


@member
def working_folder_changes(guest: Guest) -> None:
    """A callback changes the working folder; the output folder is a relative path."""
    (guest.folder / "elsewhere").mkdir()
    guest.fit(
        None, loader(num_workers=1), None, At(lambda _: os.chdir("elsewhere")), output_dir="o"
    )
    guest.tell(elsewhere=list((guest.folder / "elsewhere").iterdir()))


def _one_batch(self: DataLoader[Any]) -> Iterator[Any]:
    return iter([1])


@member
def loader_patched_meanwhile(guest: Guest) -> None:
    """A callback replaces DataLoader.__iter__ for a moment by unittest.mock."""

    def act(_: Trainer) -> None:
        with mock.patch.object(DataLoader, "__iter__", _one_batch):
            guest.tell(patched=list(loader()))
        guest.tell(batches=len(list(loader())))

    guest.fit(None, None, None, At(act))


@member
def log_patched_around(guest: Guest) -> None:
    """LightningModule.log is mocked before the fit and given back after it."""
    with mock.patch.object(LightningModule, "log", autospec=True) as log:
        guest.fit()
    guest.tell(calls=log.call_count)


@member
def iterator_patched_for_good(guest: Guest) -> None:
    """A library wraps DataLoader.__iter__ as the run goes; its wrap is called to the end."""
    calls: list[int] = []
    original = DataLoader.__iter__

    def act(_: Trainer) -> None:
        inner = DataLoader.__iter__

        def wrapped(self: Any) -> Any:
            calls.append(1)
            return inner(self)

        DataLoader.__iter__ = wrapped  # type: ignore[method-assign]  # what is tried

    guest.fit(None, None, None, At(act), reload_dataloaders_every_n_epochs=1)
    list(loader())
    guest.tell(calls=len(calls))
    DataLoader.__iter__ = original  # type: ignore[method-assign]  # as it was


@member
def worker_loop_patched(guest: Guest) -> None:
    """Another library has replaced torch's worker loop before the run, and gives it back after."""
    from torch.utils.data._utils import worker

    original = worker._worker_loop

    def loop(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    worker._worker_loop = loop
    guest.fit(train=loader(num_workers=1))
    guest.tell(kept=worker._worker_loop is loop)


@member
def fit_in_a_thread_of_its_own(guest: Guest) -> None:
    """The only trainer runs in a thread that isn't the main one."""
    thread = threading.Thread(target=lambda: guest.fit(validation=loader()))
    thread.start()
    thread.join()
    guest.true("run.status", "finished")


@member
def asyncio_around(guest: Guest) -> None:
    """The trainer runs inside an event loop, with another task beside it."""
    import asyncio

    async def main() -> None:
        ticks = asyncio.create_task(asyncio.sleep(0))
        await asyncio.to_thread(guest.fit)
        await ticks

    asyncio.run(main())


@member
def shared_profiler(guest: Guest) -> None:
    """Two nested trainers share one profiler object."""
    from lightning.pytorch.profilers import SimpleProfiler

    shared = SimpleProfiler()
    act = At(lambda _: guest.fit(max_epochs=1, profiler=shared))
    guest.fit(None, None, None, act, profiler=shared)


class Ticks(Dataset[torch.Tensor]):
    """Rows that an iterator of the user's own thread fills."""

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.ones(8)


@member
def prefetching_thread(guest: Guest) -> None:
    """The user's loader fetches ahead in a thread, from a torch loader with a worker."""
    import queue

    class Ahead:
        def __iter__(self) -> Iterator[Any]:
            ready: queue.Queue[Any] = queue.Queue(2)

            def fill() -> None:
                for batch in DataLoader(Ticks(), batch_size=1, num_workers=1):
                    ready.put(batch)
                ready.put(None)

            threading.Thread(target=fill, daemon=True).start()
            return iter(ready.get, None)

    guest.fit(train=Ahead())
