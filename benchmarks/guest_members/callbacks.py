"""Other callbacks: their order, their state, and lists of callbacks that change."""

from __future__ import annotations

import copy
import pickle
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    GradientAccumulationScheduler,
    LambdaCallback,
    LearningRateMonitor,
    ModelCheckpoint,
    StochasticWeightAveraging,
    Timer,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCHES, Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


def _names(trainer: Trainer) -> list[str]:
    """Return the callbacks' classes but for ours."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared nowhere
    ours = ("PerformanceProfilerCallback", "BaselineReportCallback")
    return [type(one).__name__ for one in callbacks if type(one).__name__ not in ours]


@member
def order_of_hooks(guest: Guest) -> None:
    """All hooks of a callback in their order."""
    calls: list[str] = []

    class Traces(Callback):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_") or name in {"setup", "teardown"}:
                calls.append(name)
            return super().__getattribute__(name)

    class Hooks(Callback):
        def on_train_batch_end(self, *args: Any) -> None:
            calls.append("batch")

        def on_train_epoch_end(self, *args: Any) -> None:
            calls.append("epoch")

        def on_fit_end(self, *args: Any) -> None:
            calls.append("fit")

    trainer = guest.fit(None, None, loader(), Hooks(), Traces())
    guest.tell(names=_names(trainer), own=[c for c in calls if not c.startswith("on_")])


@member
def state_key_raises_in_the_run(guest: Guest) -> None:
    """A callback's state_key raises once the training is under way."""

    class Keyless(Callback):
        started = False

        @property
        def state_key(self) -> str:
            if self.started:
                raise RuntimeError("no key")
            return "Keyless"

        def on_train_start(self, *args: Any) -> None:
            self.started = True

    guest.fit(None, None, None, Keyless())


@member
def state_key_counts(guest: Guest) -> None:
    """A callback whose key draws random numbers."""

    class Drawing(Callback):
        @property
        def state_key(self) -> str:
            torch.rand(1)
            return "Drawing"

        def on_train_batch_end(self, *args: Any) -> None:
            pass

    guest.fit(None, None, None, Drawing())


@member
def callback_answers_everything(guest: Guest) -> None:
    """A callback that answers every name with a function that raises."""

    class Anything(Callback):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)

            def raises(*args: Any, **kwargs: Any) -> Any:
                raise RuntimeError(name)

            return raises

    guest.fit(None, None, None, Anything())


@member
def callback_equality_raises(guest: Guest) -> None:
    """A callback that equals nothing without an exception."""

    class Touchy(Callback):
        def __eq__(self, other: object) -> bool:
            raise ValueError("incomparable")

        __hash__ = Callback.__hash__

    guest.fit(None, None, loader(), Touchy())


