"""Odd loggers, modules, hyperparameters and trainers."""

from __future__ import annotations

import enum
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.logger import DummyLogger, Logger
from omegaconf import OmegaConf

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


class Notes(Logger):
    """Keeps what it is given, but for our own metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Any] = []

    @property
    def name(self) -> Any:
        """Its name."""
        return "notes"

    @property
    def version(self) -> Any:
        """Its version."""
        return 1

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Keep the names and the step."""
        own = {key: value for key, value in metrics.items() if "performance/" not in key}
        if set(own) - {"epoch"}:
            self.rows.append((sorted(own), step))

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Keep nothing."""


@member
def logger_rows(guest: Guest) -> None:
    """A logger gets the same rows at the same steps."""
    notes = Notes()
    guest.fit(validation=loader(), logger=notes)
    guest.tell(rows=notes.rows)


@member
def logger_version_raises(guest: Guest) -> None:
    """A logger's version raises: the service has none yet."""

    class Offline(Notes):
        @property
        def version(self) -> Any:
            raise RuntimeError("no version yet")

    guest.fit(logger=Offline())


@member
def logger_name_raises(guest: Guest) -> None:
    """A logger's name raises."""

    class Nameless(Notes):
        @property
        def name(self) -> Any:
            raise NotImplementedError

    guest.fit(logger=Nameless())


@member
def logger_values_odd(guest: Guest) -> None:
    """A logger's name is None and its version an integer of NumPy."""

    class Odd(Notes):
        name = None
        version = np.int64(3)

    guest.fit(logger=Odd())


@member
def logger_refuses_unknown_keys(guest: Guest) -> None:
    """A logger raises for every key that it doesn't know."""

    class Strict(Notes):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            unknown = set(metrics) - {"loss", "epoch"}
            if unknown:
                raise KeyError(sorted(unknown)[0])

    guest.fit(logger=Strict())


@member
def logger_changes_its_rows(guest: Guest) -> None:
    """A logger empties the dictionary that it is given."""

    class Eats(Notes):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            super().log_metrics(metrics, step)
            metrics.clear()

    notes = Eats()
    guest.fit(logger=[notes, Notes()])
    guest.tell(rows=notes.rows)


@member
def logger_equality_raises(guest: Guest) -> None:
    """Loggers that can't be compared or hashed."""

    class Touchy(Notes):
        def __eq__(self, other: object) -> bool:
            raise TypeError("incomparable")

        __hash__ = None  # type: ignore[assignment]  # what is tried

    guest.fit(logger=[Touchy(), Touchy()])


@member
def logger_method_of_instance(guest: Guest) -> None:
    """A logger's log_metrics is an attribute of the object, and static in another."""

    class Static(Notes):
        @staticmethod
        def log_metrics(metrics: Any, step: Any = None) -> None:
            calls.append(step)

    calls: list[Any] = []
    notes = Notes()
    notes.log_metrics = lambda metrics, step=None: None  # type: ignore[method-assign]  # tried
    guest.fit(logger=[notes, Static()])


@member
def logger_inherited(guest: Guest) -> None:
    """Two loggers of a base class and a class below it, both called once a row."""
    calls: list[str] = []

    class Base(Notes):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            if "loss" in metrics:
                calls.append(type(self).__name__)

    class Below(Base):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            super().log_metrics(metrics, step)

    guest.fit(logger=[Base(), Below()])
    guest.tell(calls=calls)


@member
def logger_slow(guest: Guest) -> None:
    """A logger takes 20 ms a row: that is the line `logging`."""

    class Slow(Notes):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            if "loss" in metrics:
                time.sleep(0.02)

    guest.fit(logger=Slow())
    guest.true("train.logging_s", (0.16, 0.5))


@member
def logger_dummy(guest: Guest) -> None:
    """Lightning's logger that answers everything."""
    guest.fit(logger=DummyLogger())


@member
def csv_files_equal(guest: Guest) -> None:
    """The CSV logger's file has the user's values unchanged."""
    logger = CSVLogger(guest.folder / "csv")
    guest.fit(validation=loader(), logger=logger)
    with (guest.folder / "csv/lightning_logs/version_0/metrics.csv").open() as file:
        header = file.readline().strip().split(",")
        column = header.index("loss")
        values = [line.split(",")[column] for line in file]
    guest.tell(losses=[value for value in values if value])


@member
def hyperparameters_odd(guest: Guest) -> None:
    """Hyperparameters that no JSON has: enumerations, types, functions, tensors, sets, NaN."""

    class Mode(enum.Enum):
        FAST = object()

    guest.fit(
        Net(
            mode=Mode.FAST,
            kind=int,
            make=lambda: 1,
            tensor=torch.ones(3),
            names={"a", "b"},
            nothing=float("nan"),
            keys={1: 2, None: 3, (1, 2): 4},
        )
    )


@member
def hyperparameters_raise(guest: Guest) -> None:
    """A hyperparameter whose text and equality raise."""

    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError("mute")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("incomparable")

        __hash__ = object.__hash__

    guest.fit(Net(mute=Mute()))


