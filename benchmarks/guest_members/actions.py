"""The user's own profiler and its actions."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lightning.pytorch.profilers import (
    AdvancedProfiler,
    PassThroughProfiler,
    Profiler,
    PyTorchProfiler,
    SimpleProfiler,
)

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCHES, Net

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.guest_members.session import Guest

member = Members()


def _acting(act: Any) -> Net:
    """Return a module whose steps act with the trainer's profiler."""

    class Acts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            act(self.trainer.profiler)  # type: ignore[attr-defined]  # declared nowhere
            return super().training_step(batch, batch_idx)

    return Acts()


@member
def named_part(guest: Guest) -> None:
    """A step names a part of itself, of 10 ms."""

    def act(profiler: Any) -> None:
        with profiler.profile("augment"):
            time.sleep(0.01)

    guest.fit(_acting(act))
    guest.true("calls of augment", 2 * BATCHES)


def _within(names: Sequence[str]) -> Callable[[Any], None]:
    """Return an act that enters and leaves an action of each name."""

    def act(profiler: Any) -> None:
        for name in names:
            with profiler.profile(name):
                pass

    return act


@member
def named_like_a_fetch(guest: Guest) -> None:
    """Names that end in `_next` or look like Lightning's own."""
    names = ["what comes_next", "x_next", "[Own]Thing.on_train_start", "[Callback]X.on_train_end"]
    guest.fit(_acting(_within(names)))


@member
def named_as_the_trainers(guest: Guest) -> None:
    """A step enters actions with names that are the trainer's own."""
    names = ["run_training_batch", "optimizer_step", "[Strategy]SingleDeviceStrategy.training_step"]
    guest.fit(_acting(_within(names)))


@member
def started_without_stop(guest: Guest) -> None:
    """An action is started and never stopped."""
    count = [0]

    def act(profiler: Any) -> None:
        count[0] += 1
        profiler.start(f"open {count[0]}")

    guest.fit(_acting(act), profiler=SimpleProfiler())


@member
def stopped_without_start(guest: Guest) -> None:
    """An action is stopped that never started: the user's profiler raises."""
    guest.fit(_acting(lambda profiler: profiler.stop("never")), profiler=SimpleProfiler())


@member
def stopped_without_start_plain(guest: Guest) -> None:
    """An action is stopped that never started, with Lightning's default profiler."""
    guest.fit(_acting(lambda profiler: profiler.stop("never")))


@member
def names_that_are_no_text(guest: Guest) -> None:
    """Actions named by None, a number, a list."""

    def act(profiler: Any) -> None:
        for name in (None, 5, ["a"], b"x"):
            try:
                with profiler.profile(name):
                    pass
            except Exception as error:  # noqa: BLE001 - told, and compared
                guest.tell(**{f"error_{name!r}": type(error)})

    guest.fit(_acting(act))


@member
def nested_actions(guest: Guest) -> None:
    """The same action inside itself, and overlapping actions."""

    def act(profiler: Any) -> None:
        with profiler.profile("a"), profiler.profile("a"), profiler.profile("b"):
            pass
        profiler.start("x")
        profiler.start("y")
        profiler.stop("x")
        profiler.stop("y")

    guest.fit(_acting(act))
    guest.true("calls of b", 2 * BATCHES)


@member
def action_that_raises(guest: Guest) -> None:
    """An exception leaves an action and is caught outside."""

    def act(profiler: Any) -> None:
        try:
            with profiler.profile("fails"):
                raise KeyError("inside")
        except KeyError as error:
            guest.tell(error=error)

    guest.fit(_acting(act))


@member
def action_given_a_value(guest: Guest) -> None:
    """The block of an action receives its name."""

    def act(profiler: Any) -> None:
        with profiler.profile("named") as value:
            guest.tell(value=value)

    guest.fit(_acting(act))