@member
def appended_in_the_run(guest: Guest) -> None:
    """A callback appends another one as the run goes."""
    seen: list[int] = []

    class Late(Callback):
        def on_train_batch_end(self, *args: Any) -> None:
            seen.append(1)

    class Appends(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            if trainer.current_epoch == 1:
                trainer.callbacks.append(Late())  # type: ignore[attr-defined]  # declared nowhere

    trainer = guest.fit(None, None, None, Appends())
    guest.tell(seen=len(seen), names=_names(trainer))


@member
def ours_removed_in_the_run(guest: Guest) -> None:
    """A callback leaves only itself in the trainer's list; the training goes on."""

    class Removes(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            if trainer.current_epoch == 1:
                trainer.callbacks[:] = [self]  # type: ignore[attr-defined]  # declared nowhere

    guest.fit(None, None, None, Removes())
    guest.fit()


@member
def list_becomes_tuple(guest: Guest) -> None:
    """The trainer's list of callbacks becomes a tuple."""

    class Freezes(Callback):
        def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.callbacks = tuple(trainer.callbacks)  # type: ignore[attr-defined]  # declared nowhere

    guest.fit(None, None, None, Freezes())


@member
def ours_from_the_module(guest: Guest) -> None:
    """configure_callbacks returns our two; then a test."""

    class Configures(Net):
        def configure_callbacks(self) -> Any:
            return guest.ours()

    trainer = guest.trainer(ours=[])
    module = guest.kept(Configures())
    trainer.fit(module, loader(), loader())
    trainer.test(module, loader(), verbose=False)


@member
def ours_twice(guest: Guest) -> None:
    """Our two callbacks stand there twice."""
    try:
        guest.fit(ours=[*guest.ours(), *guest.ours()])
    except RuntimeError as error:
        guest.tell(error=str(error)[:30])
    guest.true("train.batches", 2 * BATCHES)


@member
def ours_used_again(guest: Guest) -> None:
    """The same two callback objects serve two trainers, one after the other."""
    ours = guest.ours()
    guest.fit(ours=ours)
    guest.fit(ours=ours, max_epochs=1)


@member
def ours_copied(guest: Guest) -> None:
    """Copies of our callbacks, deep and by pickling, serve other trainers."""
    ours = guest.ours()
    guest.fit(ours=ours)
    guest.fit(ours=copy.deepcopy(ours))
    guest.fit(ours=pickle.loads(pickle.dumps(ours)))  # noqa: S301 - our own objects


@member
def report_alone(guest: Guest) -> None:
    """The reporting callback without the profiler beside it."""
    guest.fit(validation=loader(), ours=guest.ours()[1:], logger=CSVLogger(guest.folder / "csv"))


@member
def profiler_alone_and_last(guest: Guest) -> None:
    """The profiler alone, behind the user's callbacks."""
    guest.fit(validation=loader(), ours=guest.ours()[:1])


@member
def callback_that_raises(guest: Guest) -> None:
    """A callback raises; the training ends with its exception."""

    class Raises(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if trainer.global_step == 3:
                raise ZeroDivisionError("as told")

    guest.true("run.status", "failed")
    guest.fit(None, None, None, Raises())


@member
def callback_that_exits(guest: Guest) -> None:
    """A callback exits with status 3."""

    class Exits(Callback):
        def on_train_epoch_end(self, *args: Any) -> None:
            raise SystemExit(3)

    guest.true("run.status", "failed")
    guest.fit(None, None, None, Exits())


@member
def interrupted(guest: Guest) -> None:
    """A callback raises KeyboardInterrupt."""

    class Interrupts(Callback):
        def on_train_epoch_end(self, *args: Any) -> None:
            raise KeyboardInterrupt

    guest.true("run.status", "interrupted")
    guest.fit(None, None, None, Interrupts())


@member
def teardown_raises(guest: Guest) -> None:
    """A callback raises in on_fit_end, another in teardown."""

    class Raises(Callback):
        def teardown(self, *args: Any, **kwargs: Any) -> None:
            raise ZeroDivisionError("at the end")

    guest.fit(None, None, None, Raises())


@member
def setup_raises(guest: Guest) -> None:
    """A callback raises in setup, before and after ours were set up."""

    class Raises(Callback):
        def setup(self, *args: Any, **kwargs: Any) -> None:
            raise ZeroDivisionError("at the start")

    for place in (0, 1):
        trainer = guest.trainer()
        trainer.callbacks.insert(place * 3, Raises())  # type: ignore[attr-defined]  # declared nowhere
        try:
            trainer.fit(guest.kept(Net()), loader())
        except ZeroDivisionError:
            guest.tell(**{f"raised_{place}": True})


@member
def early_stopping(guest: Guest) -> None:
    """EarlyStopping ends the training in its second epoch."""

    class Worse(Net):
        def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
            self.log("worse", float(self.current_epoch))

    stops = EarlyStopping("worse", patience=1)
    guest.fit(Worse(), loader(), loader(), stops, max_epochs=9)
    guest.tell(stopped=stops.stopped_epoch)


@member
def timer(guest: Guest) -> None:
    """A Timer with plenty of time."""
    guest.fit(None, None, None, Timer(duration=timedelta(hours=1)))


@member
def weight_averaging(guest: Guest) -> None:
    """StochasticWeightAveraging, which copies the module and runs its last epoch itself."""
    guest.fit(None, None, None, StochasticWeightAveraging(swa_lrs=0.01), max_epochs=4)


@member
def accumulation_schedule(guest: Guest) -> None:
    """GradientAccumulationScheduler changes the accumulation in the second epoch."""
    guest.fit(None, None, None, GradientAccumulationScheduler({0: 1, 1: 2}))


@member
def learning_rate_monitor(guest: Guest) -> None:
    """LearningRateMonitor beside a CSV logger."""
    monitor = LearningRateMonitor()
    guest.fit(None, None, None, monitor, logger=CSVLogger(guest.folder / "csv"))
    guest.tell(rates=monitor.lrs)


@member
def progress_bar(guest: Guest) -> None:
    """The progress bar shows what it shows without."""
    shown: list[Any] = []

    class Bar(TQDMProgressBar):
        def get_metrics(self, *args: Any) -> Any:
            metrics = super().get_metrics(*args)
            shown.append(sorted(metrics))
            return metrics

    guest.fit(None, None, loader(), Bar(), enable_progress_bar=True)
    guest.tell(shown=shown[-1])


@member
def lambdas(guest: Guest) -> None:
    """LambdaCallback with a hook that takes 10 ms: the line of that callback."""
    guest.fit(None, None, None, LambdaCallback(on_train_batch_end=lambda *a: time.sleep(0.01)))
    guest.true("train.callbacks:LambdaCallback_s", (0.08, 0.3))


@member
def checkpoint_choice(guest: Guest) -> None:
    """ModelCheckpoint keeps the same best checkpoints."""
    keeps = ModelCheckpoint(guest.folder / "ck", monitor="loss", save_top_k=2)
    guest.fit(None, None, None, keeps, enable_checkpointing=True, max_epochs=3)
    guest.tell(best=sorted(path.rsplit("/", 1)[1] for path in keeps.best_k_models))


@member
def metric_in_a_callback(guest: Guest) -> None:
    """A metric that lives in a callback and in a plain dictionary of the module."""
    from torchmetrics import MeanMetric

    class Holds(Callback):
        def __init__(self) -> None:
            self.mean = MeanMetric()

        def on_train_batch_end(self, trainer: Trainer, module: Any, outputs: Any, *a: Any) -> None:
            self.mean.update(outputs["loss"])
            module.held["mean"].update(outputs["loss"])

    class Held(Net):
        def __init__(self) -> None:
            super().__init__()
            self.held = {"mean": MeanMetric()}

    holds = Holds()
    module = Held()
    guest.fit(module, None, None, holds, operations=["torchmetrics.MeanMetric.update"])
    guest.tell(means=[float(m.compute()) for m in (holds.mean, module.held["mean"])])
    guest.true("calls of torchmetrics.MeanMetric.update", 4 * BATCHES)


@member
def fails_at_an_exception(guest: Guest) -> None:
    """A callback raises as it is told of an exception, so that the trainer tells nobody else."""

    class Fails(Callback):
        def on_train_batch_end(self, *args: Any) -> None:
            raise ValueError("first")

        def on_exception(self, *args: Any) -> None:
            raise KeyError("second")

    for _ in range(2):
        try:
            guest.fit(Net(), loader(num_workers=1), loader(), Fails())
        except KeyError as error:
            guest.tell(error=error)
