"""What is timed behaves as what it is: attributes, identity, copying, pickling, inspection."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import typing
import weakref
from typing import TYPE_CHECKING, Any

import cloudpickle
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import AdvancedProfiler, SimpleProfiler
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.utils.data import DataLoader

from benchmarks.guest_members import losses
from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCH_SIZE, BATCHES, Items, Net, loader

if TYPE_CHECKING:
    import torch

    from benchmarks.guest_members.session import Guest

member = Members()
HERE = "benchmarks.guest_members.losses"


def _in_step(act: Any) -> Net:
    """Return a module whose steps call a function with the batch's rows first."""

    class Acts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            rows = act(batch[0])
            return super().training_step([batch[0] if rows is None else rows], batch_idx)

    return Acts()


@member
def profiler_attributes(guest: Guest) -> None:
    """The user's profiler is read through the trainer as the run goes."""

    class Reads(Net):
        def on_train_epoch_end(self) -> None:
            profiler: Any = self.trainer.profiler  # type: ignore[attr-defined]  # declared nowhere
            guest.tell(
                is_own=profiler is own, actions="run_training_batch" in profiler.recorded_durations
            )

    own = SimpleProfiler()
    guest.fit(Reads(), profiler=own)


@member
def profiler_summary(guest: Guest) -> None:
    """The user's profiler has recorded the same actions, but for those of our own callbacks."""
    own = SimpleProfiler()
    guest.fit(profiler=own)
    ours = ("PerformanceProfiler", "BaselineReport")
    names = (n for n in own.recorded_durations if not any(one in n for one in ours))
    guest.tell(actions=sorted(names))


@member
def advanced_profiler_copied(guest: Guest) -> None:
    """A trainer with an AdvancedProfiler is copied in a hook."""

    class Copies(Callback):
        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            try:
                copy.deepcopy(trainer)
            except Exception as error:  # noqa: BLE001 - told, and compared
                guest.tell(error=str(error))

    guest.fit(None, None, None, Copies(), profiler=AdvancedProfiler(dirpath=guest.folder))


@member
def trainer_copied(guest: Guest) -> None:
    """A trainer and its module are copied in a hook, and the copy is looked at."""

    class Copies(Callback):
        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            copied = copy.deepcopy(trainer)
            guest.tell(step=copied.global_step, epoch=copied.current_epoch)
            copy.deepcopy(pl_module)

    guest.fit(None, None, None, Copies())


@member
def trainer_copied_and_trained(guest: Guest) -> None:
    """A copy of a trainer, made before the fit, trains after the original."""
    trainer = guest.trainer(max_epochs=1)
    copied = copy.deepcopy(trainer)
    trainer.fit(guest.kept(Net()), loader())
    copied.fit(guest.kept(Net()), loader())


@member
def operation_in_a_checkpoint(guest: Guest) -> None:
    """An operation is a hyperparameter too, and a checkpoint pickles it by name."""
    keeps = ModelCheckpoint(guest.folder / "ck")
    arguments: dict[str, Any] = {"enable_checkpointing": True, "operations": [f"{HERE}.scaled"]}
    guest.fit(Net(loss=losses.scaled), None, None, keeps, **arguments)


@member
def operation_pickled(guest: Guest) -> None:
    """An operation is pickled by name, copied, and compared with itself."""

    def act(rows: torch.Tensor) -> None:
        again = pickle.loads(pickle.dumps(losses.scaled))  # noqa: S301 - our own function
        guest.tell(
            same=again is losses.scaled,
            copied=copy.deepcopy(losses.scaled) is losses.scaled,
            first=losses.FIRST is losses.scaled,
            table=losses.TABLE[losses.scaled],
        )

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled"])


@member
def operation_inspected(guest: Guest) -> None:
    """Signature, hints, source, names and attributes of an operation."""

    def act(rows: torch.Tensor) -> None:
        function = losses.scaled
        guest.tell(
            signature=inspect.signature(function),
            hints=sorted(typing.get_type_hints(function)),
            source=inspect.getsource(function),
            names=(function.__name__, function.__qualname__, function.__module__),
            defaults=function.__defaults__,
            doc=function.__doc__,
            is_function=inspect.isfunction(function),
            wrapped=hasattr(function, "__wrapped__"),
            arguments=function.__code__.co_varnames,
        )

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled"])


