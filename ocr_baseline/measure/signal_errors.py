"""Exceptions that a signal handler of the program's, or another thread, raises while our code runs.

Such an exception (a timeout's, torch's about a loader worker that died) strikes whatever code is
running, and is meant for the program. A guard that took it for a failure of ours would take it from
the program.
"""

from __future__ import annotations

import functools
import opcode
import signal
import sys
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
    """Raise an exception again that a signal handler or another thread raised; return otherwise.

    Raises:
        BaseException: The exception, where the code of a handler that is in place is in its
            traceback, or another thread has set it.
    """
    if is_set_by_a_thread(error):
        raise error
    codes = _codes_of_handlers()
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            raise error
        traceback = traceback.tb_next


def is_set_by_a_thread(error: BaseException) -> bool:
    """Whether another thread has set an exception here (`PyThreadState_SetAsyncExc`).

    Such a one is made of a class alone, and strikes where nothing raises it: in code of another
    package than that of its class. One of Python's classes can't be told from a failure of ours.
    """
    package = _package_of(type(error).__module__)
    if error.args or package == _OWN_PACKAGE or package in sys.stdlib_module_names:
        return False
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or _package_of(last.tb_frame.f_globals.get("__name__")) == package:
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] != _RAISE


def _package_of(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


_OWN_PACKAGE = _package_of(__name__)
_RAISE = opcode.opmap["RAISE_VARARGS"]


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
