"""Methods of the framework's classes, replaced while runs are recorded and told which run calls.

Several trainers may run at once in threads, or one inside another, and each is recorded alone. So
a method is replaced once for all of them, and a call reaches the run of its thread; the innermost
where there are several. A thread without a run gets the original.
"""

from __future__ import annotations

import functools
import inspect
import threading
from threading import get_ident
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from ocr_baseline.measure.by_value import reduced
from ocr_baseline.measure.timed_calls import with_face_of
from ocr_baseline.measure.traced_code import call_between_graphs

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrap = Callable[[Callable[..., Any], "Listeners"], Callable[..., Any]]


class Listeners(dict[int, Any]):
    """What is told of the calls of each thread, by the thread's identifier."""

    def __reduce__(self) -> Any:
        """A class of a script's own may be pickled by value, with our methods."""
        return reduced(self, {})


class Patch:
    """One replaced method.

    Attributes:
        listeners: What is told of the calls of each thread, by the thread's identifier.
    """

    def __init__(self, owner: type, attribute: str, wrap: Wrap) -> None:
        """Replace the method.

        Raises:
            TypeError: When it is not a plain function, or the class can't be changed.
        """
        original = inspect.getattr_static(owner, attribute, None)
        if type(original) is not FunctionType:
            raise TypeError(f"{owner.__qualname__}.{attribute} is not a plain method")
        self.listeners = Listeners()
        self._of_thread: dict[int, list[Any]] = {}
        self._owner = owner
        self._attribute = attribute
        self._original = original
        self._is_inherited = attribute not in vars(owner)
        self.replacement: Any = functools.wraps(original)(wrap(original, self.listeners))
        call_between_graphs(self.replacement)
        setattr(owner, attribute, self.replacement)

    @property
    def is_in_place(self) -> bool:
        """Whether nobody has put something else in the method's place."""
        return vars(self._owner).get(self._attribute) is self.replacement

    def add(self, thread: int, listener: Any) -> None:
        """Tell `listener` of the thread's calls, until it is taken out."""
        self._of_thread.setdefault(thread, []).append(listener)
        self.listeners[thread] = listener

    def remove(self, thread: int, listener: Any) -> bool:
        """Take a listener out; return whether any is left in any thread."""
        stack = self._of_thread.get(thread, [])
        remaining = [other for other in stack if other is not listener]
        if remaining:
            self._of_thread[thread] = remaining
            self.listeners[thread] = remaining[-1]
        else:
            self._of_thread.pop(thread, None)
            self.listeners.pop(thread, None)
        return bool(self._of_thread)

    def take_back(self) -> None:
        """Put the original back; what somebody else has put over it since then stays."""
        if not self.is_in_place:
            return
        if self._is_inherited:
            delattr(self._owner, self._attribute)
        else:
            setattr(self._owner, self._attribute, self._original)


_patches: dict[tuple[type, str], Patch] = {}
_lock = threading.RLock()


class Patches:
    """The methods that one run listens to, in the thread that makes this object."""

    def __init__(self) -> None:
        """Begin with none."""
        self._thread = get_ident()
        self._added: list[tuple[tuple[type, str], Patch, Any]] = []

    def listen(self, owner: type, attribute: str, listener: Any, wrap: Wrap) -> None:
        """Replace a method by `wrap(original, listeners)`.

        Raises:
            TypeError: When it is not a plain method of a class that can be changed.
        """
        key = (owner, attribute)
        with _lock:
            patch = _patches.get(key)
            if patch is None or not patch.is_in_place:
                patch = _patches[key] = Patch(owner, attribute, wrap)
            patch.add(self._thread, listener)
            self._added.append((key, patch, listener))

    def undo(self) -> None:
        """Listen no more; methods that nobody listens to are as they were."""
        with _lock:
            while self._added:
                key, patch, listener = self._added.pop()
                if patch.remove(self._thread, listener):
                    continue
                patch.take_back()
                if _patches.get(key) is patch:
                    del _patches[key]


def handed_to_listener(original: Callable[..., Any], listeners: Listeners) -> Callable[..., Any]:
    """Wrap a method so that the run of the calling thread is called with the original first."""
    here = get_ident  # no global: the function's are those of the original's module

    def handed(*args: Any, **kwargs: Any) -> Any:
        listener = listeners.get(here())
        if listener is None:
            return original(*args, **kwargs)
        return listener(original, *args, **kwargs)

    return cast("Callable[..., Any]", with_face_of(original, handed))