@member
def operation_attribute_written(guest: Guest) -> None:
    """An attribute is written to an operation in the run and is there afterwards."""

    def act(rows: torch.Tensor) -> torch.Tensor:
        losses.scaled.count = getattr(losses.scaled, "count", 0) + 1  # type: ignore[attr-defined]  # tried
        return losses.scaled(rows)

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled"])
    guest.tell(count=losses.scaled.count)  # type: ignore[attr-defined]  # what is tried
    guest.true(f"calls of {HERE}.scaled", 2 * BATCHES)


@member
def operation_with_state(guest: Guest) -> None:
    """An operation is an object with state that a step reads and writes through its module."""

    def act(rows: torch.Tensor) -> torch.Tensor:
        losses.counter.scale = 1.0 + losses.counter.count * 0.1
        return losses.counter(rows)

    try:
        guest.fit(
            _in_step(act), operations=[f"{HERE}.counter", f"{HERE}.slotted", f"{HERE}.negated"]
        )
    finally:
        guest.tell(count=losses.counter.count, kind=isinstance(losses.counter, losses.Counter))


@member
def operation_recursive(guest: Guest) -> None:
    """An operation calls itself 700 deep."""
    guest.fit(_in_step(lambda rows: losses.recurse(700) and None), operations=[f"{HERE}.recurse"])


@member
def operation_recursive_to_the_limit(guest: Guest) -> None:
    """An operation calls itself until RecursionError, which the step catches."""

    def act(rows: torch.Tensor) -> None:
        try:
            losses.recurse(10**6)
        except RecursionError:
            guest.tell(caught=True)

    guest.fit(_in_step(act), operations=[f"{HERE}.recurse"])


@member
def operation_raises(guest: Guest) -> None:
    """An operation raises StopIteration, which the step catches."""

    def act(rows: torch.Tensor) -> None:
        try:
            losses.raises_stop()
        except StopIteration as stop:
            guest.tell(value=stop.value, depth=len(inspect.getinnerframes(stop.__traceback__)) > 0)  # type: ignore[arg-type]  # it is one

    guest.fit(_in_step(act), operations=[f"{HERE}.raises_stop"])


@member
def operations_of_a_class(guest: Guest) -> None:
    """A static method, a class method, an inherited and an overridden method, a generator."""

    def act(rows: torch.Tensor) -> torch.Tensor:
        below = losses.Below()
        steps = list(losses.steps(3))
        guest.tell(made=type(losses.Below.made()).__name__, kept=below.kept(2), steps=steps)
        return losses.Below.doubled(below.moved(rows))

    names = ["Base.doubled", "Base.made", "Base.moved", "Below.moved", "Base.kept", "steps"]
    guest.fit(_in_step(act), operations=[f"{HERE}.{name}" for name in names])


@member
def operation_in_a_spawned_worker(guest: Guest) -> None:
    """A dataset holds a static method that is an operation, and travels to a spawned worker."""
    guest.fit(
        train=DataLoader(
            losses.Doubling(),
            batch_size=BATCH_SIZE,
            num_workers=1,
            multiprocessing_context="spawn",
        ),
        operations=[f"{HERE}.Base.doubled"],
        max_epochs=1,
    )


@member
def operation_kept_elsewhere(guest: Guest) -> None:
    """A partial, a bound method and a weak reference, made before the run, of operations."""
    below = losses.Below()
    partial, bound = functools.partial(losses.scaled, factor=3.0), below.moved
    weak = weakref.ref(losses.scaled)

    def act(rows: torch.Tensor) -> torch.Tensor:
        guest.tell(weak=weak() is losses.scaled, bound=bound == below.moved)
        return bound(partial(rows))

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled", f"{HERE}.Below.moved"])


@member
def operation_replaced_in_the_run(guest: Guest) -> None:
    """A step replaces an operation by another function; that one stays."""
    original = losses.scaled

    def act(rows: torch.Tensor) -> torch.Tensor:
        losses.scaled = lambda rows, factor=2.0: rows * 5.0
        return losses.scaled(rows)

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled"])
    guest.tell(stays=losses.scaled is not original)


