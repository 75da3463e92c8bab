"""Loops without a Trainer, recorded by `record`: they go on as where it is off."""

from __future__ import annotations

import resource
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from torch._dynamo.testing import CompileCounter

import ocr_baseline as ob
from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


class Training:
    """Steps of a module's, with or without a record around them."""

    def __init__(self, guest: Guest) -> None:
        """Make the module, whose weights are compared."""
        self._guest = guest
        self._module = Net()
        guest.kept(self._module)
        self._optimizer = torch.optim.SGD(self._module.parameters(), lr=0.05)

    def record(self, **arguments: Any) -> ob.record:
        """Return the record of a loop, which is off where the guest runs without ours."""
        return ob.record("out", enabled=self._guest.measured, **arguments)

    def step(self, batch: Any) -> None:
        """Take a step."""
        self._optimizer.zero_grad()
        loss: Any = self._module.loss_of(batch)  # torch leaves `backward` untyped
        loss.backward()
        self._optimizer.step()

    def run(self, record: ob.record, **arguments: Any) -> None:
        """Train on all batches of a loader."""
        with record.stage("train"):
            for batch in record.batches(loader(**arguments)):
                self.step(batch)


@member
def iterators_before_their_use(guest: Guest) -> None:
    """Iterators of several loaders are made at once, read in turns, and left."""
    training = Training(guest)
    with training.record() as record:
        for _ in range(2):
            with record.stage("train"):
                first = iter(record.batches(loader(shuffle=True)))
                second = iter(record.batches(loader(shuffle=True)))
                iter(record.batches(loader(shuffle=True)))
                noise = torch.rand(1)
                for batch in second:
                    training.step(batch)
                    training.step(next(first))
                guest.tell(noise=noise.item())


@member
def steps_out_of_the_way(guest: Guest) -> None:
    """Loops that break, fail, are nested, run in a thread, and read what is no loader."""
    training = Training(guest)
    with training.record() as record, record.stage("train"):
        for batch in record.batches(loader()):
            training.step(batch)
            break
        try:
            for _ in record.batches(loader()):
                raise KeyError
        except KeyError:
            training.run(record)
        thread = threading.Thread(target=training.run, args=(record,))
        thread.start()
        thread.join()
        for _ in record.batches([]):
            pass
        not_iterable: Any = 3
        try:
            iter(record.batches(not_iterable))
        except TypeError as error:
            guest.tell(error=error)


@member
def odd_arguments(guest: Guest) -> None:
    """Configurations that can't be asked, names and counts that mean nothing."""

    class Refuses(dict[str, int]):
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    training = Training(guest)
    configs: list[Any] = [Refuses(a=1), {1: {2: object()}}, np.zeros(3)]
    for config in configs:
        name: Any = object()
        with training.record(config=config, name=name) as record:
            training.run(record)
            unknown: Any = None
            with record.line(unknown):
                record.samples(unknown)


@member
def no_room_as_it_begins(guest: Guest) -> None:
    """No file may grow as the loop begins: nothing can be recorded."""
    training = Training(guest)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    record = training.record()
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    with record:
        training.run(record)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@member
def no_thread_as_it_ends(guest: Guest) -> None:
    """No thread can be started any more when the loop ends."""
    training = Training(guest)
    error = RuntimeError("can't start new thread")
    shortage = mock.patch.object(threading.Thread, "start", side_effect=error)
    try:
        with training.record() as record:
            training.run(record, num_workers=1)
            shortage.start()
    finally:
        shortage.stop()


@member
def compiled_steps_of_the_record(guest: Guest) -> None:
    """Code that is compiled as one graph opens a stage, reads batches and tells samples."""
    training = Training(guest)
    counter = CompileCounter()

    def mean_of(record: ob.record, rows: list[torch.Tensor]) -> torch.Tensor:
        total = torch.zeros(())
        with record.stage("validation"):
            for row in record.batches(rows):
                with record.line("forward"):
                    total = total + row.mean()
                record.samples(1)
        return total

    compiled = torch.compile(mean_of, backend=counter, fullgraph=True)
    with training.record() as record:
        training.run(record)
        guest.tell(mean=compiled(record, [torch.ones(2), torch.ones(2)]).item())
    guest.graphs["compiled"] = counter.frame_count
    guest.graphs["nodes"] = counter.op_count
