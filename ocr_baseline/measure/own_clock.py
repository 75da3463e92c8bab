"""Python's clock, as it was when the package was imported, which imports this at once.

A test may put a clock of its own in the place of Python's, in every module that has it by name. An
argument's default isn't found there.
"""

from __future__ import annotations

from time import perf_counter_ns
from types import BuiltinFunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def own_clock(clock: Callable[[], int] = perf_counter_ns) -> Callable[[], int]:
    """Return the clock that durations are read from, in nanoseconds.

    Raises:
        RuntimeError: It isn't Python's: the package was imported while another had its place.
    """
    if not isinstance(clock, BuiltinFunctionType):
        name = f"{clock.__module__}.{getattr(clock, '__qualname__', type(clock).__qualname__)}"
        raise RuntimeError(
            f"{name} stands in the place of Python's clock; "
            "import ocr_baseline before it is put there"
        )
    return clock