@member
def operation_compared_by_code(guest: Guest) -> None:
    """A library keeps results of a function by its code object and its hash."""
    before = (hash(losses.scaled), losses.scaled.__code__.co_code, id(losses.scaled))

    def act(rows: torch.Tensor) -> None:
        guest.tell(same=(hash(losses.scaled), id(losses.scaled)) == (before[0], before[2]))

    guest.fit(_in_step(act), operations=[f"{HERE}.scaled"])
    guest.tell(code=losses.scaled.__code__.co_code == before[1])


@member
def torch_operations(guest: Guest) -> None:
    """Functions and methods of torch itself, in Python and in C."""
    names = ["torch.nn.functional.relu", "torch.Tensor.pow", "torch.Tensor.backward", "torch.add"]
    more = ["torch.nn.Linear.forward", "torch.optim.SGD.step", "torch.nn.Module.__call__"]
    guest.fit(operations=names + more)


@member
def section_names(guest: Guest) -> None:
    """Sections named by a path, a number, None, bytes, a mute object, odd texts."""
    import pathlib

    from ocr_baseline import section

    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("mute")

    class Loud(str):
        def __hash__(self) -> int:
            raise RuntimeError("unhashable")

    names: list[Any] = [pathlib.Path("decode"), 5, None, b"x", Mute(), Loud("loud"), "", "a\x00b"]

    def act(rows: torch.Tensor) -> None:
        for name in names:
            with section(name):
                pass

    guest.fit(_in_step(act))


@member
def section_decorates(guest: Guest) -> None:
    """A section decorates a method, a generator and a recursive function."""
    from ocr_baseline import section

    @section("walk")
    def walk(depth: int) -> int:
        return walk(depth - 1) + 1 if depth else 0

    @section("steps")
    def steps(count: int) -> Any:
        received = yield count
        return received

    def act(rows: torch.Tensor) -> None:
        running = steps(2)
        first = next(running)
        try:
            running.send("x")
        except StopIteration as stop:
            guest.tell(first=first, last=stop.value, depth=walk(50))

    guest.fit(_in_step(act))


@member
def dataset_methods_inspected(guest: Guest) -> None:
    """The source and the signature of DataLoader.__iter__ and of self.log in a hook."""

    class Inspects(Net):
        def on_train_epoch_start(self) -> None:
            guest.tell(
                source=inspect.getsource(DataLoader.__iter__)[:40],
                log=str(inspect.signature(self.log)),
                name=DataLoader.__iter__.__qualname__,
            )

    guest.fit(Inspects(), DataLoader(Items(), batch_size=BATCH_SIZE, num_workers=1))


@member
def metrics_copied(guest: Guest) -> None:
    """Metrics are copied, pickled and cloned in a hook while they are timed."""
    from torchmetrics import MeanMetric, MeanSquaredError, MetricCollection

    class Holds(Net):
        def __init__(self) -> None:
            super().__init__()
            self.mean = MeanMetric()
            self.both = MetricCollection({"a": MeanSquaredError(), "b": MeanSquaredError()})

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.mean.update(batch[0].mean())
            self.both.update(batch[0], batch[0] * 2)
            self.log("mean", self.mean)
            return super().training_step(batch, batch_idx)

        def on_train_epoch_end(self) -> None:
            copied = copy.deepcopy(self)
            copied.mean.update(1.0)
            again = pickle.loads(pickle.dumps(self.mean))  # noqa: S301 - our own metric
            guest.tell(
                copied=float(copied.mean.compute()),
                again=float(again.compute()),
                clone=sorted(self.both.clone(prefix="x_").compute()),
            )

    guest.fit(Holds())


@member
def pickled_by_value(guest: Guest) -> None:
    """A hook pickles classes of the script's own by value, with the code of their methods."""

    class Log(CSVLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            super().log_metrics(metrics, step)

    class Actions(SimpleProfiler):
        def start(self, action_name: str) -> None:
            super().start(action_name)

    class Place(SingleDeviceStrategy):
        def teardown(self) -> None:
            super().teardown()

    class Sends(Callback):
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            for kind in (Log, Actions, Place):
                cloudpickle.loads(cloudpickle.dumps(kind))
            cloudpickle.loads(cloudpickle.dumps(module))

    guest.fit(
        None,
        None,
        loader(),
        Sends(),
        logger=Log(guest.folder / "log"),
        profiler=Actions(),
        strategy=Place(device="cpu"),
    )
