"""`section`: names a block of code, so that a recorded run reports its time.

The module is on the path of every timed call and of every `import ocr_baseline`: standard
library only, no state but the one recorder that is listening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from ocr_baseline.measure.timed_calls import run_inside

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")


class TimedBlock(Protocol):
    """Counts and times the blocks of one name."""

    def enter(self) -> None:
        """A block begins in the calling thread."""

    def exit(self) -> None:
        """The innermost block ends in the calling thread."""


class SectionListener(Protocol):
    """What listens to sections while a run is recorded."""

    def __getitem__(self, name: str, /) -> TimedBlock:
        """Return what times the blocks of that name."""


_listener: SectionListener | None = None


def listen(listener: SectionListener | None) -> SectionListener | None:
    """Send the sections of this process to `listener`; None stops listening.

    Returns:
        Who listened before, so that a run inside another can give the sections back.
    """
    global _listener
    before, _listener = _listener, listener
    return before


def is_listening() -> bool:
    """Whether sections of this process are being recorded."""
    return _listener is not None


class section:
    """Time a block or a function under a name, in the main process and in loader workers.

    A section may be nested, reused and re-entered, and costs next to nothing when no run is being
    recorded. Its time in the breakdown is exclusive: what sections inside it took is theirs.

    Example:
        >>> with section("decode"):
        ...     pass
        >>> @section("augment")
        ... def augment(image): ...
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Name the section; the name appears in reports as it is."""
        self.name = name

    def __enter__(self) -> None:
        listener = _listener
        if listener is not None:
            listener[self.name].enter()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        listener = _listener
        if listener is not None:
            listener[self.name].exit()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` wrapped so that each of its calls is a section.

        Of a generator function each step is one, up to the next `yield`.

        Raises:
            TypeError: When the function is asynchronous.
        """
        return run_inside(function, self)