@member
def hyperparameters_cycle(guest: Guest) -> None:
    """A hyperparameter that holds itself."""
    cycle: dict[str, Any] = {"a": 1}
    cycle["self"] = cycle
    guest.fit(Net(cycle=cycle))


class Laps(Sequence[float]):
    """Learning rates that come round without an end."""

    def __getitem__(self, index: Any) -> Any:
        return (0.1, 0.01)[index % 2]

    def __len__(self) -> int:
        return 2


@member
def hyperparameters_without_end(guest: Guest) -> None:
    """A hyperparameter is a sequence that never ends as it is iterated."""
    guest.fit(Net(rates=Laps()))


@member
def hyperparameters_resolved(guest: Guest) -> None:
    """A hyperparameter is a configuration whose resolver draws and counts."""
    drawn: list[float] = []

    def draw() -> int:
        drawn.append(random.random())  # noqa: S311 - no secret
        return len(drawn)

    OmegaConf.register_new_resolver("drawn", draw, replace=True)
    settings = OmegaConf.create({"seed": "${drawn:}", "missing": "???"})
    guest.fit(Net(settings=settings))
    guest.tell(seed=settings.seed)


@member
def hyperparameters_property_raises(guest: Guest) -> None:
    """The module's hparams can't be read."""

    class Hidden(Net):
        @property
        def hparams(self) -> Any:
            raise RuntimeError("hidden")

    guest.fit(Hidden())


@member
def module_getattr_draws(guest: Guest) -> None:
    """A property of the module draws a random number when it is read."""

    class Drawing(Net):
        @property
        def noise(self) -> float:
            return float(torch.rand(1))

    guest.fit(Drawing())


@member
def modules_counted(guest: Guest) -> None:
    """A module counts how often its submodules are walked through."""

    class Counting(Net):
        walks = 0

        def named_modules(self, *args: Any, **kwargs: Any) -> Any:
            type(self).walks += 1
            torch.rand(1)
            return super().named_modules(*args, **kwargs)

    guest.fit(Counting())


@member
def module_equality_raises(guest: Guest) -> None:
    """A module that compares to a tensor, without a truth value."""

    class Touchy(Net):
        def __eq__(self, other: object) -> Any:
            return torch.ones(2)

        __hash__ = Net.__hash__

        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    guest.fit(Touchy())


@member
def datamodule_odd(guest: Guest) -> None:
    """A data module whose hyperparameters raise and whose loader is made anew each time."""

    class Data(LightningDataModule):
        @property
        def hparams(self) -> Any:
            raise LookupError("none")

        def train_dataloader(self) -> Any:
            return loader()

    trainer = guest.trainer(reload_dataloaders_every_n_epochs=1)
    trainer.fit(guest.kept(Net()), datamodule=Data())


@member
def step_gives_nothing(guest: Guest) -> None:
    """A training step that returns None for every second batch."""

    class Skips(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return None if batch_idx % 2 else self.loss_of(batch)

    guest.fit(Skips())


@member
def log_overridden(guest: Guest) -> None:
    """A module with a `log` of its own, with other arguments."""

    class Own(Net):
        def log(self, *args: Any, **kwargs: Any) -> None:
            super().log("own/" + args[0], *args[1:], **kwargs)

    trainer = guest.fit(Own())
    guest.tell(metrics={k: float(v) for k, v in trainer.callback_metrics.items()})


@member
def log_replaced_on_object(guest: Guest) -> None:
    """A module whose `log` is replaced on the object as the run goes."""
    logged: list[str] = []

    class Replaced(Net):
        def on_train_epoch_start(self) -> None:
            self.log = lambda name, *a, **k: logged.append(name)  # type: ignore[method-assign]  # tried

    guest.fit(Replaced())
    guest.tell(logged=logged)


@member
def log_wrapped_for_good(guest: Guest) -> None:
    """A user's wrap over LightningModule.log, made as the run goes, is there afterwards."""
    from lightning.pytorch import LightningModule

    names: list[str] = []
    original = LightningModule.log

    class Wraps(Net):
        def on_train_start(self) -> None:
            inner = LightningModule.log

            def log(self: Any, name: str, *args: Any, **kwargs: Any) -> None:
                names.append(name)
                inner(self, name, *args, **kwargs)

            LightningModule.log = log  # type: ignore[method-assign]  # what is tried

    guest.fit(Wraps())
    guest.tell(names=names, kept=LightningModule.log.__name__, wrapped=True)
    LightningModule.log = original  # type: ignore[method-assign]  # as it was


@member
def metrics_of_trainer(guest: Guest) -> None:
    """The trainer's metrics hold the user's names and no others."""
    trainer = guest.fit(validation=loader())
    guest.tell(
        callback=sorted(trainer.callback_metrics),
        logged=sorted(trainer.logged_metrics),
        progress=sorted(trainer.progress_bar_metrics),
    )
