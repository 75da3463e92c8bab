"""What a loop enters: each step goes through the one guard of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ocr_baseline.recording.loop_pass import LoopPass
    from ocr_baseline.recording.loop_run import LoopRun
    from ocr_baseline.recording.loop_stages import Block

R = TypeVar("R")


class Guard(Protocol):
    """Takes a step of the measuring where there is one; what fails in it ends the measuring."""

    def __call__(self, step: Callable[[LoopRun], R], /) -> R | None:
        """Return what the step returns, None where it wasn't taken."""


class GuardedBlock:
    """A block of one stage; it can be entered again, inside itself too."""

    def __init__(self, guard: Guard, name: object, epoch: object) -> None:
        """Open the stage of this name as the block begins."""
        self._guard = guard
        self._name = name
        self._epoch = epoch
        self._entered: list[Block | None] = []

    def __getstate__(self) -> dict[str, Any]:
        """A copy is a block that hasn't begun."""
        return vars(self) | {"_entered": []}

    def __enter__(self) -> None:
        self._entered.append(self._guard(lambda run: run.open(self._name, self._epoch)))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        block = self._entered.pop() if self._entered else None
        if block is not None:
            self._guard(lambda run: run.stages.close(block, by_exception=exc_type is not None))


class GuardedPass:
    """One pass over a loader."""

    def __init__(self, guard: Guard, begun: LoopPass) -> None:
        """Hand each step on to `begun`."""
        self._guard = guard
        self._pass = begun

    def starts(self) -> None:
        """The loader is asked for its iterator."""
        self._guard(lambda run: self._pass.starts())

    def started(self) -> None:
        """It is there, or the loader has none."""
        self._guard(lambda run: self._pass.started())

    def asks(self) -> None:
        """The next batch is asked for."""
        self._guard(lambda run: self._pass.asks())

    def answered(self) -> None:
        """It is there, or there is no more."""
        self._guard(lambda run: self._pass.answered())

    def begins(self, batch: object) -> None:
        """The loop begins to work on it."""
        self._guard(lambda run: self._pass.begins(batch))

    def ends(self) -> None:
        """The pass is over, or the loop has left it."""
        self._guard(lambda run: self._pass.ends())
