"""Exceptions that a signal handler of the program's raises while our code runs.

Such an exception (a timeout's, torch's about a loader worker that died) strikes whatever code is
running, and is meant for the program. A guard that took it for a failure of ours would take it from
the program.
"""

from __future__ import annotations

import functools
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, TracebackType


class suppress_failures:
    """`suppress(Exception)` for code of ours: what a signal handler raised goes through."""

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Suppress an `Exception` of the block's."""
        if not isinstance(error, Exception):
            return False
        let_through(error)
        return True


def let_through(error: BaseException) -> None:
    """Raise an exception again that a signal handler raised; return where none did.

    Raises:
        BaseException: The exception, where the code of a handler that is in place is in its
            traceback.
    """
    codes = _codes_of_handlers()
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            raise error
        traceback = traceback.tb_next


def _codes_of_handlers() -> set[CodeType]:
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = (_code_of(handler) for handler in handlers if callable(handler))
    return {code for code in codes if code is not None}


def _code_of(handler: object) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    code = getattr(function, "__code__", None)
    return code if code is not None else getattr(type(handler).__call__, "__code__", None)
