"""Much of everything: the end of a fit stays short, and its report small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback
from torch.utils.data import DataLoader

from benchmarks.guest_members import losses
from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Items, Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


class Named(Items):
    """Each row in a section of its own name."""

    def __getitem__(self, index: int) -> torch.Tensor:
        from ocr_baseline import section

        with section(f"decode img_{index}.jpg"):
            return super().__getitem__(index)


@member
def section_names(guest: Guest) -> None:
    """A section has 20,000 names."""
    guest.fit(train=DataLoader(Named(20_000), batch_size=100), max_epochs=1)


@member
def section_names_in_workers(guest: Guest) -> None:
    """A section has 20,000 names in two loader workers."""
    guest.fit(train=DataLoader(Named(20_000), batch_size=100, num_workers=2), max_epochs=1)


@member
def long_names(guest: Guest) -> None:
    """Sections with names of a million letters."""
    from ocr_baseline import section

    class Long(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            with section(chr(97 + batch_idx) * 1_000_000):
                return super().training_step(batch, batch_idx)

    guest.fit(Long())


@member
def action_names(guest: Guest) -> None:
    """The trainer's profiler gets 5,000 names of actions."""

    class Acts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            for number in range(1250):
                with self.trainer.profiler.profile(f"{batch_idx} {number}"):  # type: ignore[attr-defined]  # declared nowhere
                    pass
            return super().training_step(batch, batch_idx)

    guest.fit(Acts(), max_epochs=1)


@member
def many_calls(guest: Guest) -> None:
    """An operation is called 200,000 times."""

    class Calls(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            for _ in range(50_000):
                losses.tick()
            return super().training_step(batch, batch_idx)

    guest.fit(Calls(), max_epochs=1, operations=[f"{losses.__name__}.tick"])
    guest.true(f"calls of {losses.__name__}.tick", 200_000)


@member
def many_metrics(guest: Guest) -> None:
    """A step logs 2,000 metrics."""

    class Logs(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.log_dict({f"metric {number}": float(number) for number in range(2000)})
            return self.loss_of(batch)

    guest.fit(Logs(), max_epochs=1)


@member
def many_hyperparameters(guest: Guest) -> None:
    """Hyperparameters with 50,000 entries."""
    guest.fit(Net(table={f"key {number}": number for number in range(50_000)}))


@member
def deep_hyperparameters(guest: Guest) -> None:
    """Hyperparameters nested 900 deep."""
    nested: Any = 1
    for _ in range(900):
        nested = {"a": nested}
    guest.fit(Net(nested=nested))


@member
def large_hyperparameter(guest: Guest) -> None:
    """A hyperparameter of ten million letters, and a tensor of ten million numbers."""
    guest.fit(Net(text="x" * 10_000_000, tensor=torch.zeros(10_000_000)))


@member
def many_callbacks(guest: Guest) -> None:
    """Three hundred callbacks of three hundred classes."""
    classes = [type(f"Callback{number}", (Callback,), {}) for number in range(300)]
    guest.fit(None, None, None, *(one() for one in classes), max_epochs=1)


@member
def many_epochs(guest: Guest) -> None:
    """Three hundred epochs of one batch, with a validation each."""
    guest.fit(None, loader(4), loader(4), max_epochs=300)


@member
def many_batches(guest: Guest) -> None:
    """Four thousand batches."""
    guest.fit(None, loader(4000, batch_size=1), max_epochs=1)


@member
def many_loaders(guest: Guest) -> None:
    """Sixty validation loaders."""
    guest.fit(None, None, [loader(4) for _ in range(60)], max_epochs=1)


@member
def thousands_of_loaders(guest: Guest) -> None:
    """Three thousand validation loaders."""
    guest.fit(None, None, [loader(4) for _ in range(3000)], max_epochs=1)


@member
def many_modules(guest: Guest) -> None:
    """A module with 3,000 submodules."""

    class Large(Net):
        def __init__(self) -> None:
            super().__init__()
            self.rest = torch.nn.ModuleList(torch.nn.Identity() for _ in range(3000))

    guest.fit(Large(), max_epochs=1)


@member
def many_operations(guest: Guest) -> None:
    """A hundred and fifty operations."""
    functional = [name for name in dir(torch.nn.functional) if name.islower() and name[0] != "_"]
    chosen: list[str] = []
    for name in functional:
        function = getattr(torch.nn.functional, name)
        if type(function).__name__ == "function" and len(chosen) < 150:
            chosen.append(f"torch.nn.functional.{name}")
    guest.fit(operations=chosen, max_epochs=1)


@member
def much_output(guest: Guest) -> None:
    """A training ends with an exception of ten million letters."""

    class Raises(Net):
        def on_train_epoch_end(self) -> None:
            raise ValueError("x" * 10_000_000)

    guest.true("run.status", "failed")
    guest.fit(Raises())
