"""The batches of a loader in a loop of the user's own, told of one by one."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

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


class _StandIn:
    """Behaves as what it stands for, but for what a class below it does."""

    def __init__(self, stands_for: Any) -> None:
        self._stands_for = stands_for

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_stands_for" not in vars(self):
            raise AttributeError(name)
        return getattr(self._stands_for, name)

    def __bool__(self) -> bool:
        return bool(self._stands_for)

    def __length_hint__(self) -> int:
        hint = operator.length_hint(self._stands_for, -1)
        return NotImplemented if hint < 0 else hint


class _Sized(_StandIn):
    """Stands for what has a length, or says that it has."""

    def __len__(self) -> int:
        """Return the length.

        Raises:
            TypeError: When there is none.
        """
        sized: Sized = self._stands_for  # `len` tells when it isn't
        return len(sized)


class Batches(_Sized, Generic[T_co]):
    """The batches of a loader, as often as it is iterated; as long as the loader is."""

    def __init__(self, loader: Iterable[T_co], begin_pass: Callable[[], Pass | None]) -> None:
        """Iterate `loader` itself where `begin_pass` returns None: nothing is measured then."""
        super().__init__(loader)
        self._begin_pass = begin_pass

    def __iter__(self) -> Iterator[T_co]:
        begun = self._begin_pass()
        if begun is None:
            return iter(self._stands_for)
        begun.starts()  # now, as without us: a loader draws its seed as it starts
        try:
            iterator = iter(self._stands_for)
        finally:
            begun.started()
        is_sized = hasattr(type(iterator), "__len__")
        return _SizedIterator(iterator, begun) if is_sized else _Iterator(iterator, begun)


class _Iterator(_StandIn, Generic[T_co]):
    """An iterator of the loader's, which tells of its batches.

    It is no generator: an iterator that raises may go on afterwards, and several threads may ask it
    at once.
    """

    def __init__(self, iterator: Iterator[T_co], begun: Pass) -> None:
        super().__init__(iterator)
        self._pass = begun
        self._end: Iterator[None] | None = None

    def __iter__(self) -> Iterator[T_co]:
        return self

    def __next__(self) -> T_co:
        begun = self._pass
        if self._end is None:
            self._end = _end_of(begun)
            next(self._end)
        begun.asks()
        try:
            batch: T_co = next(self._stands_for)
        except BaseException:
            begun.answered()
            end, self._end = self._end, None
            next(end, None)
            raise
        begun.answered()
        begun.begins(batch)
        return batch

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy is the loader's own, and measures nothing."""
        return self._stands_for.__reduce_ex__(protocol)


class _SizedIterator(_Iterator[T_co], _Sized):
    """An iterator that has a length."""


def _end_of(begun: Pass) -> Iterator[None]:
    """Tell of the pass's end when this is read on, or let go of because the loop has left it.

    A method `__del__` would run at the end of each pass, where Python drops what a signal handler
    raises.
    """
    try:
        yield
    finally:
        begun.ends()
