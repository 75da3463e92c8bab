"""Functions run inside a context at each call: plain ones whole, generators at each of their steps.

On the path of every timed call and of every `import ocr_baseline`: standard library only.
"""

from __future__ import annotations

import functools
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

P = ParamSpec("P")
R = TypeVar("R")


def is_asynchronous(function: Any) -> bool:
    """Whether a call only makes a coroutine or an asynchronous generator, to be run by others."""
    import inspect

    if not isinstance(getattr(function, "__code__", None), CodeType | None):
        return False  # a mock of a function, whose code is a mock too
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def run_inside(function: Callable[P, R], context: AbstractContextManager[None]) -> Callable[P, R]:
    """Return `function` wrapped so that what it does happens inside `context`.

    A generator function does nothing when it is called: each step of its generator, up to its next
    `yield` or its end, runs inside `context` instead.

    Raises:
        TypeError: When the function is asynchronous; other code runs while it waits, so that its
            own time can't be told.
    """
    import inspect

    if is_asynchronous(function):
        raise TypeError(
            f"{getattr(function, '__qualname__', function)} is asynchronous: other code runs while "
            "it waits, so its own time can't be told; put `with section(...)` around what it does "
            "between two waits"
        )
    if inspect.isgeneratorfunction(function):
        return cast("Callable[P, R]", _with_steps_inside(function, context))

    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        with context:
            return function(*args, **kwargs)

    return cast("Callable[P, R]", with_face_of(function, timed))


def with_face_of(function: Any, timed: Any) -> Any:
    """Return `timed` as a function of the other's module, of whose globals it may use none.

    TorchScript reads its source there, and who pickles a function by value takes its globals along.
    """
    if type(function) is FunctionType:
        timed = FunctionType(
            timed.__code__, function.__globals__, function.__name__, None, timed.__closure__
        )
    return functools.update_wrapper(timed, function)


def _with_steps_inside(
    function: Callable[P, Generator[Any, Any, Any]], context: AbstractContextManager[None]
) -> Callable[P, Generator[Any, Any, Any]]:
    @functools.wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
        return (yield from steps_inside(function(*args, **kwargs), context))

    return timed


def steps_inside(
    generator: Generator[Any, Any, Any], context: AbstractContextManager[None]
) -> Generator[Any, Any, Any]:
    """Yield what `generator` yields; each of its steps runs inside `context`."""
    step: Callable[[], Any] = functools.partial(next, generator)
    while True:
        try:
            with context:
                item = step()
        except StopIteration as end:
            return end.value
        try:
            received = yield item
        except GeneratorExit:
            with context:
                generator.close()
            raise
        except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
            step = functools.partial(generator.throw, error)
        else:
            step = functools.partial(generator.send, received)
