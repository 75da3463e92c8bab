"""The batches of a loader in a loop of the user's own, told of one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sized

T_co = TypeVar("T_co", covariant=True)


class Pass(Protocol):
    """What wants to know of one pass over a loader; nothing in it raises."""

    def starts(self) -> None:
        """The loader is asked for its iterator."""

    def started(self) -> None:
        """It is there, or the loader has none."""

    def asks(self) -> None:
        """The next batch is asked for."""

    def answered(self) -> None:
        """It is there, or there is no more."""

    def begins(self, batch: object) -> None:
        """The loop begins to work on it."""

    def ends(self) -> None:
        """The pass is over, or the loop has left it."""


class Batches(Generic[T_co]):
    """The batches of a loader, as often as it is iterated; as long as the loader is."""

    def __init__(self, loader: Iterable[T_co], begin_pass: Callable[[], Pass | None]) -> None:
        """Iterate `loader` itself where `begin_pass` returns None: nothing is measured then."""
        self._loader = loader
        self._begin_pass = begin_pass

    def __len__(self) -> int:
        """Return the loader's length.

        Raises:
            TypeError: When it has none.
        """
        sized: Sized = self._loader  # type: ignore[assignment]  # `len` tells when it isn't
        return len(sized)

    def __iter__(self) -> Iterator[T_co]:
        begun = self._begin_pass()
        if begun is None:
            return iter(self._loader)
        begun.starts()  # now, as without us: a loader draws its seed as it starts
        try:
            iterator = iter(self._loader)
        finally:
            begun.started()
        return self._told(begun, iterator)

    @staticmethod
    def _told(begun: Pass, iterator: Iterator[T_co]) -> Iterator[T_co]:
        held: list[T_co] = []  # emptied as it is yielded: a batch lives no longer than without us
        try:
            while True:
                begun.asks()
                try:
                    held.append(next(iterator))
                except StopIteration:
                    return
                finally:
                    begun.answered()
                begun.begins(held[0])
                yield held.pop()
        finally:
            begun.ends()