@member
def action_in_a_generator(guest: Guest) -> None:
    """A generator is left inside an action and closed later."""
    kept: list[Any] = []

    def act(profiler: Any) -> None:
        def run() -> Any:
            with profiler.profile("generator"):
                yield 1

        running = run()
        next(running)
        kept.append(running)
        if len(kept) > 2:
            kept.pop(0).close()

    guest.fit(_acting(act))


@member
def own_profiler_class(guest: Guest) -> None:
    """A profiler of the user's own overrides `profile` and adds arguments."""

    class Own(Profiler):
        def __init__(self) -> None:
            self.names: list[str] = []  # without the base class's own

        def start(self, action_name: str, **kwargs: Any) -> None: ...

        def stop(self, action_name: str) -> None: ...

        @contextmanager
        def profile(self, action_name: str, color: str = "red") -> Any:
            self.names.append(color)
            yield action_name

        def setup(self, *args: Any, **kwargs: Any) -> None: ...

        def teardown(self, *args: Any, **kwargs: Any) -> None: ...

        def describe(self) -> None: ...

    def act(profiler: Any) -> None:
        with profiler.profile("painted", color="blue"):
            pass

    own = Own()
    guest.fit(_acting(act), profiler=own)
    guest.tell(blue=own.names.count("blue"))


@member
def action_by_keyword(guest: Guest) -> None:
    """The action's name is given by its keyword."""

    def act(profiler: Any) -> None:
        with profiler.profile(action_name="keyword"):
            pass
        profiler.start(action_name="other")
        profiler.stop(action_name="other")

    guest.fit(_acting(act))
    guest.fit(_acting(act), profiler=SimpleProfiler())


@member
def profile_on_the_object(guest: Guest) -> None:
    """The profiler's `profile` is an attribute of the object."""
    own = PassThroughProfiler()
    names: list[str] = []
    original = own.profile

    def profile(name: str) -> Any:
        names.append(name)
        return original(name)

    own.profile = profile  # type: ignore[method-assign,assignment]  # what is tried
    guest.fit(profiler=own)
    ours = ("PerformanceProfiler", "BaselineReport")
    guest.tell(names=sum(not any(one in name for one in ours) for name in names))


@member
def slotted_profiler(guest: Guest) -> None:
    """A profiler that can't take any attribute."""

    class Sealed(PassThroughProfiler):
        def __setattr__(self, name: str, value: Any) -> None:
            if name not in {
                "dirpath",
                "filename",
                "_stage",
                "_output_file",
                "_write_stream",
                "_local_rank",
                "_lightning_module",
            }:
                raise AttributeError(name)
            super().__setattr__(name, value)

    guest.fit(profiler=Sealed())


@member
def profiler_exchanged(guest: Guest) -> None:
    """A step puts another profiler at the trainer."""

    class Exchanges(Net):
        def on_train_epoch_start(self) -> None:
            self.trainer.profiler = SimpleProfiler()  # type: ignore[attr-defined]  # declared nowhere

    guest.fit(Exchanges())


@member
def profiler_taken_away(guest: Guest) -> None:
    """A hook puts None in the profiler's place, and what was there back."""

    class Takes(Net):
        def on_train_epoch_start(self) -> None:
            trainer: Any = self.trainer
            kept, trainer.profiler = trainer.profiler, None
            trainer.profiler = kept

    guest.fit(Takes())


@member
def advanced_profiler(guest: Guest) -> None:
    """Lightning's AdvancedProfiler writes its file."""
    guest.fit(profiler=AdvancedProfiler(dirpath=guest.folder, filename="advanced"))
    guest.tell(files=sorted(path.name for path in guest.folder.glob("*advanced*")))


@member
def pytorch_profiler(guest: Guest) -> None:
    """Lightning's PyTorchProfiler, eight fits one after the other."""
    for number in range(8):
        profiler = PyTorchProfiler(dirpath=guest.folder, filename=f"p{number}")
        guest.fit(profiler=profiler, fast_dev_run=3)
    guest.tell(files=len(list(guest.folder.glob("*.txt"))))
