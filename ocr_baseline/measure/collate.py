"""Times the collate function that a loader has held since before it was an operation.

Such a loader does not look the function up by its name, where the timed one is now. Its fetcher,
which is made for each pass over the loader in the process that makes the batches, gets the timed
one in its place.
"""

from __future__ import annotations

import functools
from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocr_baseline.measure.instrument import Instrumentation


def time_held_collate(instrumentation: Instrumentation) -> None:
    """Time the loaders' collate functions that are operations, until the instrumentation is undone.

    A torch that names its fetchers otherwise leaves them untimed.
    """
    from torch.utils.data._utils import fetch

    fetcher = getattr(fetch, "_BaseDatasetFetcher", None)
    if fetcher is None:
        return
    original = fetcher.__init__

    @functools.wraps(original)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.collate_fn = _timed(self.collate_fn, instrumentation)

    instrumentation.replace(fetcher, "__init__", initialize)


def _timed(held: Any, instrumentation: Instrumentation) -> Any:
    """Return the timed twin of a function, or of the function in a method or partial."""
    if isinstance(held, MethodType):
        return MethodType(instrumentation.timed(held.__func__), held.__self__)
    if isinstance(held, functools.partial):
        inner = _timed(held.func, instrumentation)
        return functools.partial(inner, *held.args, **held.keywords)
    return instrumentation.timed(held)
