"""What a method that is timed or listened to holds of a run, where the method is pickled by value.

cloudpickle and dill take a class of a script's own with the code and the closures of its methods.
Read again in the same process, they are the methods of the same class from then on, and have to
hold the run as before. In any other process there is no run.
"""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakValueDictionary

_held: WeakValueDictionary[tuple[int, int], Any] = WeakValueDictionary()


def reduced(held: Any, elsewhere: Any) -> tuple[Any, ...]:
    """Return what `held.__reduce__` returns: it is itself here, and `elsewhere` where it isn't."""
    key = os.getpid(), id(held)
    _held[key] = held
    return _found, (key, elsewhere)


def _found(key: tuple[int, int], elsewhere: Any) -> Any:
    return _held.get(key, elsewhere) if key[0] == os.getpid() else elsewhere
